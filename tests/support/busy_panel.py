"""The panel's real page before a server that is busy: everything on it changes many times a second.

The server counts the commands that it receives. Nothing draws behind it, so that presses are all that the machine does.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from streamer.api import schemas
from streamer.api.panel import HEADERS
from streamer.api.sockets import BAD_TOKEN
from tests.support.encoded_pictures import encoded

WEB = Path(__file__).parents[2] / "web"
TOKEN = "operator-token-of-the-busy-panel"
MESSAGES_PER_S = 20
PICTURE = encoded()


def request(name: str) -> schemas.RequestOut:
    """Describe a request of a viewer."""
    return schemas.RequestOut(
        id=f"r-{name}", command="bg", layer="background", text=f"harbour of {name}", actor=name,
        actor_id=name, login="", role="viewer", lane="chat",
    )  # fmt: skip


def held(name: str, number: int, seconds_left: float, *, goes: bool = False) -> schemas.HeldOut:
    """Describe a held picture."""
    return schemas.HeldOut(
        number=number, request=request(name), reason="first message", verdict=f"v-{name}", seconds_left=seconds_left,
        goes=goes,
    )  # fmt: skip


def ban(name: str, minutes_left: float | None = None) -> schemas.BanOut:
    """Describe a ban."""
    return schemas.BanOut(who=name, name=name, login="", minutes_left=minutes_left, reason="")


def quiet_status(**changes: object) -> schemas.StatusOut:
    """Return the status of a show in which nothing happens, with some changes."""
    quiet = schemas.StatusOut(
        version="0", paused=False, panicked=False, style=None,
        generator=schemas.HealthOut(name="procedural", state="ready", detail=""), active={}, sources=[], pages=1,
        drawing=None, pending=[], on_air={"background": None}, timings={},
    )  # fmt: skip
    return quiet.model_copy(update=changes)


def busy_status(message: int) -> schemas.StatusOut:
    """Return the status of one moment: with each message rows go and others come, and what stays shows something else.

    The request of ann waits, the pictures of ann and ben are held, and ann is banned all the time. There is always the
    same number of rows, so that one can aim.
    """
    guests = [f"guest{100 + message + place}" for place in range(3)]
    return schemas.StatusOut(
        version="0",
        paused=False,
        panicked=False,
        style=None,
        generator=schemas.HealthOut(name="procedural", state="busy" if message % 2 else "ready", detail=""),
        active={"backend": "procedural"},
        sources=[schemas.HealthOut(name="twitch", state="ready", detail=f"{message} lines")],
        pages=message % 3,
        drawing=request(f"artist{message}"),
        pending=[*map(request, guests), request("ann"), request(f"late{message}")],
        on_air={"background": f"p{message // 10}", "meme": "p0" if message // 10 % 2 else None},
        timings={"draw": schemas.PercentilesOut(count=message, p50=message, p95=message, p99=message)},
        held=[*(held(name, 10, 30) for name in guests), held("ann", 1, 900 - message), held("ben", 2, 60, goes=True)],
        alarm="",
        bans=[ban(guests[0], 5), ban("ann")],
    )


@dataclass
class BusyPanel:
    """A served panel. ``status`` makes the next message; ``received`` counts the commands as "POST /api/v1/pause".

    A command in ``refusals`` is answered with 409 and that sentence; images are sent while ``images`` is set.
    """

    port: int
    status: Callable[[int], schemas.StatusOut] = busy_status
    messages_per_s: float = MESSAGES_PER_S
    received: Counter[str] = field(default_factory=Counter)
    refusals: dict[str, str] = field(default_factory=dict)
    images: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def app(self) -> Starlette:
        """Build the server: the real page, a picture for every id, and a count of everything else."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/{folder}/{name}.{kind}", self._asset),
                Route("/api/v1/pictures", self._pictures),
                Route("/api/v1/pictures/{name}/image", self._image),
                Route("/api/v1/held/{name}/image", self._image),
                Route("/api/v1/named_triggers", self._named_triggers),
                Route("/api/v1/overlay", self._overlay),
                Route("/{command:path}", self._command, methods=["POST", "DELETE"]),
                WebSocketRoute("/ws/panel", self._socket),
            ]
        )

    async def _page(self, _: Request) -> Response:
        return FileResponse(WEB / "panel" / "index.html", headers=HEADERS)

    async def _asset(self, asked: Request) -> Response:
        return FileResponse(WEB / asked.url.path.strip("/"), headers=HEADERS)

    async def _pictures(self, _: Request) -> Response:
        newest = next(self._numbers)
        return JSONResponse([{"id": f"p{newest - age}", "layer": "background", "text": "lake"} for age in range(8)])

    async def _image(self, _: Request) -> Response:
        await self.images.wait()
        return Response(PICTURE, media_type="image/jpeg")

    async def _named_triggers(self, _: Request) -> Response:
        return JSONResponse([schemas.button("harbour", f"{self.url}/trigger/harbour", TOKEN).model_dump()])

    async def _overlay(self, _: Request) -> Response:
        return JSONResponse({"url": f"{self.url}/overlay#token"})

    async def _command(self, asked: Request) -> Response:
        command = f"{asked.method} {asked.url.path}"
        self.received[command] += 1
        if command in self.refusals:
            return JSONResponse({"detail": self.refusals[command]}, 409)
        return JSONResponse({"outcome": "queued", "reason": ""})

    async def _socket(self, page: WebSocket) -> None:
        await page.accept()
        with contextlib.suppress(WebSocketDisconnect):
            if json.loads(await page.receive_text()) != {"token": TOKEN}:
                await page.close(BAD_TOKEN)
                return
            for message in itertools.count():
                await page.send_text(self.status(message).model_dump_json())
                await asyncio.sleep(1 / self.messages_per_s)


@asynccontextmanager
async def busy_panel() -> AsyncIterator[BusyPanel]:
    """Serve a panel on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    panel = BusyPanel(listening.getsockname()[1])
    panel.images.set()
    server = uvicorn.Server(uvicorn.Config(panel.app(), log_level="error", lifespan="off", ws="websockets-sansio"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield panel
    finally:
        server.should_exit = True
        server.force_exit = True
        await running
