"""The table of settings: what the program itself remembers, a text by a key."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable

from streamer.storage.database import ChannelKeys, Database, execute


class SettingRepository:
    """Reads and writes settings."""

    def __init__(self, database: Database, keys: ChannelKeys) -> None:
        self._database, self._keys = database, keys

    def get(self, key: str) -> asyncio.Future[str | None]:
        """Return one setting."""
        return self._database.run(lambda db: _get(db, self._keys.key(key)))

    def set(self, key: str, value: str) -> asyncio.Future[None]:
        """Write one setting."""
        return self._database.run(lambda db: self.put(db, key, value))

    def starting_with(self, prefix: str) -> asyncio.Future[dict[str, str]]:
        """Return the settings whose keys begin with a prefix, which contains none of ``*?[``."""
        statement = "SELECT key, value FROM settings WHERE key GLOB ?"
        return self._database.run(lambda db: self._read(db.execute(statement, (self._keys.key(f"{prefix}*"),))))

    def put(self, db: sqlite3.Connection, key: str, value: str) -> None:
        """Write one setting inside a transaction."""
        execute(db, "INSERT OR REPLACE INTO settings VALUES (?, ?)", (self._keys.key(key), value))

    def delete(self, db: sqlite3.Connection, key: str) -> None:
        """Delete one setting inside a transaction."""
        execute(db, "DELETE FROM settings WHERE key = ?", (self._keys.key(key),))

    def _read(self, rows: Iterable[tuple[str, str]]) -> dict[str, str]:
        return {text: value for key, value in rows if (text := self._keys.text(key)) is not None}


def _get(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None
