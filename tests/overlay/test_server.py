"""The overlay's routes over real sockets: who may connect, what pages receive, and what a bad page cannot do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from streamer.overlay import server, wire
from streamer.overlay.mailbox import MAX_NOTICES
from streamer.types import Clear, Frame, Toast
from tests.support.cleared_frames import cleared
from tests.support.overlay_page import TOKEN, LiveServer

AGENT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.6533.120 OBS/31.0.2 Safari/537.36"


def frame(request_id: str, layer: str = "background", size: int = 1000) -> Frame:
    return cleared(Frame(request_id, layer, "image/jpeg", b"x" * size, 1280, 720))


def hello(token: str = TOKEN, **fields: object) -> str:
    return json.dumps({"v": 1, "type": "hello", "token": token, "layers": None, **fields})


class Client:
    """A page without a browser: says hello, answers pictures if asked to."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.texts: list[str] = []

    async def picture(self, *, answer: bool = True) -> dict[str, str | int | float]:
        """Wait for the next picture; returns its header."""
        while True:
            message = await self.socket.recv()
            if isinstance(message, str):
                self.texts.append(json.loads(message)["type"])
                continue
            header, _ = wire.decode_picture(message)
            if answer:
                await self.answer(header)
            return header

    async def text(self) -> dict[str, object]:
        message = await self.socket.recv()
        assert isinstance(message, str)
        return dict(json.loads(message))

    async def answer(self, header: dict[str, str | int | float]) -> None:
        named = {key: header[key] for key in ("seq", "request_id", "layer")}
        await self.socket.send(json.dumps({"v": 1, "type": "painted", **named}))

    async def closed(self) -> int | None:
        """Read until the server hangs up; returns its code."""
        try:
            while True:
                await self.socket.recv()
        except ConnectionClosed:
            return self.socket.close_code


@asynccontextmanager
async def page(live: LiveServer, first: str | bytes | None = None, **fields: object) -> AsyncIterator[Client]:
    async with connect(live.ws, user_agent_header=AGENT, max_size=2**24, close_timeout=0.2) as socket:
        await socket.send(hello(**fields) if first is None else first)  # type: ignore[arg-type]
        yield Client(socket)


async def test_a_page_is_welcomed_with_the_layers_and_what_they_show(live: LiveServer) -> None:
    live.hub.publish(frame("a"))
    async with page(live) as client:
        welcome, layers = await client.text(), await client.text()
        assert (welcome["type"], welcome["epoch"]) == ("hello", live.hub.epoch)
        assert layers["layers"]["meme"]["use"] == "popup"  # type: ignore[index]
        assert (await client.picture())["request_id"] == "a"


async def test_a_page_after_a_clear_is_told_to_be_empty(live: LiveServer) -> None:
    live.hub.publish(frame("a"))
    live.hub.publish(Clear("background"))
    async with page(live) as client:
        assert [(await client.text())["type"] for _ in range(3)] == ["hello", "layers", "clear"]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + " ", TOKEN.upper()])
async def test_a_wrong_token_is_sent_away(live: LiveServer, token: str) -> None:
    async with page(live, token=token) as client:
        assert await client.closed() == 4401
    assert live.hub.pages.count == 0


