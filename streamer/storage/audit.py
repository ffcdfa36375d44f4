"""What is written down about decisions: every verdict, what was on air when, and who is banned."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from streamer.errors import ConfigError, StoreError
from streamer.storage.bans import Ban
from streamer.storage.database import Store
from streamer.types import Frame, Verdict


class Records:
    """Statements over the store's connection, in the store's thread; times are seconds since the epoch."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def judged(self, verdicts: Sequence[Verdict]) -> asyncio.Future[None]:
        """Write verdicts down; await the result before anything goes on air because of them."""
        rows = [(v.id, v.request_id, v.judge, v.outcome, v.code, v.version, v.at) for v in verdicts]
        return self.store.run(lambda db: _insert(db, "verdicts", rows))

    def cleared(self, picture_id: str) -> asyncio.Future[str | None]:
        """Return the id of the stored verdict that let a kept picture on air, None when there is none."""
        return self.store.run(lambda db: _cleared(db, picture_id))

    def went_on_air(self, frame: Frame, verdict_id: str) -> asyncio.Future[None]:
        """Note that a picture went on air now, in the place of what its layer showed."""
        now = time.time()
        return self.store.run(lambda db: _aired(db, (frame.request_id, verdict_id, frame.layer, now)))

    def went_off_air(self, layer: str) -> asyncio.Future[None]:
        """Note that a layer shows nothing from now on."""
        now = time.time()
        return self.store.run(lambda db: _ended(db, layer, now))

    def ban(self, ban: Ban) -> asyncio.Future[None]:
        """Keep somebody out; a newer ban replaces the older one."""
        row = (ban.who, ban.name, ban.until, ban.reason, ban.by, ban.at)
        return self.store.run(lambda db: _insert(db, "bans", [row]))

    def unban(self, who: str) -> asyncio.Future[None]:
        """Let somebody in again."""
        return self.store.run(lambda db: _execute(db, "DELETE FROM bans WHERE who = ?", (who,)))

    def bans(self) -> asyncio.Future[list[Ban]]:
        """List everybody who is kept out."""
        return self.store.run(lambda db: [Ban(*row) for row in db.execute("SELECT * FROM bans ORDER BY at")])

    def audit(self, since: float) -> asyncio.Future[list[dict[str, object]]]:
        """Gather requests, verdicts and times on air since a moment, in the order in which they happened."""
        return self.store.run(lambda db: sorted(_audit(db, since), key=_when))


def read_audit(path: Path, since: float) -> list[dict[str, object]]:
    """Read the audit beside a running program: the file is opened for reading alone."""
    if not path.is_file():
        raise StoreError(str(path), "is not there; start the program once, or set STREAMER_HOME")
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return sorted(_audit(db, since), key=_when)
    except sqlite3.Error as error:
        raise StoreError(
            str(path), f"{error}; start the program once, so that it brings the file up to date"
        ) from error
    finally:
        db.close()


def moment(since: str, now: float) -> float:
    """Turn "2h", "7d" or "2026-11-01" into seconds since the epoch."""
    unit = {"h": 3600.0, "d": 86_400.0}.get(since[-1:])
    if unit is not None and since[:-1].isdecimal():
        return now - int(since[:-1]) * unit
    try:
        return datetime.fromisoformat(since).timestamp()
    except ValueError:
        raise ConfigError("--since", f"'{since}' is no time", fix="write 2h, 7d or 2026-11-01") from None


def _when(row: dict[str, object]) -> float:
    return float(str(row["at"]))


def _insert(db: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)  # nosec B608 - our own names


def _execute(db: sqlite3.Connection, statement: str, values: Sequence[object]) -> None:
    db.execute(statement, values)


def _cleared(db: sqlite3.Connection, picture_id: str) -> str | None:
    row = db.execute(
        "SELECT verdicts.id FROM pictures JOIN verdicts ON verdicts.id = pictures.verdict_id"
        " WHERE pictures.id = ? AND verdicts.outcome = 'allow'",
        (picture_id,),
    ).fetchone()
    return str(row[0]) if row else None


def _ended(db: sqlite3.Connection, layer: str, now: float) -> None:
    _execute(db, "UPDATE airings SET to_at = ? WHERE layer = ? AND to_at IS NULL", (now, layer))


def _aired(db: sqlite3.Connection, row: tuple[str, str, str, float]) -> None:
    _ended(db, row[2], row[3])
    _execute(db, "INSERT INTO airings VALUES (?, ?, ?, ?, NULL)", row)


_AUDIT = {
    "request": "SELECT asked_at AS at, id AS request_id, command, layer, text, actor_id, actor_name, role, state, rule,"
    " reason, ended_at FROM requests WHERE asked_at >= ?",
    "verdict": "SELECT at, request_id, id AS verdict_id, judge, outcome, code, version FROM verdicts WHERE at >= ?",
    "on_air": "SELECT from_at AS at, request_id, verdict_id, layer, to_at FROM airings"
    " WHERE from_at >= ?1 OR to_at IS NULL OR to_at >= ?1",
}


def _audit(db: sqlite3.Connection, since: float) -> Iterator[dict[str, object]]:
    for what, statement in _AUDIT.items():
        cursor = db.execute(statement, (since,))
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield {"what": what, **dict(zip(names, row, strict=True))}
