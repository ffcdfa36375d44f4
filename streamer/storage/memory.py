"""A store that keeps nothing: the real repositories over a database in memory, which answers at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Generic, TypeVar, cast

from streamer.storage.database import Database, execute, migrate
from streamer.storage.store import Store, StoreOptions

Answer = TypeVar("Answer")


class Answered(Generic[Answer]):
    """The result of a call that is over already; awaiting it never waits."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __await__(self) -> Generator[None, None, Answer]:
        return self._answer
        yield  # makes this a generator


class MemoryDatabase:
    """A ``Database`` in the caller's thread and without an event loop; picture files go to ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._db = sqlite3.connect(":memory:")
        migrate(self._db)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def run(self, work: Callable[[sqlite3.Connection], Answer]) -> Answered[Answer]:
        """Run ``work`` at once."""
        with self._db:
            return Answered(work(self._db))

    erase = run

    def delete_copies(self, before: float | None = None) -> Answered[None]:
        """Do nothing: nobody copies what is kept in memory."""
        return Answered(None)

    def write(self, statement: str, values: Sequence[object]) -> Answered[None]:
        """Run one statement that writes, at once."""
        return self.run(lambda db: execute(db, statement, values))


def memory_store(home: Path) -> Store:
    """Build a store whose database is in memory."""
    return Store.over(cast(Database, MemoryDatabase(home)), StoreOptions())