async def test_a_page_that_says_nothing_is_sent_away(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HELLO_TIMEOUT_S", 0.05)
    async with connect(live.ws) as socket:
        assert await Client(socket).closed() == 4401


@pytest.mark.parametrize(
    "first", ["", "null", "[]", "{", '{"type":"pong"}', b"\x00\x01", '{"v":1,"type":"hello"}', "x" * 5000, "[" * 4000]
)
async def test_a_first_message_that_is_no_hello_is_sent_away(live: LiveServer, first: str | bytes) -> None:
    async with page(live, first) as client:
        assert await client.closed() == 4400


async def test_a_page_of_another_protocol_is_told_so(live: LiveServer) -> None:
    async with page(live, v=2) as client:
        assert await client.closed() == 4406


async def test_a_page_gets_the_layers_it_asks_for_only(live: LiveServer) -> None:
    async with page(live, layers=["meme"]) as client:
        await live.until(lambda: live.hub.pages.count == 1)
        live.hub.publish(frame("a"))
        live.hub.publish(frame("m", "meme"))
        assert (await client.picture())["request_id"] == "m"


async def test_the_hub_learns_what_the_page_runs_in_and_whether_it_is_seen(live: LiveServer) -> None:
    async with page(live, visible=False) as client:
        await live.until(lambda: live.hub.pages.count == 1)
        info = live.hub.pages.describe()[0]
        assert (info.obs, info.engine, info.visible, info.active) == ("31.0.2", "Chrome 127", False, True)
        await client.socket.send(json.dumps({"v": 1, "type": "state", "visible": True, "active": False}))
        await live.until(lambda: live.hub.pages.describe()[0].visible and not live.hub.pages.describe()[0].active)


async def test_a_picture_is_painted_and_the_paint_reported(live: LiveServer) -> None:
    paints = live.hub.pages.paints()
    first = asyncio.ensure_future(anext(paints))
    async with page(live) as client:
        await live.until(lambda: live.hub.pages.count == 1)
        live.hub.publish(frame("a"))
        await client.picture()
        paint = await first
        assert (paint.request_id, paint.layer) == ("a", "background")
        assert live.hub.pages.describe()[0].ack_ms is not None
    await paints.aclose()  # type: ignore[attr-defined]


async def test_a_page_that_never_answers_gets_two_pictures_and_then_the_newest(live: LiveServer) -> None:
    async with page(live) as client:
        await live.until(lambda: live.hub.pages.count == 1)
        seen = []
        for n in range(50):
            live.hub.publish(frame(str(n)))
            if n in (0, 1):
                seen.append(await client.picture(answer=False))
        assert live.hub.pages.describe()[0].in_flight == 2
        await client.answer(seen[1])
        assert (await client.picture())["request_id"] == "49"


async def test_a_page_is_pinged_at_every_tick(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TICK_S", 0.02)
    async with page(live) as client:
        heard = [(await client.text())["type"] for _ in range(5)]
        assert heard == ["hello", "layers", "ping", "ping", "ping"]


async def test_a_page_whose_token_is_taken_back_is_sent_away_at_the_next_tick(
    live: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "TICK_S", 0.02)
    async with page(live) as client:
        await client.text()
        live.tokens.clear()
        assert await client.closed() == 4401


async def test_malformed_messages_are_counted_and_too_many_end_the_connection(
    live: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    malformed: list[str | bytes] = [
        "", "{}", "null", '"painted"', '{"type":"painted"}', '{"type":"painted","seq":-1,"request_id":"a","layer":"b"}',
        '{"type":"painted","seq":true,"request_id":"a","layer":"b"}', '{"type":"hello","v":1,"token":"again"}',
        b"\xff\xfe", '{"type":"state","visible":"yes","active":1}', "\\ud800", '{"type":"' + "x" * 4200 + '"}',
    ]  # fmt: skip
    async with page(live) as client:
        for message in malformed:
            await client.socket.send(message)
        await live.until(lambda: [info.malformed for info in live.hub.pages.describe()] == [len(malformed)])
        live.hub.publish(frame("a"))
        assert (await client.picture())["request_id"] == "a"
        for _ in range(server.MALFORMED_LIMIT):
            await client.socket.send("malformed")
        assert await client.closed() == 4400
    await live.until(lambda: live.hub.pages.count == 0)
    assert "Traceback" not in caplog.text


async def test_a_message_over_the_socket_limit_ends_the_connection_without_a_traceback(
    live: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with page(live) as client:
        await client.socket.send("x" * 100_000)
        assert await client.closed() == 1009
    await live.until(lambda: live.hub.pages.count == 0)
    assert "Traceback" not in caplog.text


async def test_a_page_too_far_behind_with_its_notices_is_sent_away(live: LiveServer) -> None:
    async with page(live) as client:
        await live.until(lambda: live.hub.pages.count == 1)
        for n in range(MAX_NOTICES + 1):
            live.hub.publish(Toast("", f"toast {n}"))
        assert await client.closed() == 4408


async def test_messages_are_not_compressed(live: LiveServer) -> None:
    async with connect(live.ws, compression="deflate") as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


async def stalled(live: LiveServer, client: Client) -> None:
    """Fill a page's sockets until the server's writer is stuck in a send."""
    client.socket.transport.pause_reading()
    await live.until(lambda: live.hub.pages.count == 1)
    mailbox = next(iter(live.hub.pages.mailboxes()))
    for n in range(200):
        live.hub.publish(frame(str(n), size=300_000))
        mailbox._in_flight.clear()  # as if it answered: the window alone would never let the sockets fill
        mailbox.wake()
        await asyncio.sleep(0)
        if mailbox.skipped > 20:
            return


async def test_a_stalled_page_costs_the_others_nothing(live: LiveServer) -> None:
    async with page(live) as sick:
        await stalled(live, sick)
        async with page(live) as healthy:
            await live.until(lambda: live.hub.pages.count == 2)
            await healthy.picture()
            for n in range(30):
                live.hub.publish(frame(f"late {n}", size=300_000))
                assert (await healthy.picture())["request_id"] == f"late {n}"
        assert live.hub.pages.describe()[0].skipped > 20


async def test_a_page_stuck_in_a_send_is_given_up(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SEND_TIMEOUT_S", 0.1)
    monkeypatch.setattr(server, "TICK_S", 0.1)
    async with page(live) as sick:
        await stalled(live, sick)
        await live.until(lambda: live.hub.pages.count == 0)


async def test_the_server_stops_although_a_page_is_stalled(live: LiveServer) -> None:
    async with page(live) as sick:
        await stalled(live, sick)
        async with asyncio.timeout(10):
            await live.stop()
        assert live.hub.pages.count == 0


async def test_the_server_stops_although_a_page_never_said_hello(live: LiveServer) -> None:
    async with connect(live.ws, close_timeout=0.2):
        async with asyncio.timeout(10):
            await live.stop()


async def test_a_page_that_vanishes_is_forgotten(live: LiveServer) -> None:
    async with page(live) as client:
        await live.until(lambda: live.hub.pages.count == 1)
        client.socket.transport.abort()
        live.hub.publish(frame("a"))
        await live.until(lambda: live.hub.pages.count == 0)


async def test_the_html_is_never_cached_and_its_modules_for_ever(live: LiveServer) -> None:
    async with httpx.AsyncClient() as client:
        html = await client.get(live.url)
        assert html.headers["cache-control"] == "no-cache"
        script = html.text.split('src="')[1].split('"')[0]
        module = await client.get(f"http://127.0.0.1:{live.port}/{script}")
        assert module.headers["content-type"].startswith("text/javascript")
        assert "immutable" in module.headers["cache-control"]
        other = await client.get(f"http://127.0.0.1:{live.port}/overlay/static/0000/overlay/main.js")
        assert other.headers["cache-control"] == "no-store"


async def test_every_answer_carries_the_security_headers(live: LiveServer) -> None:
    async with httpx.AsyncClient() as client:
        for path in ("/overlay", "/overlay/static/x/overlay/main.js", "/overlay/static/x/missing.js"):
            headers = (await client.get(f"http://127.0.0.1:{live.port}{path}")).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
        policy = (await client.get(live.url)).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert f"connect-src 'self' ws://127.0.0.1:{live.port} wss://127.0.0.1:{live.port};" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_host_header_cannot_write_into_the_policy() -> None:
    assert "evil" not in server._policy("evil.example; script-src *")
    assert "evil" not in server._policy("evil.example *")


@pytest.mark.parametrize(
    "path",
    [
        "../../../pyproject.toml", "..%2f..%2f..%2fpyproject.toml", "%2e%2e/%2e%2e/pyproject.toml", "index.html",
        "overlay/index.html", "overlay/layers/../../../../pyproject.toml", "/etc/passwd", "overlay/main.js%00.css",
        "overlay", "overlay/", "overlay/layers", "overlay/layers/", "..\\..\\pyproject.toml",
        "%252e%252e/pyproject.toml", "overlay/main.js/", "overlay/MAIN.JS", "main.js", "panel/panel.js", "package.json",
    ],
)  # fmt: skip
async def test_nothing_but_the_modules_is_served(live: LiveServer, path: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{live.port}/overlay/static/v/{path}")
    assert answer.status_code == 404
    assert b"streamer" not in answer.content
