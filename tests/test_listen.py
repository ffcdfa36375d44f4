"""The program listens where it was told, or says who is there already."""

from __future__ import annotations

import asyncio
import socket

import pytest

from streamer import server
from streamer.errors import ListenError
from tests.support.running import Remote, free_port


def test_a_taken_port_says_that_somebody_has_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ListenError, match="STREAMER_PORT"):
            server.listen("127.0.0.1", other.getsockname()[1])


def test_a_port_taken_by_this_very_program_is_named(served: Remote) -> None:
    with pytest.raises(ListenError, match="another streamer"):
        server.listen("127.0.0.1", int(served.url.rpartition(":")[2]))


def test_a_free_port_is_bound() -> None:
    port = free_port()
    with server.listen("127.0.0.1", port) as bound:
        assert bound.getsockname()[1] == port


async def test_accepted_connections_send_at_once() -> None:
    """Nagle's delay costs the second of two messages 40 ms; asyncio ends it only where the protocol is named."""
    delays: list[int] = []

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        delays.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = server.listen("127.0.0.1", 0)
    async with await asyncio.start_server(accepted, sock=bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        await reader.read()
        writer.close()
    assert delays == [1]
