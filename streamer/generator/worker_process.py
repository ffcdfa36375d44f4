"""One generator process as the program sees it: start it, talk to it, log what it prints, end it.

Plain pipes and three short threads instead of asyncio's subprocesses: those do not work on every event loop on
Windows, and up to Python 3.12 their ``wait`` hangs while a grandchild holds a pipe open (python/cpython#119710).
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import re
import signal
import subprocess  # nosec B404 - runs this very interpreter on a module of ours
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from streamer.generator.ipc import WorkerCommand, WorkerReply, pack, read
from streamer.generator.worker_link import NotStarted
from streamer.integrations import network

log = logging.getLogger("streamer.generator.worker")

CLOSE_S, TERMINATE_S, LAST_PRINTS_S = 1.0, 0.5, 0.3
WAITING_REPLIES = 256
MAX_LINE = 2000


class WorkerProcess:
    """Own one process from start to end; whoever creates one awaits ``end``. Belongs to the event loop."""

    def __init__(self, home: Path) -> None:
        self._process = _spawn(home)
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()
        self._replies: asyncio.Queue[WorkerReply | None] = asyncio.Queue(WAITING_REPLIES)
        self._commands: queue.SimpleQueue[WorkerCommand | None] = queue.SimpleQueue()
        self._log_thread = self._thread(self._log_prints, "log")
        self._thread(self._write_commands, "commands")
        self._thread(self._read_replies, "replies")

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    def send(self, command: WorkerCommand) -> None:
        """Queue a command without waiting; if the process is gone, ``receive`` says so."""
        self._commands.put(command)

    async def receive(self) -> WorkerReply | None:
        """Wait for the next reply; None when the process is gone."""
        return await self._replies.get()

    def leave(self) -> None:
        """Make ``receive`` return None, as if the process were gone, so that its owner ends it."""
        self._queue_reply(None)

    async def end(self) -> int:
        """Ask the process to leave, then make it, and return its exit status; nothing of it stays behind."""
        try:
            self._commands.put(None)
            if not await self._gone_within(CLOSE_S):
                self._process.terminate()
                await self._gone_within(TERMINATE_S)
        finally:
            self.kill()
        await self._gone.wait()
        await asyncio.to_thread(self._log_thread.join, LAST_PRINTS_S)
        return self._process.wait()

    def kill(self) -> None:
        """End the process, and the compilers that it may have started, at once."""
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _gone_within(self, seconds: float) -> bool:
        # Not asyncio.timeout: in a task that is being cancelled, as here, Python 3.11.2 loses its TimeoutError.
        waiting = asyncio.ensure_future(self._gone.wait())
        await asyncio.wait({waiting}, timeout=seconds)
        waiting.cancel()
        return self._gone.is_set()

    def _thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=work, name=f"generator {name} {self.pid}", daemon=True)
        thread.start()
        return thread

    def _write_commands(self) -> None:
        """Write commands in a thread: the full pipe of a stopped process must not block the event loop."""
        pipe = cast(BinaryIO, self._process.stdin)
        with suppress(OSError):
            while (command := self._commands.get()) is not None:
                pipe.write(pack(command))
                pipe.flush()
        with suppress(OSError):
            pipe.close()

    def _read_replies(self) -> None:
        pipe = cast(BinaryIO, self._process.stdout)
        with pipe:
            while (reply := read(pipe)) is not None:
                self._call_soon(self._queue_reply, cast(WorkerReply, reply))
        self._process.wait()
        self._call_soon(self._note_gone)

    def _call_soon(self, callback: Callable[..., None], *arguments: WorkerReply) -> None:
        # A closed loop means that the program ends; then nobody receives any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _note_gone(self) -> None:
        self._gone.set()
        self._queue_reply(None)

    def _queue_reply(self, reply: WorkerReply | None) -> None:
        if self._replies.full():
            self._replies.get_nowait()  # the oldest is an outdated preview or progress
        self._replies.put_nowait(reply)

    def _log_prints(self) -> None:
        """Log what the process prints; progress bars end their lines with a bare carriage return."""
        rest = b""
        with cast(BinaryIO, self._process.stderr) as pipe:
            while chunk := os.read(pipe.fileno(), 65536):
                *lines, rest = re.split(rb"[\r\n]+", rest + chunk)
                if len(rest) > MAX_LINE:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    _log_line(line)
        _log_line(rest)


async def start_process(home: Path) -> WorkerProcess:
    """Start a process on this computer; raise NotStarted if the system refuses."""
    try:
        return WorkerProcess(home)
    except OSError as error:
        raise NotStarted(f"the generator process cannot be started: {error}") from error


def _log_line(line: bytes) -> None:
    if line.strip():
        log.info("%s", line[:MAX_LINE].decode(errors="replace").rstrip())


def child_environment(home: Path) -> dict[str, str]:
    """Return the environment of a process that runs a module of this program, with ``home`` as its state folder."""
    import_path = os.pathsep.join(path or os.getcwd() for path in sys.path)
    own = {
        "PYTHONPATH": import_path, "PYTHONUNBUFFERED": "1", "STREAMER_HOME": str(home),
        # What it prints is decoded as UTF-8, and a library that prints a sign of another script must not fail.
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }  # fmt: skip
    return {**network.usable_environment(os.environ), **own}


def _spawn(home: Path) -> subprocess.Popen[bytes]:
    # Not multiprocessing: its spawn imports the parent's main module again, and with it the whole web server.
    # A session of its own lets one signal reach the compilers that it starts, and keeps Ctrl-C for the parent alone.
    command = [sys.executable, "-P", "-X", "faulthandler", "-m", "streamer.generator.worker"]
    pipe = subprocess.PIPE
    return subprocess.Popen(  # nosec B603
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=child_environment(home),
        start_new_session=sys.platform != "win32",
    )  # fmt: skip
