"""What is forgotten: by itself after a while, and at once when somebody asks for it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import StoreError
from streamer.records import Records
from streamer.types import ImageRequest, Refusal

SWEEP_EVERY_S = 3600.0
_IN_USE = "SELECT id FROM pictures"


class Options(BaseModel):
    """How long what is kept; ``privacy`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    texts_hours: float = Field(24.0, gt=0, description="texts, names, user ids; later a keyed hash stands for the id")
    audit_days: float = Field(30.0, gt=0, description="requests, verdicts and times on air")


class Privacy:
    """Know who wants to be forgotten, by a keyed hash alone; forget in the store's thread."""

    def __init__(self, records: Records, options: Options) -> None:
        self._records, self._options = records, options
        self._home = records.store.home
        self._key = b""
        self._gone: frozenset[str] = frozenset()

    async def restore(self) -> None:
        """Take up who has asked to be forgotten."""
        self._key = _key(self._home / "secrets" / "pseudonym")
        rows = await self._records.store.run(lambda db: db.execute("SELECT who FROM forgotten").fetchall())
        self._gone = frozenset(str(row[0]) for row in rows)

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse, before anything is stored, who has asked to be forgotten."""
        if self._gone and self._hash(request.actor.id) in self._gone:
            return Refusal(request.id, "forgotten", "you asked to be forgotten; a moderator can take that back")
        return None

    async def forget(self, actor_id: str) -> list[str]:
        """Remove everything about somebody from the disk, keep nothing but a keyed hash; return the request ids."""
        who = self._hash(actor_id)
        self._gone |= {who}
        home = self._home
        return await self._records.store.run(lambda db: _forget(db, home, actor_id, who, time.time()))

    async def remember(self, actor_id: str) -> bool:
        """Let somebody take part again; False when nobody of that id is forgotten."""
        who = self._hash(actor_id)
        if who not in self._gone:
            return False
        self._gone -= {who}
        await self._records.store.run(lambda db: _run(db, "DELETE FROM forgotten WHERE who = ?", [(who,)]))
        return True

    async def sweep(self, now: float) -> None:
        """Forget what is older than it may be; ``now`` is seconds since the epoch."""
        texts, audit = now - self._options.texts_hours * 3600, now - self._options.audit_days * 86_400
        await self._records.store.run(lambda db: _sweep(db, texts, audit, self._hash))

    def _hash(self, actor_id: str) -> str:
        # The prefix tells a hash from an id, so that nothing is hashed twice.
        return "~" + hmac.new(self._key, actor_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _key(path: Path) -> bytes:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
        return path.read_bytes()
    except OSError as error:
        raise StoreError(str(path), f"{error.strerror}; set STREAMER_HOME to a folder that can be written") from error


def _forget(db: sqlite3.Connection, home: Path, actor_id: str, who: str, now: float) -> list[str]:
    ids = [str(row[0]) for row in db.execute("SELECT id FROM requests WHERE actor_id IN (?, ?)", (actor_id, who))]
    files = [row for one in ids for row in db.execute("SELECT file FROM pictures WHERE id = ?", (one,))]
    keys = [(one,) for one in ids]
    with db:
        for table, column in (("on_air", "picture_id"), ("pictures", "id"), ("verdicts", "request_id"),
                              ("airings", "request_id"), ("requests", "id")):  # fmt: skip
            db.executemany(f"DELETE FROM {table} WHERE {column} = ?", keys)  # nosec B608 - our own names
        db.execute("DELETE FROM bans WHERE who = ?", (actor_id,))
        db.execute("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", (who, now))
    for (name,) in files:
        (home / "pictures" / str(name)).unlink(missing_ok=True)
    _leave_no_trace(db)
    return ids


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
