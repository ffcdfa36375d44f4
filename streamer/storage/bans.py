"""The table of bans."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from streamer.storage.database import Database, execute


@dataclass(frozen=True, slots=True)
class Ban:
    """A person who may not ask: ``who`` is a user id or a lower-case name; ``until`` is None for a permanent ban.

    Times are seconds since the epoch.
    """

    who: str
    name: str
    until: float | None
    reason: str
    by: str
    at: float


class BanRepository:
    """Reads and writes bans, one a person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, ban: Ban) -> asyncio.Future[None]:
        """Record a ban; it replaces an older ban of the same person."""
        return self._database.write("INSERT OR REPLACE INTO bans VALUES (?, ?, ?, ?, ?, ?)", astuple(ban))

    def delete(self, who: str) -> asyncio.Future[None]:
        """Lift a ban."""
        return self._database.write("DELETE FROM bans WHERE who = ?", (who,))

    def all(self) -> asyncio.Future[list[Ban]]:
        """List all bans, oldest first, including those that are over."""
        return self._database.run(lambda db: [Ban(*row) for row in db.execute("SELECT * FROM bans ORDER BY at")])

    def erase(self, db: sqlite3.Connection, actor_id: str, names: Iterable[str]) -> None:
        """Delete somebody's bans; the bans that they set as a moderator stay, without their name."""
        execute(db, "DELETE FROM bans WHERE who = ?", (actor_id,))
        for name in names:
            execute(db, "DELETE FROM bans WHERE who = ?", (name.casefold(),))
            execute(db, "UPDATE bans SET by = '' WHERE by = ?", (name,))
