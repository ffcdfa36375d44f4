"""Owns the SQLite connection: one thread opens it, migrates it, and runs every statement."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from streamer.errors import StoreError
from streamer.storage.schema import MIGRATIONS

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

FILE_NAME = "streamer.db"
OPEN_WITHIN_S = 30.0
PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON")


# No platform has it in an id, and names are shown without control characters.
SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class ChannelKeys:
    """Puts the channel's name before each key. The only channel of a store has no name, and its keys are plain."""

    channel: str = ""

    def key(self, text: str) -> str:
        """Return the stored key of a layer, a person or a setting of this channel."""
        return f"{self.channel}{SEPARATOR}{text}" if self.channel else text

    def text(self, key: str) -> str | None:
        """Return what a stored key stands for, None when it is another channel's."""
        channel, separator, text = key.rpartition(SEPARATOR)
        return text if channel == self.channel and bool(separator) == bool(self.channel) else None


ONLY_CHANNEL = ChannelKeys()


class Database:
    """The SQLite file of the state directory.

    One named thread owns the connection. Calls run in the order in which they are made, and raise StoreError.
    Repository methods that take a connection run inside ``run``, in this thread.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._db: sqlite3.Connection | None = None

    @property
    def home(self) -> Path:
        """Return the state directory."""
        return self._home

    async def open(self) -> None:
        """Create what is missing and bring the schema up to date; another process may have the file open."""
        await self._submit(self._open)

    async def close(self) -> None:
        """Finish all calls made so far and close the file."""
        await self._submit(self._close)
        self._thread.shutdown(wait=False)

    def run(self, work: Callable[[sqlite3.Connection], Answer]) -> asyncio.Future[Answer]:
        """Run ``work`` in the database thread as one transaction: everything is written, or nothing."""
        return self._submit(lambda: self._transaction(work))

    def write(self, statement: str, values: Sequence[object]) -> asyncio.Future[None]:
        """Run one statement that writes."""
        return self.run(lambda db: execute(db, statement, values))

    def erase(self, work: Callable[[sqlite3.Connection], Answer]) -> asyncio.Future[Answer]:
        """Run ``work`` like ``run``, and leave no trace of the deleted rows on disk."""
        return self._submit(lambda: self._erase(work))

    def _submit(self, work: Callable[[], Answer]) -> asyncio.Future[Answer]:
        done = asyncio.get_running_loop().run_in_executor(self._thread, self._translated, work)
        done.add_done_callback(_log_fault)
        return done

    def _translated(self, work: Callable[[], Answer]) -> Answer:
        try:
            return work()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(str(self._home), f"{error}; free some space, or set STREAMER_HOME elsewhere") from error

    def _transaction(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with self._connection() as db:
            return work(db)

    def _erase(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        before = self._connection().total_changes
        answer = self._transaction(work)
        if self._connection().total_changes > before:
            # secure_delete zeroes deleted rows in the file; the write-ahead log still holds the pages as they were.
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return answer

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreError(str(self._home), "is not open")
        return self._db

    def _open(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        os.chmod(self._home, 0o700)
        # The program and a command may create the file at the same moment.
        with FileLock(self._home / f"{FILE_NAME}.lock", timeout=OPEN_WITHIN_S):
            db = sqlite3.connect(self._home / FILE_NAME, check_same_thread=False)
            for setting in PRAGMAS:
                db.execute(f"PRAGMA {setting}")
            migrate(db)
        self._db = db

    def _close(self) -> None:
        if self._db:
            self._db.close()
            self._db = None


@contextmanager
def read_only(home: Path) -> Iterator[sqlite3.Connection]:
    """Open the database of a state directory for reading while the program may be running; raises StoreError."""
    path = home / FILE_NAME
    if not path.is_file():
        raise StoreError(str(path), "does not exist; start the program once, or set STREAMER_HOME")
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        yield db
    except sqlite3.Error as error:
        raise StoreError(
            str(path), f"{error}; start the program once, so that it brings the file up to date"
        ) from error
    finally:
        db.close()


def execute(db: sqlite3.Connection, statement: str, values: Sequence[object]) -> None:
    """Run one statement inside a transaction; the cursor stays in the database thread."""
    db.execute(statement, values)


def placeholders(row: Sequence[object]) -> str:
    """Return one question mark a column: ``?, ?, ?``."""
    return ", ".join("?" * len(row))


def migrate(db: sqlite3.Connection) -> None:
    """Bring the schema of a database up to date."""
    (done,) = db.execute("PRAGMA user_version").fetchone()
    if done > len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"the database version ({done}) is newer than this program")
    for version, script in enumerate(MIGRATIONS[done:], start=done + 1):
        db.executescript(f"BEGIN; {script} PRAGMA user_version = {version}; COMMIT;")


def _log_fault(done: asyncio.Future[Any]) -> None:
    """Log a failed write: its caller may not wait for the result."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("not written: %s", error)
