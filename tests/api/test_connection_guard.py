"""What strangers send costs little and ends in time; whoever shows a token is answered meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging
import struct

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from streamer.api import connection_guard
from streamer.api.connection_guard import TOO_MUCH
from streamer.api.connection_limits import ANSWER_S, CLOSING_S, HELLO_S, STALLED_S, Peer
from tests.support.guarded_server import GuardedServer, Raw, guarded
from tests.support.waiting import until

OPERATOR = "Authorization: Bearer operator"
OVERLAY = "Authorization: Bearer overlay"


async def served_operator(served: GuardedServer) -> bool:
    raw = await served.connected(served.request("/", "GET", OPERATOR, "Connection: close"))
    return (await raw.rest()).startswith(b"HTTP/1.1 200")


async def test_half_sent_requests_are_limited_and_the_operator_is_answered_meanwhile() -> None:
    async with guarded(strangers=8, strangers_per_address=6) as served:
        halves = [await served.connected(served.head()) for _ in range(6)]
        assert await served_operator(served)
        assert served.closed == {"crowded": 1}
        assert await halves[0].rest() == b"", "the oldest made room"
        halves += [await served.connected(served.head()) for _ in range(20)]
        assert len(served.guard.table) == 6
        assert await served_operator(served)
        await until(lambda: served.half_sent() == len(served.guard.table))
        served.later(5)
        served.later(CLOSING_S)
        await until(lambda: len(served.guard.table) == 0)
        assert served.closed["slow"] == 5


async def test_a_half_sent_request_is_told_that_it_took_too_long() -> None:
    async with guarded(head_s=5) as served:
        silent, half = await served.connected(), await served.connected(served.head())
        await until(lambda: served.half_sent() == 1)
        served.later(4.9)
        assert served.closed == {}
        served.later(0.1)
        answer = await half.rest()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer
        assert await silent.rest() == b""


async def test_a_head_that_drips_is_ended_however_late_each_piece_would_be() -> None:
    async with guarded() as served:
        raw = await served.connected(served.head())
        for _ in range(connection_guard.HEAD_PIECES):
            raw.writer.write(b"a")
            await raw.writer.drain()
            await asyncio.sleep(0.001)
        assert (await raw.rest()).startswith(b"HTTP/1.1 431 ")


async def test_a_long_head_is_refused() -> None:
    async with guarded() as served:
        raw = await served.connected(served.request("/", "GET", "X: " + "a" * 20_000))
        assert (await raw.rest()).startswith(b"HTTP/1.1 431 ")
        assert served.bodies == []


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with guarded(body_s=10) as served:
        raw = await served.connected(served.request("/", "POST", "Content-Length: 10", OPERATOR) + b"12345")
        await until(lambda: served.guard.now() + 9 < next(iter(served.guard.table)).due < served.guard.now() + 11)
        served.later(9)
        raw.writer.write(b"6")
        served.later(1)
        assert (await raw.rest()).startswith(b"HTTP/1.1 408 ")
        assert served.bodies == []


async def test_bodies_arrive_whole_whoever_has_a_token() -> None:
    async with guarded() as served:
        for token in (OVERLAY, OPERATOR):
            raw = await served.connected(served.head("/", "POST", "Content-Length: 100000", token))
            raw.writer.write(b"\r\n" + b"x" * 50_000)
            await raw.writer.drain()
            raw.writer.write(b"x" * 50_000)
            assert (await raw.answer()).startswith(b"HTTP/1.1 200")
        assert [len(body) for body in served.bodies] == [100_000, 100_000]


async def test_a_long_body_takes_a_token() -> None:
    longest = connection_guard.STRANGERS_BODY
    async with guarded() as served:
        raw = await served.connected(served.request("/", "POST", f"Content-Length: {longest}") + bytes(longest))
        assert (await raw.answer()).startswith(b"HTTP/1.1 200")
        raw = await served.connected(served.request("/", "POST", f"Content-Length: {longest + 1}"))
        assert (await raw.rest()).startswith(b"HTTP/1.1 413 ")
        assert [len(body) for body in served.bodies] == [longest]


@pytest.mark.parametrize("token", [(), (OPERATOR,)])
async def test_many_headers_and_a_long_address_are_refused_before_they_are_parsed(token: tuple[str, ...]) -> None:
    async with guarded() as served:
        raw = await served.connected(served.request("/", "GET", *token, *["a: 1"] * connection_guard.MOST_HEADERS))
        assert (await raw.rest()).startswith(b"HTTP/1.1 431 ")
        raw = await served.connected(served.request("/?" + "&a" * connection_guard.LONGEST_TARGET, "GET", *token))
        assert (await raw.rest()).startswith(b"HTTP/1.1 414 ")
        raw = await served.connected(served.request("/", "GET", *token, *["a: 1"] * 60))
        assert (await raw.answer()).startswith(b"HTTP/1.1 200")


async def test_a_body_without_a_length_takes_a_moderators_token() -> None:
    chunked = b"1\r\na\r\n0\r\n\r\n"
    async with guarded() as served:
        for more in ((), (OVERLAY,)):
            raw = await served.connected(served.request("/", "POST", "Transfer-Encoding: chunked", *more) + chunked)
            assert (await raw.answer()).startswith(b"HTTP/1.1 411 ")
        raw = await served.connected(served.request("/", "POST", "Transfer-Encoding: chunked", OPERATOR))
        raw.writer.write(chunked)
        assert (await raw.answer()).startswith(b"HTTP/1.1 200")
        assert served.bodies == [b"a"]


async def test_a_tenant_is_refused_in_openais_shape_too() -> None:
    async with guarded() as served:
        tenant = "Authorization: Bearer tenant"
        raw = await served.connected(served.request("/v1/x", "POST", "Transfer-Encoding: chunked", tenant))
        head, _, body = (await raw.answer()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 411 ")
        answer = json.loads(body)
        assert answer["error"]["message"] == answer["detail"]
        assert answer["error"]["type"] == "invalid_request_error"


async def test_a_tenant_may_upload_a_picture() -> None:
    async with guarded() as served:
        length = connection_guard.LONGEST_BODY * 2
        head = served.request("/", "POST", f"Content-Length: {length}", "Authorization: Bearer tenant")
        raw = await served.connected(head + bytes(length))
        assert (await raw.answer()).startswith(b"HTTP/1.1 200")


async def test_a_body_without_an_end_is_cut() -> None:
    async with guarded() as served:
        raw = await served.connected(served.request("/", "POST", "Content-Length: 1000000000", OVERLAY))
        with pytest.raises(ConnectionError):
            await written_without_end(raw)
        assert served.closed == {"flooded": 1}


async def written_without_end(raw: Raw) -> None:
    while True:
        raw.writer.write(bytes(65536))
        await raw.writer.drain()


async def test_an_answer_that_is_not_read_ends() -> None:
    async with guarded() as served:
        raw = await served.connected(served.request("/endless", "GET", OPERATOR))
        await until(lambda: next(iter(served.guard.table)).stalled_due < float("inf"))
        served.later(STALLED_S)
        await until(lambda: len(served.guard.table) == 0)
        assert served.closed == {"slow": 1}
        raw.writer.close()


async def test_requests_without_a_token_take_turns_and_the_operators_does_not_wait() -> None:
    async with guarded(requests_per_s=20) as served:
        for _ in range(30):  # the burst
            served.guard.may_proceed(next(iter(served.guard.table), None) or (await stranger(served)))
        waiting = await served.connected(served.request())
        assert await served_operator(served)
        assert len(served.bodies) == 1
        served.clock.set(served.clock.now() + 1)
        assert (await waiting.answer()).startswith(b"HTTP/1.1 200")


async def stranger(served: GuardedServer) -> Peer:
    await served.connected()
    return next(iter(served.guard.table))


async def test_one_connection_serves_one_request_after_another_but_not_those_sent_before_the_answer() -> None:
    async with guarded() as served:
        raw = await served.connected(served.request())
        assert (await raw.answer()).startswith(b"HTTP/1.1 200")
        raw.writer.write(served.request())
        assert (await raw.answer()).startswith(b"HTTP/1.1 200")
        raw.writer.write(served.request() * 100)
        assert (await raw.rest()).count(b"HTTP/1.1 200") == 1


async def test_what_is_no_http_is_answered_at_once() -> None:
    async with guarded() as served:
        raw = await served.connected(b"\x16\x03\x01\x02\x00")
        assert (await raw.rest()).startswith(b"HTTP/1.1 400")


async def test_pages_find_no_room_when_all_is_taken_and_the_operator_does() -> None:
    async with guarded(connections=16, strangers=8, strangers_per_address=8) as served:
        pages = [await served.connected(served.request("/", "GET", OVERLAY)) for _ in range(9)]
        assert (await pages[-1].rest()).startswith(b"HTTP/1.1 503 ")
        assert await served_operator(served)


# WebSockets


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """Build a masked frame; the mask is zero, which leaves the payload as it is."""
    return struct.pack("!BBI", 0x80 | opcode, 0x80 | len(payload), 0) + payload


TEXT, PING, PONG = 1, 9, 10


async def upgraded(served: GuardedServer, *more: str) -> Raw:
    """Open a WebSocket by hand, so that the client does as it likes."""
    raw = await served.connected(
        served.request(
            "/ws", "GET", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", *more,
        )
    )  # fmt: skip
    assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return raw


async def let_in(raw: Raw, role: str = "overlay") -> None:
    raw.writer.write(frame(TEXT, role.encode()))
    assert b"welcome" in await raw.answer()


def page(served: GuardedServer) -> connect:
    return connect(f"ws://127.0.0.1:{served.port}/ws", proxy=None, ping_interval=None)


async def said_hello(socket: ClientConnection) -> None:
    await socket.send("overlay")
    assert await socket.recv() == "welcome"


@pytest.mark.parametrize("opcode", [PING, PONG, TEXT, 0])
async def test_a_stranger_that_floods_a_socket_is_closed_with_a_code(opcode: int) -> None:
    async with guarded() as served:
        raw = await upgraded(served)
        first = frame(TEXT, b"nobody") if opcode == TEXT else b""
        raw.writer.write(first + frame(opcode) * 10_000)
        data = await raw.rest()
        assert struct.pack("!H", TOO_MUCH) in data or opcode == 0
        assert data.count(b"\x8a\x00") <= 1, "one pong answers a piece full of pings"
        await until(lambda: len(served.guard.table) == 0)
        assert served.closed == {"flooded": 1} or opcode == 0


async def test_a_page_may_say_more_but_not_without_end() -> None:
    async with guarded(messages_per_s=10) as served, page(served) as socket:
        await said_hello(socket)
        for _ in range(30):
            await socket.send("painted")
        await until(lambda: len(served.messages) == 30)
        for _ in range(20):
            await (await socket.ping())
        await socket.send("one more")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == TOO_MUCH
        await until(lambda: served.close_codes == [TOO_MUCH])
        assert len(served.messages) == 30


async def test_bytes_count_too() -> None:
    async with guarded(bytes_per_s=1000) as served, page(served) as socket:
        await said_hello(socket)
        await socket.send("x" * 5000)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == TOO_MUCH


async def test_of_unread_pongs_one_is_kept() -> None:
    """A peer that reads nothing makes the server keep the newest pong, and no more."""
    async with guarded() as served:
        raw = await upgraded(served)
        await let_in(raw)
        raw.transport.pause_reading()
        raw.writer.write(frame(TEXT, b"much"))
        (peer,) = served.guard.table
        await until(lambda: peer.stalled_due < float("inf"))
        (protocol,) = (each for each in served.protocols() if isinstance(each, connection_guard.GuardedWebSocket))
        buffered = protocol.transport.get_write_buffer_size()
        for number in range(20):
            raw.writer.write(frame(PING, b"%04d" % number))
        await until(lambda: protocol._pong.endswith(b"0019"))
        assert protocol.transport.get_write_buffer_size() == buffered
        raw.transport.resume_reading()
        data = b""
        while not data.endswith(b"0019"):
            data += await raw.answer()
        assert data.count(b"\x8a\x04") == 1


async def test_a_socket_that_reads_nothing_ends() -> None:
    async with guarded() as served:
        raw = await upgraded(served)
        await let_in(raw)
        raw.transport.pause_reading()
        raw.writer.write(frame(TEXT, b"much"))
        (peer,) = served.guard.table
        await until(lambda: peer.stalled_due < float("inf"))
        served.later(STALLED_S)
        await until(lambda: len(served.guard.table) == 0)


async def test_a_socket_without_a_token_ends_and_one_with_a_token_stays() -> None:
    async with guarded() as served:
        silent, talking = await upgraded(served), await upgraded(served)
        await let_in(talking)
        served.later(max(HELLO_S, ANSWER_S))
        assert await silent.rest() == b""
        talking.writer.write(frame(TEXT, b"still here"))
        await until(lambda: served.messages == ["still here"])


async def test_a_closed_socket_whose_peer_does_not_read_is_cut_off() -> None:
    async with guarded(messages_per_s=1) as served:
        raw = await upgraded(served)
        await let_in(raw)
        raw.transport.pause_reading()
        raw.writer.write(frame(TEXT, b"much"))
        (peer,) = served.guard.table
        await until(lambda: peer.stalled_due < float("inf"))
        raw.writer.write(frame(TEXT) * 3)
        await until(lambda: served.closed["flooded"] == 1)
        served.later(0)
        served.later(CLOSING_S)
        await until(lambda: len(served.guard.table) == 0)


async def test_what_was_closed_is_logged_as_a_count_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "streamer.api.connection_guard")
    async with guarded(strangers=8, strangers_per_address=4) as served:
        for _ in range(10):
            await served.connected(served.head())
        await until(lambda: served.closed["crowded"] >= 5)
        served.guard.sweep()
        assert ["crowded" in line for line in caplog.messages] == [True]
        served.later(59)
        assert len(caplog.messages) == 1
        served.later(1)
        assert [line for line in caplog.messages[1:] if "slow" in line]
