"""Owns the SQLite connection: one thread opens it, migrates it, and runs every statement."""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from streamer.errors import StoreError
from streamer.storage import backup, secret_files
from streamer.storage.disk import DiskState
from streamer.storage.schema import MIGRATIONS

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

FILE_NAME = "streamer.db"
OPEN_WITHIN_S = 30.0
LOOK_EVERY_S = 5.0
PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON")

MORE_SPACE = "free some space, or set STREAMER_HOME elsewhere"
WRITABLE = "make it writable, or set STREAMER_HOME to a folder that is"
OTHER_PROGRAM = "another program has it open: close that one (a backup tool, a database browser)"
SQLITE_ADVICE = {
    sqlite3.SQLITE_FULL: MORE_SPACE,
    sqlite3.SQLITE_READONLY: WRITABLE,
    sqlite3.SQLITE_CANTOPEN: WRITABLE,
    sqlite3.SQLITE_PERM: WRITABLE,
    sqlite3.SQLITE_BUSY: OTHER_PROGRAM,
    sqlite3.SQLITE_LOCKED: OTHER_PROGRAM,
    sqlite3.SQLITE_IOERR: "the disk does not answer as it should; check it, or set STREAMER_HOME elsewhere",
}
OS_ADVICE = {
    errno.ENOSPC: MORE_SPACE,
    errno.EDQUOT: MORE_SPACE,
    errno.EROFS: WRITABLE,
    errno.EACCES: WRITABLE,
    errno.EPERM: WRITABLE,
    errno.ENOTDIR: WRITABLE,
    errno.EEXIST: WRITABLE,
}

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


class NewerDatabaseError(sqlite3.DatabaseError):
    """A newer version of the program wrote the database."""


class Database:
    """The SQLite file of the state directory.

    One named thread owns the connection. Calls run in the order in which they are made, and raise StoreError.
    Repository methods that take a connection run inside ``run``, in this thread.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._db: sqlite3.Connection | None = None
        self.disk = DiskState()

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

    async def watch_disk(self) -> None:
        """Look at the disk again and again, until cancelled."""
        while True:
            self.disk.asked_at = time.monotonic()
            with suppress(StoreError):
                await self._submit(self._look_at_disk)
            self.disk.asked_at = None
            await asyncio.sleep(LOOK_EVERY_S)

    def _look_at_disk(self) -> None:
        self.disk.free_bytes = shutil.disk_usage(self._home).free
        if self.disk.fault:
            # Nothing may be written for long now; this writes a page that says what it said before.
            (version,) = self._connection().execute("PRAGMA user_version").fetchone()
            self._connection().execute(f"PRAGMA user_version = {version}")
            self.disk.fault = ""

    def _submit(self, work: Callable[[], Answer]) -> asyncio.Future[Answer]:
        done = asyncio.get_running_loop().run_in_executor(self._thread, self._translated, work)
        done.add_done_callback(_log_fault)
        return done

    def _translated(self, work: Callable[[], Answer]) -> Answer:
        try:
            return work()
        except (OSError, sqlite3.Error) as error:
            reason = explain(error, self._home)
            if not isinstance(error, sqlite3.IntegrityError):  # a row that may exist only once: no fault of the disk
                self.disk.failed(reason)
            raise StoreError(str(self._home / FILE_NAME), reason) from error

    def _transaction(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        before = self._connection().total_changes
        with self._connection() as db:
            answer = work(db)
        if db.total_changes > before:
            self.disk.fault = ""
        return answer

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

    def back_up(self, target: Path) -> asyncio.Future[None]:
        """Copy the whole database to ``target``."""
        return self._submit(lambda: backup.copy_database(self._home / FILE_NAME, target))

    def back_up_daily(self, now: float, tidy: Callable[[sqlite3.Connection], None]) -> asyncio.Future[None]:
        """Make today's copy unless there is one; ``tidy`` removes from it what may not outlive its time."""
        return self._submit(lambda: backup.copy_daily(self._home, self._home / FILE_NAME, now, tidy))

    def delete_copies(self, before: float | None = None) -> asyncio.Future[None]:
        """Delete the copies in the state folder, or the whole ones from before a moment."""
        return self._submit(lambda: backup.delete_copies(self._home, before))

    def _open(self) -> None:
        secret_files.make_private_folder(self._home)
        # The program and a command may create the file at the same moment.
        with FileLock(self._home / f"{FILE_NAME}.lock", timeout=OPEN_WITHIN_S):
            db = sqlite3.connect(self._home / FILE_NAME, check_same_thread=False)
            for setting in PRAGMAS:
                db.execute(f"PRAGMA {setting}")
            backup.check(db)
            self._keep_before_migration(db)
            migrate(db)
        self._db = db

    def _keep_before_migration(self, db: sqlite3.Connection) -> None:
        """Keep a copy of an older database: a new version may turn out not to suit, and the old one cannot read it."""
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if 0 < version < len(MIGRATIONS):
            backup.copy_before_migration(self._home, self._home / FILE_NAME, version)

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


def execute_each(db: sqlite3.Connection, statement: str, rows: Iterable[Sequence[object]]) -> None:
    """Run one statement for each row; the cursor stays in the database thread."""
    db.executemany(statement, rows)


def placeholders(row: Sequence[object]) -> str:
    """Return one question mark a column: ``?, ?, ?``."""
    return ", ".join("?" * len(row))


def migrate(db: sqlite3.Connection) -> None:
    """Bring the schema of a database up to date."""
    (done,) = db.execute("PRAGMA user_version").fetchone()
    if done > len(MIGRATIONS):
        raise NewerDatabaseError(f"its version {done} is newer than this program; update the program")
    for version, script in enumerate(MIGRATIONS[done:], start=done + 1):
        db.executescript(f"BEGIN; {script} PRAGMA user_version = {version}; COMMIT;")


def explain(error: OSError | sqlite3.Error, home: Path) -> str:
    """Say what is wrong with the database, and what to do."""
    if isinstance(error, NewerDatabaseError):
        return str(error)
    if isinstance(error, OSError):
        advice = OS_ADVICE.get(error.errno or 0, "")
    else:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the lowest byte is the primary result code
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return f"is damaged ({error}); {_way_out(home)}"
        advice = SQLITE_ADVICE.get(code, "")
    return f"{error}; {advice}" if advice else str(error)


def _way_out(home: Path) -> str:
    """Say how to go on after damage: with the newest daily copy, or from nothing."""
    if copies := backup.daily_copies(home):
        made_on = time.strftime("%Y-%m-%d %H:%M", time.localtime(copies[-1].stat().st_mtime))
        return f"'streamer restore' puts back the copy of {made_on} and keeps the damaged file"
    return "'streamer restore FILE' puts a backup back; without one, move the file away to start with an empty one"


def _log_fault(done: asyncio.Future[Any]) -> None:
    """Log a failed write: its caller may not wait for the result."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("not written: %s", error)
