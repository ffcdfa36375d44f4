"""In a flood, a connection that shows a token comes in at once; the others wait, and the oldest of too many go."""

from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from streamer import server
from streamer.api import acceptor
from streamer.api.acceptor import Acceptor, Visitor, connections_that_fit, look
from tests.support.clock import ManualClock
from tests.support.guarded_server import ROLES
from tests.support.waiting import until

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
WITH_TOKEN = b"POST /api/v1/panic HTTP/1.1\r\nAuthorization: Bearer operator\r\n\r\n"


class Entered(asyncio.Protocol):
    """A connection that was let in."""

    def __init__(self, received: list[bytes]) -> None:
        self._received = received

    def data_received(self, data: bytes) -> None:
        self._received.append(data)


class Harbor:
    """An acceptor that is in a flood from the start, the clients of the test, and what those let in have sent."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.turned_away = clock, 0
        self.received: list[bytes] = []
        self.clients: list[socket.socket] = []
        self.listening = server.listen("127.0.0.1", 0)
        self.acceptor = Acceptor(self.listening, lambda: Entered(self.received), ROLES.get, 3, self._count, clock.now)
        while self.acceptor._newcomers.take(1, clock.now()):
            pass

    def _count(self) -> None:
        self.turned_away += 1

    async def comes(self, sent: bytes = b"", waiting: int | None = None) -> socket.socket:
        """Connect and send before the acceptor can look; wait until that many wait inside."""
        client = socket.create_connection(self.listening.getsockname())
        client.sendall(sent)
        client.setblocking(False)
        self.clients.append(client)
        if waiting is not None:
            await until(lambda: len(self.acceptor._waiting) == waiting)
        return client


@asynccontextmanager
async def flooded() -> AsyncIterator[Harbor]:
    harbor = Harbor(ManualClock())
    try:
        yield harbor
    finally:
        harbor.acceptor.close()
        await harbor.acceptor.wait_closed()
        for each in (*harbor.clients, harbor.listening):
            each.close()


async def test_without_a_flood_everybody_comes_in_before_sending_anything() -> None:
    async with flooded() as harbor:
        harbor.clock.set(harbor.clock.now() + 1)
        client = await harbor.comes()
        client.sendall(b"later")
        await until(lambda: harbor.received == [b"later"])


async def test_in_a_flood_a_token_comes_in_past_everybody_who_waits() -> None:
    async with flooded() as harbor:
        await harbor.comes(b"", 1)
        await harbor.comes(REQUEST, 2)
        await harbor.comes(b"GET / HTTP/1.1\r\nAuthorization: Bearer nobody\r\n\r\n", 3)
        await harbor.comes(WITH_TOKEN)
        await until(lambda: harbor.received == [WITH_TOKEN])
        assert harbor.turned_away == 0


async def test_a_token_that_arrives_late_is_noticed() -> None:
    async with flooded() as harbor:
        client = await harbor.comes(WITH_TOKEN[:20], 1)
        client.sendall(WITH_TOKEN[20:])
        await until(lambda: harbor.received == [WITH_TOKEN])


async def test_of_those_who_wait_requests_come_in_first_once_there_is_room() -> None:
    async with flooded() as harbor:
        await harbor.comes(b"GET /half", 1)
        await harbor.comes(REQUEST, 2)
        harbor.clock.set(harbor.clock.now() + 1.25 / acceptor.NEWCOMERS_PER_S)
        await until(lambda: harbor.received == [REQUEST])
        harbor.clock.set(harbor.clock.now() + 1.25 / acceptor.NEWCOMERS_PER_S)
        await until(lambda: harbor.received == [REQUEST, b"GET /half"])


async def test_the_oldest_of_too_many_goes_and_so_does_who_has_left() -> None:
    async with flooded() as harbor:
        first = await harbor.comes(b"", 1)
        left = await harbor.comes(b"", 2)
        await harbor.comes(b"", 3)
        await harbor.comes(b"")
        await until(lambda: harbor.turned_away == 1)
        assert first.recv(1) == b""
        left.close()
        await until(lambda: (harbor.turned_away, len(harbor.acceptor._waiting)) == (2, 2))


async def test_an_end_closes_those_who_wait() -> None:
    async with flooded() as harbor:
        client = await harbor.comes(b"", 1)
        harbor.acceptor.close()
        assert client.recv(1) == b""


def test_what_a_connection_has_sent_is_looked_at_and_not_taken() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        assert look(ours, ROLES.get) is Visitor.UNDECIDED
        theirs.sendall(WITH_TOKEN)
        assert [look(ours, ROLES.get) for _ in range(2)] == [Visitor.TOKEN, Visitor.TOKEN]
        ours.recv(1024)
        theirs.sendall(REQUEST)
        assert look(ours, ROLES.get) is Visitor.REQUEST
        ours.recv(1024)
        theirs.close()
        assert look(ours, ROLES.get) is Visitor.GONE


@pytest.mark.parametrize(("soft", "hard", "wanted"), [(256, 1024, 1024), (256, 256, 256), (5000, 5000, 5000)])
def test_the_limit_of_open_files_is_raised_and_a_reserve_is_kept(soft: int, hard: int, wanted: int) -> None:
    code = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from streamer.api.acceptor import connections_that_fit\n"
        "print(connections_that_fit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    fits, limit = map(int, printed.split())
    assert limit == wanted
    assert fits <= (limit - acceptor.RESERVED_DESCRIPTORS) * 4 // 5
    assert fits + fits // 4 >= limit - acceptor.RESERVED_DESCRIPTORS - 20


def test_an_unlimited_number_of_files_needs_no_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert connections_that_fit() == acceptor.WITHOUT_A_LIMIT
