"""A small application behind the program's own server and connection guard, whose clock a test moves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from streamer import server
from streamer.api.auth import TokenRole
from streamer.api.connection_guard import ConnectionGuard, GuardedHttp, GuardedWebSocket, vouch
from streamer.api.connection_limits import LimitOptions
from tests.support.clock import ManualClock
from tests.support.waiting import until

ROLES = {role.value: role for role in TokenRole}
"""In tests the name of a role is a token of that role."""


@dataclass
class GuardedServer:
    """Where it listens, its guard, the clock of the guard, and what its application has received."""

    port: int
    guard: ConnectionGuard
    clock: ManualClock
    closed: Counter[str]
    bodies: list[bytes] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    close_codes: list[int] = field(default_factory=list)
    opened: list[Raw] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connected(self, sent: bytes = b"") -> Raw:
        """Open a connection, wait until the server knows it, and send."""
        raw = Raw(*await asyncio.open_connection("127.0.0.1", self.port))
        self.opened.append(raw)
        name = raw.writer.get_extra_info("sockname")
        await until(lambda: name in [protocol.client for protocol in self.protocols()])
        raw.writer.write(sent)
        return raw

    def protocols(self) -> list[GuardedHttp | GuardedWebSocket]:
        """Return the server's side of each connection."""
        return [peer.end.__self__ for peer in self.guard.table]  # type: ignore[attr-defined]

    def half_sent(self) -> int:
        """Return how many connections have sent a part of a request's head."""
        return sum(bool(getattr(protocol, "_head", b"")) for protocol in self.protocols())

    def later(self, seconds: float) -> None:
        """Let time pass, and let the guard look."""
        self.clock.set(self.clock.now() + seconds)
        self.guard.sweep()

    def head(self, path: str = "/", method: str = "GET", *more: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *more]
        return "".join(f"{line}\r\n" for line in lines).encode()

    def request(self, path: str = "/", method: str = "GET", *more: str) -> bytes:
        return self.head(path, method, *more) + b"\r\n"


@dataclass
class Raw:
    """One connection of a client that keeps to no rules."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def transport(self) -> asyncio.Transport:
        """Return the transport, with which a client can stop to read."""
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        return transport

    async def answer(self) -> bytes:
        """Return the head of the next answer and what has come of its body."""
        return await self.reader.read(65536)

    async def rest(self) -> bytes:
        """Return everything until the server closes; b"" also when it closes without a word."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""


@asynccontextmanager
async def guarded(**limits: float) -> AsyncIterator[GuardedServer]:
    """Serve the application with these limits."""
    clock, closed = ManualClock(), Counter[str]()
    options = LimitOptions.model_validate(limits)
    guard = ConnectionGuard(options, 10_000, ROLES.get, lambda reason: closed.update([reason]), clock.now)
    listening = server.listen("127.0.0.1", 0)
    served = GuardedServer(listening.getsockname()[1], guard, clock, closed)
    config = uvicorn.Config(
        application(served), http="h11", ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off",
        log_level="warning", timeout_graceful_shutdown=1,
    )  # fmt: skip
    web = server.GuardedServer(config, guard)
    running = asyncio.create_task(web.serve([listening]))
    try:
        await until(lambda: web.started)
        yield served
    finally:
        for raw in served.opened:
            raw.writer.transport.abort()
        web.should_exit = True
        await running


def application(served: GuardedServer) -> Starlette:
    """Build an application that remembers what it received."""

    async def echo(request: Request) -> Response:
        served.bodies.append(await request.body())
        return PlainTextResponse(f"body of {len(served.bodies[-1])}")

    async def endless(request: Request) -> Response:
        async def zeros() -> AsyncIterator[bytes]:
            while True:
                yield bytes(65536)
                await asyncio.sleep(0)

        return StreamingResponse(zeros())

    async def talk(page: WebSocket) -> None:
        await page.accept()
        try:
            if role := ROLES.get(await page.receive_text()):
                await page.send_text("welcome" if vouch(page, role) else "no room")
            while True:
                served.messages.append(await page.receive_text())
                if served.messages[-1] == "much":
                    await page.send_bytes(bytes(1 << 22))
        except WebSocketDisconnect as gone:
            served.close_codes.append(gone.code)

    return Starlette(
        routes=[
            Route("/", echo, methods=["GET", "POST"]),
            Route("/endless", endless),
            WebSocketRoute("/ws", talk),
        ]
    )
