"""The table of issued access tokens."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from streamer.storage.database import Database


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An issued token; only its digest is kept."""

    digest: str
    role: str
    name: str
    created_at: float


class TokenRepository:
    """Reads and writes issued tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> asyncio.Future[list[StoredToken]]:
        """List the issued tokens, oldest first."""
        statement = "SELECT * FROM tokens ORDER BY created_at"
        return self._database.run(lambda db: [StoredToken(*row) for row in db.execute(statement)])

    def add(self, digest: str, role: str, name: str) -> asyncio.Future[None]:
        """Record the digest of a new token."""
        return self._database.write("INSERT INTO tokens VALUES (?, ?, ?, ?)", (digest, role, name, time.time()))

    def delete(self, name: str) -> asyncio.Future[int]:
        """Revoke the tokens of that name; return how many there were."""
        return self._database.run(lambda db: db.execute("DELETE FROM tokens WHERE name = ?", (name,)).rowcount)
