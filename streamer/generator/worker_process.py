"""One generator process seen from the program: start it, talk to it, log what it prints, end it.

Plain pipes and three short threads instead of asyncio's subprocesses: those cannot be used on every event loop on
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

log = logging.getLogger("streamer.generator.worker")

GOODBYE_S, TERMINATE_S, LAST_WORDS_S = 1.0, 0.5, 0.3
ANSWERS = 256
LONGEST_LINE = 2000


class WorkerProcess:
    """Own one process from start to end; whoever makes one awaits ``end``. Belongs to the event loop."""

    def __init__(self, home: Path) -> None:
        self._process = _spawn(home)
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()
        self._answers: asyncio.Queue[WorkerReply | None] = asyncio.Queue(ANSWERS)
        self._orders: queue.SimpleQueue[WorkerCommand | None] = queue.SimpleQueue()
        self._log_thread = self._thread(self._log_prints, "log")
        self._thread(self._write_orders, "orders")
        self._thread(self._read_answers, "answers")

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, order: WorkerCommand) -> None:
        """Hand an order over without waiting; if the process is gone, ``receive`` will say so."""
        self._orders.put(order)

    async def receive(self) -> WorkerReply | None:
        """Wait for the next answer; None when the process is gone."""
        return await self._answers.get()

    def leave(self) -> None:
        """Let ``receive`` say that the process is gone, so that its owner ends it."""
        if self._answers.full():
            self._answers.get_nowait()
        self._answers.put_nowait(None)

    async def end(self) -> int:
        """Ask the process to leave, then make it, and give back its exit status; nothing of it stays behind."""
        try:
            self._orders.put(None)
            if not await self._gone_within(GOODBYE_S):
                self._process.terminate()
                await self._gone_within(TERMINATE_S)
        finally:
            self.kill()
        await self._gone.wait()
        await asyncio.to_thread(self._log_thread.join, LAST_WORDS_S)
        return self._process.wait()

    def kill(self) -> None:
        """End the process, and the compilers it may have started, now."""
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

    def _write_orders(self) -> None:
        """Write orders: a thread's work, since a stopped process with a full pipe must not stop the event loop."""
        pipe = cast(BinaryIO, self._process.stdin)
        with suppress(OSError):
            while (order := self._orders.get()) is not None:
                pipe.write(pack(order))
                pipe.flush()
        with suppress(OSError):
            pipe.close()

    def _read_answers(self) -> None:
        pipe = cast(BinaryIO, self._process.stdout)
        with pipe:
            while (answer := read(pipe)) is not None:
                self._tell(cast(WorkerReply, answer))
        self._process.wait()
        self._tell(None)

    def _tell(self, answer: WorkerReply | None) -> None:
        # A closed loop means that the program ends; then nobody is left to be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver, answer)

    def _deliver(self, answer: WorkerReply | None) -> None:
        if answer is None:
            self._gone.set()
        if self._answers.full():
            self._answers.get_nowait()  # the oldest is an outdated preview or progress
        self._answers.put_nowait(answer)

    def _log_prints(self) -> None:
        """Log what the process prints; progress bars end their lines with a bare carriage return."""
        rest = b""
        with cast(BinaryIO, self._process.stderr) as pipe:
            while chunk := os.read(pipe.fileno(), 65536):
                *lines, rest = re.split(rb"[\r\n]+", rest + chunk)
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    _log_line(line)
        _log_line(rest)


def _log_line(line: bytes) -> None:
    if line.strip():
        log.info("%s", line[:LONGEST_LINE].decode(errors="replace").rstrip())


def _spawn(home: Path) -> subprocess.Popen[bytes]:
    # Not multiprocessing: its spawn imports the parent's main module again, and with it the whole web server.
    # A session of its own lets one signal reach the compilers it starts, and keeps Ctrl-C for the parent alone.
    here = os.pathsep.join(path or os.getcwd() for path in sys.path)
    environment = {**os.environ, "PYTHONPATH": here, "PYTHONUNBUFFERED": "1", "STREAMER_HOME": str(home)}
    command = [sys.executable, "-P", "-X", "faulthandler", "-m", "streamer.generator.worker"]
    pipe = subprocess.PIPE
    return subprocess.Popen(  # nosec B603
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, start_new_session=sys.platform != "win32"
    )
