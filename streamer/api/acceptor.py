"""Accepts connections a few at a time, tells floods from visitors, and keeps file descriptors for the program itself.

A new connection costs the event loop 0.1 to 0.3 ms, more than it costs whoever opens it. In a flood a connection gets
a transport and a protocol only when what it sent shows a token; of the others, a few hundred a second.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto

from streamer.api.auth import TokenRole
from streamer.api.connection_limits import Allowance, end_of_head, token_in

if sys.platform != "win32":
    import resource

log = logging.getLogger(__name__)

AT_ONCE = 32
"""How many connections are accepted before the event loop may do anything else."""
BACKLOG = 1024
"""How many wait in the system: one that does not fit is tried again by its client a second later."""
NEWCOMERS_PER_S = 200.0
"""More than that is a flood. A browser opens six connections for a page."""
LOOK_AGAIN_S = 0.01
LONGEST_LOOK = 4096
"""In bytes. In a flood everybody who waits is looked at a hundred times a second."""
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
AGAIN_S = 0.1

WANTED_DESCRIPTORS = 4096
RESERVED_DESCRIPTORS = 64
"""For a restart of the generator (8), the database, chat, OBS, files, and a streamer's new connection."""
WITHOUT_A_LIMIT = 8192


def connections_that_fit() -> int:
    """Ask the system for more file descriptors if there are few; return how many connections leave a reserve.

    A quarter as many may wait in a flood, besides.
    """
    if sys.platform == "win32":
        return WITHOUT_A_LIMIT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < WANTED_DESCRIPTORS:
        wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft == resource.RLIM_INFINITY:
        return WITHOUT_A_LIMIT
    return max(AT_ONCE, (soft - _open_descriptors() - RESERVED_DESCRIPTORS) * 4 // 5)


def _open_descriptors() -> int:
    with suppress(OSError):
        return len(os.listdir("/dev/fd"))
    return RESERVED_DESCRIPTORS


class Visitor(Enum):
    """What a connection has sent so far."""

    GONE = auto()
    UNDECIDED = auto()
    REQUEST = auto()
    TOKEN = auto()


def look(connection: socket.socket, role_of: Callable[[str], TokenRole | None]) -> Visitor:
    """Look at what a connection has sent, without taking it."""
    try:
        data = connection.recv(LONGEST_LOOK, socket.MSG_PEEK)
    except (BlockingIOError, InterruptedError):
        return Visitor.UNDECIDED
    except OSError:
        return Visitor.GONE
    if not data:
        return Visitor.GONE
    if end_of_head(data) is None:
        return Visitor.UNDECIDED
    return Visitor.TOKEN if (token := token_in(data)) and role_of(token) else Visitor.REQUEST


class Acceptor:
    """Hands the connections of a listening socket to new protocols. Belongs to the event loop."""

    def __init__(
        self,
        listening: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        role_of: Callable[[str], TokenRole | None],
        may_wait: int = 128,
        on_flood: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        listening.setblocking(False)
        listening.listen(BACKLOG)
        self._listening, self._make_protocol, self._role_of = listening, make_protocol, role_of
        self._may_wait, self._on_flood, self._now = may_wait, on_flood, clock
        self._newcomers = Allowance(NEWCOMERS_PER_S, NEWCOMERS_PER_S, clock())
        self._waiting: deque[socket.socket] = deque()
        self._looking: asyncio.TimerHandle | None = None
        self._entering: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._run(), name="acceptor")

    def close(self) -> None:
        """Accept no more."""
        self._task.cancel()
        if self._looking is not None:
            self._looking.cancel()
        while self._waiting:
            self._waiting.popleft().close()

    async def wait_closed(self) -> None:
        """Wait until nothing is accepted any more."""
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                self.take((await loop.sock_accept(self._listening))[0])
                self._accept_more()
            except OSError as error:
                # Anything else concerns one connection, which was closed before it was accepted.
                if error.errno in EXHAUSTED:
                    log.warning("no connection can be accepted: %s", error.strerror)
                    await asyncio.sleep(AGAIN_S)
            await asyncio.sleep(0)

    def _accept_more(self) -> None:
        with suppress(BlockingIOError, InterruptedError):
            for _ in range(AT_ONCE):
                self.take(self._listening.accept()[0])

    def take(self, connection: socket.socket) -> None:
        """Let a new connection in, or let it wait if there is a flood and it has shown no token."""
        connection.setblocking(False)
        if self._newcomers.take(1, self._now()):
            self._enter(connection)
            return
        self._triage(connection)
        if len(self._waiting) > self._may_wait:
            self._turn_away(self._waiting.popleft())
        if self._waiting and self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._look_again)

    def _triage(self, connection: socket.socket) -> None:
        match look(connection, self._role_of):
            case Visitor.TOKEN:
                self._enter(connection)
            case Visitor.REQUEST if self._newcomers.take(1, self._now()):
                self._enter(connection)
            case Visitor.GONE:
                self._turn_away(connection)
            case _:
                self._waiting.append(connection)

    def _look_again(self) -> None:
        """Look at those who wait; the oldest of the undecided come in when the flood is over."""
        self._looking = None
        for _ in range(len(self._waiting)):
            self._triage(self._waiting.popleft())
        while self._waiting and self._newcomers.take(1, self._now()):
            self._enter(self._waiting.popleft())
        if self._waiting:
            self._looking = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._look_again)

    def _turn_away(self, connection: socket.socket) -> None:
        connection.close()
        self._on_flood()

    def _enter(self, connection: socket.socket) -> None:
        task = asyncio.create_task(self._connect(connection))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    async def _connect(self, connection: socket.socket) -> None:
        with suppress(OSError):  # it was closed meanwhile
            await asyncio.get_running_loop().connect_accepted_socket(self._make_protocol, connection)
