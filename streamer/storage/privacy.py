"""What is forgotten: by itself after a while, and at once when somebody asks for it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer.storage.audit import Records
from streamer.storage.pseudonyms import Pseudonyms
from streamer.types import Forgotten, ImageRequest, Refusal

SWEEP_EVERY_S = 3600.0
FORGETTING = "forgetting "
_IN_USE = "SELECT id FROM pictures"


class PrivacyOptions(BaseModel):
    """How long what is kept; ``privacy`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    texts_hours: float = Field(24.0, gt=0, description="texts, names, user ids; later a keyed hash stands for the id")
    audit_days: float = Field(30.0, gt=0, description="requests, verdicts and times on air")


class Privacy:
    """Know who wants to be forgotten, by a keyed hash alone; forget in the store's thread."""

    def __init__(self, records: Records, options: PrivacyOptions) -> None:
        self._records, self._options = records, options
        self._home = records.store.home
        self._marks = Pseudonyms(self._home)
        self._gone: frozenset[str] = frozenset()
        self._ids: dict[str, str] = {}

    async def restore(self) -> None:
        """Take up who has asked to be forgotten."""
        self._marks.unlock()
        rows = await self._records.store.run(lambda db: db.execute("SELECT who FROM forgotten").fetchall())
        self._gone = frozenset(str(row[0]) for row in rows)

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse, before anything is stored, who has asked to be forgotten."""
        if self._gone and self._marks.pseudonym(request.actor.id) in self._gone:
            return Refusal(request.id, "forgotten", "you asked to be forgotten; a moderator can take that back")
        return None

    async def forget(self, actor_id: str, name: str = "") -> Forgotten:
        """Remove everything about somebody from the data folder, keep nothing but a keyed hash.

        What outputs keep elsewhere is theirs to remove: until ``finished``, this stays among the ``unfinished``, also
        over a crash.
        """
        who = self._marks.pseudonym(actor_id)
        self._gone |= {who}
        home = self._home
        ids = await self._records.store.run(lambda db: _forget(db, home, (actor_id, name), who, time.time()))
        self._ids[who] = actor_id
        return Forgotten(actor_id, tuple(ids))

    async def unfinished(self) -> list[Forgotten]:
        """List who is forgotten here, and perhaps not yet by the outputs."""
        rows = await self._records.store.run(
            lambda db: db.execute("SELECT key, value FROM settings WHERE key GLOB ?", (f"{FORGETTING}*",)).fetchall()
        )
        found = ((str(key).removeprefix(FORGETTING), json.loads(ids)) for key, ids in rows)
        return [Forgotten(self._ids.get(who, who), tuple(ids)) for who, ids in found]

    async def finished(self, forgotten: Forgotten) -> None:
        """Note that the outputs have removed what they had."""
        who = self._marks.pseudonym(forgotten.actor_id)
        self._ids.pop(who, None)
        await self._records.store.run(lambda db: _finish(db, FORGETTING + who))

    async def remember(self, actor_id: str) -> bool:
        """Let somebody take part again; False when nobody of that id is forgotten."""
        who = self._marks.pseudonym(actor_id)
        if who not in self._gone:
            return False
        self._gone -= {who}
        await self._records.store.run(lambda db: _run(db, "DELETE FROM forgotten WHERE who = ?", [(who,)]))
        return True

    async def sweep(self, now: float) -> None:
        """Forget what is older than it may be; ``now`` is seconds since the epoch."""
        texts, audit = now - self._options.texts_hours * 3600, now - self._options.audit_days * 86_400
        await self._records.store.run(lambda db: _sweep(db, texts, audit, self._marks.pseudonym))


def _forget(db: sqlite3.Connection, home: Path, actor: tuple[str, str], who: str, now: float) -> list[str]:
    actor_id, name = actor
    rows = db.execute("SELECT id, actor_name FROM requests WHERE actor_id IN (?, ?)", (actor_id, who)).fetchall()
    ids, names = [str(row[0]) for row in rows], {name, *(str(row[1]) for row in rows)} - {""}
    files = [row for one in ids for row in db.execute("SELECT file FROM pictures WHERE id = ?", (one,))]
    keys = [(one,) for one in ids]
    with db:
        for table, column in (("on_air", "picture_id"), ("pictures", "id"), ("verdicts", "request_id"),
                              ("airings", "request_id"), ("requests", "id")):  # fmt: skip
            db.executemany(f"DELETE FROM {table} WHERE {column} = ?", keys)  # nosec B608 - our own names
        db.executemany("DELETE FROM bans WHERE who = ?", [(actor_id,), *((one.casefold(),) for one in names)])
        for one in names:
            # What somebody decided as a moderator stays, without their name.
            db.execute("UPDATE verdicts SET judge = 'moderator' WHERE judge = ?", (f"moderator {one}",))
            db.execute("UPDATE bans SET by = '' WHERE by = ?", (one,))
        db.execute("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", (who, now))
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (FORGETTING + who, json.dumps(ids)))
    for (file,) in files:
        (home / "pictures" / str(file)).unlink(missing_ok=True)
    _leave_no_trace(db)
    return ids


def _finish(db: sqlite3.Connection, key: str) -> None:
    _run(db, "DELETE FROM settings WHERE key = ?", [(key,)])
    _leave_no_trace(db)


def _sweep(db: sqlite3.Connection, texts: float, audit: float, pseudonym: object) -> None:
    db.create_function("pseudonym", 1, pseudonym, deterministic=True)  # type: ignore[arg-type]
    with db:
        before = db.total_changes
        db.execute(
            "UPDATE requests SET text = '', prompt = '', actor_name = '', actor_id = pseudonym(actor_id)"
            " WHERE asked_at < ? AND ended_at IS NOT NULL AND actor_id NOT LIKE '~%'",
            (texts,),
        )
        db.execute(
            f"DELETE FROM verdicts WHERE at < ? AND request_id NOT IN ({_IN_USE})", (audit,)  # nosec B608 - as above
        )  # fmt: skip
        db.execute("DELETE FROM airings WHERE to_at < ?", (audit,))
        db.execute(
            f"DELETE FROM requests WHERE asked_at < ? AND ended_at IS NOT NULL AND id NOT IN ({_IN_USE})",  # nosec B608
            (audit,),
        )
    if db.total_changes > before:
        _leave_no_trace(db)


def _leave_no_trace(db: sqlite3.Connection) -> None:
    """Empty the write-ahead log, which still holds pages as they were; secure_delete zeroes what is deleted."""
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _run(db: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    with db:
        db.executemany(statement, rows)
