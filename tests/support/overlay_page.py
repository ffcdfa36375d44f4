"""The overlay's server and a tab of a real browser."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import LayerOptions
from streamer.overlay.server import routes
from streamer.types import Frame, Preview
from tests.support.cleared_frames import cleared, opened

WEB = Path(__file__).parents[2] / "web"
TOKEN = "token-for-tests"


@dataclass
class LiveServer:
    """uvicorn with the program's own flags, in the test's event loop; may be stopped and started on the same port."""

    hub: Hub = field(init=False)
    app: Starlette = field(init=False)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    port: int = 0
    server: uvicorn.Server | None = None
    running: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/overlay"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/overlay"

    def fresh(self, layers: Mapping[str, LayerOptions]) -> None:
        """Forget everything that was shown, as a newly started program would."""
        self.show(Hub(layers))

    def show(self, hub: Hub) -> None:
        self.hub = opened(hub)
        self.app = Starlette(routes=routes(hub, self.tokens.__contains__, WEB))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    async def start(self) -> None:
        config = uvicorn.Config(
            self, ws="websockets-sansio", ws_per_message_deflate=False, ws_max_size=65536, ws_ping_interval=10,
            ws_ping_timeout=10, lifespan="off", log_level="warning", timeout_graceful_shutdown=1,
        )  # fmt: skip
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self.server = uvicorn.Server(config)
        self.running = asyncio.create_task(self.server.serve([listener]))
        await self.until(lambda: self.server is not None and self.server.started)

    async def stop(self) -> None:
        if self.server is not None and self.running is not None:
            self.server.should_exit = True
            await self.running
            self.server = self.running = None

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until something becomes true; the test's own time-out ends it if it never does."""
        while not fact():
            await asyncio.sleep(0.005)


@dataclass
class Tab:
    """A browser source: the page, and whatever it has let escape."""

    page: Page
    site: LiveServer
    errors: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def open(self, query: str = "", token: str = TOKEN) -> None:
        await self.page.goto(f"{self.site.url}{query}#{token}")

    async def connected(self) -> None:
        await self.finds("html[data-connection=open]")
        await self.finds(".layer")

    async def shows(self, layer: str, request_id: str) -> None:
        """Wait until the layer shows a picture and nothing moves any more."""
        await self.finds(f"[data-layer={layer}][data-state=final][data-request='{request_id}']")
        await self.still()

    async def state(self, layer: str, state: str) -> None:
        await self.finds(f"[data-layer={layer}][data-state={state}]")

    async def handles(self, picture: Frame | Preview) -> None:
        """Publish a picture and wait until the page has handled it."""
        (mailbox,) = self.site.hub.pages.mailboxes()
        sent = mailbox.sent
        self.site.hub.publish(picture)
        await self.site.until(lambda: mailbox.sent > sent and mailbox.in_flight == 0)

    async def finds(self, selector: str) -> None:
        await self.until(f"document.querySelector({json.dumps(selector)}) !== null")

    async def misses(self, selector: str) -> None:
        await self.until(f"document.querySelector({json.dumps(selector)}) === null")

    async def text(self, selector: str) -> str:
        return str(await self.page.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def count(self, selector: str) -> int:
        return int(await self.page.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length"))

    async def still(self) -> None:
        await self.until("document.getAnimations().length === 0")

    async def until(self, fact: str) -> None:
        """Wait until a JavaScript expression is true.

        Playwright's own ways need an eval, which the page forbids, or an API that Chromium 103 lacks.
        """
        while not await self.page.evaluate(fact):
            await asyncio.sleep(0.01)

    async def shot(self) -> Image.Image:
        png = await self.page.screenshot(omit_background=True)
        return Image.open(io.BytesIO(png)).convert("RGBA")


def encoded(image: Image.Image, format_: str = "JPEG") -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **({"quality": 95, "subsampling": 0} if format_ == "JPEG" else {}))
    return out.getvalue()


def plain(
    request_id: str, colour: tuple[int, ...], layer: str = "background", size: tuple[int, int] = (640, 360)
) -> Frame:
    """A finished picture of one colour."""
    return cleared(Frame(request_id, layer, "image/jpeg", encoded(Image.new("RGB", size, colour[:3])), *size))


def tiny(request_id: str, colour: tuple[int, ...], layer: str = "background", step: int = 1) -> Preview:
    """A preview of one colour."""
    return Preview(request_id, layer, step, 4, "image/jpeg", encoded(Image.new("RGB", (32, 18), colour[:3])), 32, 18)
