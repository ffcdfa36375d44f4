"""The table of bans."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection
from dataclasses import astuple, dataclass, replace

from streamer.storage.database import SEPARATOR, ChannelKeys, Database, execute
from streamer.storage.people import name_key


@dataclass(frozen=True, slots=True)
class Ban:
    """A person who may not ask; ``until`` is None for a permanent ban. Times are seconds since the epoch.

    ``who`` is the user id of somebody who was ``seen``. Otherwise it is the key of whatever a moderator typed, and
    holds for whoever comes with that id, login or shown name.
    """

    who: str
    name: str
    until: float | None
    reason: str
    by: str
    at: float
    login: str = ""
    seen: bool = False


class BanRepository:
    """Reads and writes bans, one a person."""

    def __init__(self, database: Database, keys: ChannelKeys) -> None:
        self._database, self._keys = database, keys

    def put(self, ban: Ban) -> asyncio.Future[None]:
        """Record a ban; it replaces an older ban of the same person."""
        row = astuple(replace(ban, who=self._keys.key(ban.who)))
        return self._database.write("INSERT OR REPLACE INTO bans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def delete(self, who: str) -> asyncio.Future[None]:
        """Lift a ban."""
        return self._database.write("DELETE FROM bans WHERE who = ?", (self._keys.key(who),))

    def all(self) -> asyncio.Future[list[Ban]]:
        """List all bans, oldest first, including those that are over."""
        return self._database.run(self._all)

    def _all(self, db: sqlite3.Connection) -> list[Ban]:
        bans = (Ban(*row) for row in db.execute("SELECT * FROM bans ORDER BY at"))
        return [
            replace(ban, who=who, seen=bool(ban.seen)) for ban in bans if (who := self._keys.text(ban.who)) is not None
        ]

    def erase(self, db: sqlite3.Connection, actor_id: str, names: Collection[str]) -> None:
        """Delete somebody's bans; the bans that they set as a moderator stay, without their name."""
        for key in (actor_id, *map(name_key, names)):
            _delete_of_any_channel(db, key)
        for name in names:
            execute(db, "UPDATE bans SET by = '' WHERE by = ?", (name,))


def _delete_of_any_channel(db: sqlite3.Connection, who: str) -> None:
    statement = "DELETE FROM bans WHERE who = ?1 OR substr(who, instr(who, ?2) + 1) = ?1"
    execute(db, statement, (who, SEPARATOR))
