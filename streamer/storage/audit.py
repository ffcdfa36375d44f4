"""The tables of the audit: every verdict, and what was on air when."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from streamer.errors import ConfigError
from streamer.storage.database import SEPARATOR, ChannelKeys, Database, execute, read_only
from streamer.types import Frame, Outcome, Verdict


class AuditLog:
    """Records verdicts and times on air; times are seconds since the epoch."""

    def __init__(self, database: Database, keys: ChannelKeys) -> None:
        self._database, self._keys = database, keys

    def record(self, verdicts: Sequence[Verdict]) -> asyncio.Future[None]:
        """Record verdicts; await the result before anything goes on air because of them."""
        rows = [(v.id, v.request_id, v.judge, v.outcome, v.code, v.version, v.at) for v in verdicts]
        return self._database.run(lambda db: _insert_verdicts(db, rows))

    def allowing_verdict(self, picture_id: str) -> asyncio.Future[str | None]:
        """Return the id of the stored verdict that let a kept picture on air, None when there is none."""
        return self._database.run(lambda db: _allowing_verdict(db, picture_id))

    def went_on_air(self, frame: Frame, verdict_id: str) -> asyncio.Future[None]:
        """Note that a picture replaces what its layer showed, from now on."""
        row = (frame.request_id, verdict_id, self._keys.key(frame.layer), time.time())
        return self._database.run(lambda db: _insert_airing(db, row))

    def went_off_air(self, layer: str) -> asyncio.Future[None]:
        """Note that a layer shows nothing from now on."""
        now, key = time.time(), self._keys.key(layer)
        return self._database.run(lambda db: _end_airing(db, key, now))

    def end_interrupted(self) -> asyncio.Future[None]:
        """End the airings that a crash left open."""
        return self._database.write("UPDATE airings SET to_at = ? WHERE to_at IS NULL", (time.time(),))

    def entries(self, since: float) -> asyncio.Future[list[dict[str, object]]]:
        """List requests, verdicts and times on air since a moment, in the order in which they happened."""
        return self._database.run(lambda db: _entries(db, since))

    def erase(self, db: sqlite3.Connection, request_ids: Iterable[str], names: Iterable[str]) -> None:
        """Delete the verdicts and airings of requests; verdicts of a moderator stay, without the moderator's name."""
        for request_id in request_ids:
            execute(db, "DELETE FROM verdicts WHERE request_id = ?", (request_id,))
            execute(db, "DELETE FROM airings WHERE request_id = ?", (request_id,))
        for name in names:
            execute(db, "UPDATE verdicts SET judge = 'moderator' WHERE judge = ?", (f"moderator {name}",))

    def delete_before(self, db: sqlite3.Connection, before: float) -> None:
        """Delete verdicts and airings from before a moment; a kept picture keeps its verdicts."""
        statement = "DELETE FROM verdicts WHERE at < ? AND request_id NOT IN (SELECT id FROM pictures)"
        execute(db, statement, (before,))
        execute(db, "DELETE FROM airings WHERE to_at < ?", (before,))


def read_audit(home: Path, since: float) -> list[dict[str, object]]:
    """Read the audit of a state directory while the program may be running."""
    with read_only(home) as db:
        return _entries(db, since)


def parse_since(text: str, now: float) -> float:
    """Turn "2h", "7d" or "2026-11-01" into seconds since the epoch."""
    unit_s = {"h": 3600.0, "d": 86_400.0}.get(text[-1:])
    if unit_s is not None and text[:-1].isdecimal():
        return now - int(text[:-1]) * unit_s
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise ConfigError("--since", f"'{text}' is not a time", fix="write 2h, 7d or 2026-11-01") from None


def _insert_verdicts(db: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    db.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _allowing_verdict(db: sqlite3.Connection, picture_id: str) -> str | None:
    row = db.execute(
        "SELECT verdicts.id FROM pictures JOIN verdicts ON verdicts.id = pictures.verdict_id"
        " WHERE pictures.id = ? AND verdicts.outcome = ?",
        (picture_id, Outcome.ALLOW),
    ).fetchone()
    return str(row[0]) if row else None


def _end_airing(db: sqlite3.Connection, layer: str, now: float) -> None:
    execute(db, "UPDATE airings SET to_at = ? WHERE layer = ? AND to_at IS NULL", (now, layer))


def _insert_airing(db: sqlite3.Connection, row: tuple[str, str, str, float]) -> None:
    _, _, layer, now = row
    _end_airing(db, layer, now)
    execute(db, "INSERT INTO airings VALUES (?, ?, ?, ?, NULL)", row)


_SELECTS = {
    "request": "SELECT asked_at AS at, id AS request_id, command, layer, text, actor_id, actor_name, actor_login,"
    " role, state, rule, reason, ended_at FROM requests WHERE asked_at >= ?",
    "verdict": "SELECT at, request_id, id AS verdict_id, judge, outcome, code, version FROM verdicts WHERE at >= ?",
    "on_air": "SELECT from_at AS at, request_id, verdict_id, layer, to_at FROM airings"
    " WHERE from_at >= ?1 OR to_at IS NULL OR to_at >= ?1",
}


def _entries(db: sqlite3.Connection, since: float) -> list[dict[str, object]]:
    return sorted(_unsorted_entries(db, since), key=lambda entry: float(str(entry["at"])))


def _unsorted_entries(db: sqlite3.Connection, since: float) -> Iterator[dict[str, object]]:
    for kind, statement in _SELECTS.items():
        cursor = db.execute(statement, (since,))
        columns = [column[0] for column in cursor.description]
        for row in cursor:
            entry = {"what": kind, **dict(zip(columns, row, strict=True))}
            if "layer" in entry:
                entry["layer"] = str(entry["layer"]).rpartition(SEPARATOR)[2]
            yield entry
