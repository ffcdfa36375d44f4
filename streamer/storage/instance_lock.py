"""One program for each state folder: a lock that names the program which holds it.

Two programs on one folder harm each other: the second one ends what waits in the first, and a panic in one blanks only
its own pages. The operating system releases the lock when the program ends, however it ends.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from streamer.errors import AlreadyRunning, StoreError
from streamer.storage import secret_files

log = logging.getLogger(__name__)

LOCK_NAME, HOLDER_NAME = "program.lock", "program.json"
HOLD_WITHIN_S = 2.0
"""A command that looks whether a program runs holds the lock for a moment."""


@dataclass(frozen=True, slots=True)
class RunningProgram:
    """The program that holds a state folder: its process id and the address of its server.

    ``local_url`` leads to it on this computer, also where ``url`` is a public one.
    """

    pid: int
    url: str
    local_url: str


@contextmanager
def held(home: Path, url: str, local_url: str) -> Iterator[None]:
    """Hold the lock of a state folder, created if missing, and note the own process and addresses beside it.

    Raises AlreadyRunning when another program holds it, StoreError when the folder cannot be written.
    """
    lock = FileLock(home / LOCK_NAME, timeout=HOLD_WITHIN_S)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise _already_running(home) from None
    except NotImplementedError:
        log.warning("the file system of %s has no locks: never start a second program with this folder", home)
    except OSError as error:
        problem = error.strerror or str(error)
        raise StoreError(str(home), f"{problem}; set STREAMER_HOME to a folder that can be written") from error
    program = RunningProgram(os.getpid(), url, local_url)
    try:
        secret_files.write(home / HOLDER_NAME, json.dumps(asdict(program)).encode())
        yield
    finally:
        with suppress(OSError):
            (home / HOLDER_NAME).unlink(missing_ok=True)
        lock.release()


def running_program(home: Path) -> RunningProgram | None:
    """Return the program that holds a state folder, None when there is none."""
    if not (home / LOCK_NAME).exists():
        return None
    lock = FileLock(home / LOCK_NAME, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return _holder(home)
    except (NotImplementedError, OSError):
        return _holder(home) if (home / HOLDER_NAME).exists() else None
    lock.release()
    return None


def _holder(home: Path) -> RunningProgram:
    """Read who holds the lock; the note is written a moment after the lock is taken."""
    try:
        note = json.loads((home / HOLDER_NAME).read_bytes())
        return RunningProgram(int(note["pid"]), str(note["url"]), str(note.get("local_url") or note["url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return RunningProgram(0, "", "")


def _already_running(home: Path) -> AlreadyRunning:
    holder = _holder(home)
    return AlreadyRunning(str(home), holder.pid, holder.url)
