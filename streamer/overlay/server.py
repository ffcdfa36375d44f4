"""The overlay's face on the network: the browser-source page, its modules, and the socket that feeds it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from streamer.overlay import wire
from streamer.overlay.hub import ClientInfo, Hub
from streamer.overlay.mailbox import Mailbox

log = logging.getLogger(__name__)

HELLO_WITHIN_S = 5.0
TICK_S = 5.0
# A send that takes longer feeds a page nobody can be watching; it reconnects when it wakes up.
SEND_WITHIN_S = 20.0
GARBAGE_LIMIT = 20

MALFORMED, UNAUTHORISED, WRONG_PROTOCOL, TOO_SLOW = 4400, 4401, 4406, 4408

MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}

# Inline style is let in for OBS: it adds the streamer's "Custom CSS" to the page as a <style> element.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class _Assets:
    """The page and its modules, read once; ``version`` is a digest of all of them."""

    version: str
    page: str
    files: Mapping[str, tuple[str, bytes]]


def routes(hub: Hub, authorise: Callable[[str], bool], web_root: Path) -> list[BaseRoute]:
    """Build the overlay's routes; ``web_root`` is the folder that holds ``overlay/``."""
    assets = _read_assets(web_root / "overlay")

    async def page(request: Request) -> Response:
        headers = {"cache-control": "no-cache", "content-security-policy": _policy(request.headers.get("host", ""))}
        return Response(assets.page, media_type="text/html", headers=_HEADERS | headers)

    async def static(request: Request) -> Response:
        found = assets.files.get(request.path_params["path"])
        if found is None:
            return Response("there is no such file\n", 404, media_type="text/plain", headers=_HEADERS)
        current = request.path_params["version"] == assets.version
        caching = "public, max-age=31536000, immutable" if current else "no-store"
        return Response(found[1], media_type=found[0], headers=_HEADERS | {"cache-control": caching})

    async def socket(websocket: WebSocket) -> None:
        await _serve(websocket, hub, authorise)

    return [
        Route("/overlay", page),
        Route("/overlay/static/{version}/{path:path}", static),
        WebSocketRoute("/ws/overlay", socket),
    ]


def _read_assets(root: Path) -> _Assets:
    """Read every file that may be served; a request can only ever name one of these."""
    files = {
        path.relative_to(root).as_posix(): (MEDIA_TYPES[path.suffix], path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.suffix in MEDIA_TYPES and path.is_file() and not path.is_symlink()
    }
    digest = hashlib.sha256()
    for name, (_, data) in files.items():
        digest.update(b"%d %s %d\n" % (len(name), name.encode(), len(data)) + data)
    version = digest.hexdigest()[:16]
    # Named in the page itself, so that the modules arrive together and not one round trip after the other.
    modules = (name for name in files if name.endswith(".js"))
    preloads = "\n".join(f'<link rel="modulepreload" href="overlay/static/{version}/{name}">' for name in modules)
    page = (root / "index.html").read_text(encoding="utf-8")
    return _Assets(version, page.replace("{version}", version).replace("{preloads}", preloads), files)


def _policy(host: str) -> str:
    # Named besides 'self', which not every engine takes to mean the socket as well.
    sockets = f" ws://{host} wss://{host}" if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,255}", host) else ""
    return _POLICY.format(sockets=sockets)


async def _serve(websocket: WebSocket, hub: Hub, authorise: Callable[[str], bool]) -> None:
    """Feed one page from its hello until it goes, or is sent away."""
    await websocket.accept()
    try:
        hello = await _hello(websocket)
        if isinstance(hello, int):
            await websocket.close(hello)
        elif not authorise(hello.token):
            log.warning("overlay page refused: its token is not valid (any more)")
            await websocket.close(UNAUTHORISED, "token")
        else:
            await _feed(websocket, hub, hello, lambda: authorise(hello.token))
    except (WebSocketDisconnect, TimeoutError):
        # Gone, or so stuck that even the close frame cannot be sent: there is nobody left to tell.
        return


async def _hello(websocket: WebSocket) -> wire.Hello | int:
    """Wait for the page's first message; a close code if it is late or wrong."""
    try:
        message = wire.decode(await asyncio.wait_for(_receive(websocket), HELLO_WITHIN_S))
    except TimeoutError:
        return UNAUTHORISED
    if isinstance(message, wire.Hello):
        return message
    if isinstance(message, wire.Malformed) and message.protocol:
        log.warning("overlay page refused: %s; refresh the browser source", message.problem)
        return WRONG_PROTOCOL
    return MALFORMED


async def _feed(websocket: WebSocket, hub: Hub, hello: wire.Hello, allowed: Callable[[], bool]) -> None:
    """Run reader and writer until one of them ends; the other is then cancelled, whatever it waits for."""
    layers = None if hello.layers is None else frozenset(hello.layers)
    mailbox = hub.join(layers, _about(websocket, hello))
    reader = asyncio.create_task(_read(websocket, hub, mailbox), name=f"overlay-{mailbox.id}-reader")
    writer = asyncio.create_task(_write(websocket, hub, mailbox, allowed), name=f"overlay-{mailbox.id}-writer")
    try:
        done, _ = await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.leave(mailbox)
        reader.cancel()
        writer.cancel()
        # A cancelled send on a stalled socket ends here and not at the mercy of the peer.
        results = await asyncio.gather(reader, writer, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            raise result
    code = next((task.result() for task in done if task.exception() is None), None)
    if code is not None and websocket.application_state is WebSocketState.CONNECTED:
        await asyncio.wait_for(websocket.close(code), TICK_S)


async def _read(websocket: WebSocket, hub: Hub, mailbox: Mailbox) -> int:
    """Take the page's answers; returns the close code once it has sent too much that nobody understands."""
    while True:
        message = wire.decode(await _receive(websocket))
        if isinstance(message, wire.Painted):
            hub.painted(mailbox, message, time.monotonic())
        elif isinstance(message, wire.LayerStateMessage):
            hub.seen(mailbox, visible=message.visible, active=message.active)
        elif isinstance(message, wire.Pong):
            mailbox.pong()
        else:
            mailbox.garbage += 1
            if mailbox.garbage >= GARBAGE_LIMIT:
                log.warning("overlay page %d sent away after %d unreadable messages", mailbox.id, mailbox.garbage)
                return MALFORMED


async def _write(websocket: WebSocket, hub: Hub, mailbox: Mailbox, allowed: Callable[[], bool]) -> int:
    """Send whatever the mailbox hands out; returns the close code once the page is too far behind or locked out."""
    ready = asyncio.Event()
    mailbox.wake = ready.set
    tick_at = time.monotonic() + TICK_S
    try:
        await _send(websocket, wire.encode_hello(hub.epoch, TICK_S))
        await _send(websocket, wire.encode_layers(hub.layers))
        while not mailbox.overflowed:
            ready.clear()
            while (message := mailbox.take(time.monotonic())) is not None:
                await _send(websocket, message)
            now = time.monotonic()
            if now >= tick_at:
                if not allowed():  # its token was taken back meanwhile
                    return UNAUTHORISED
                await _send(websocket, wire.encode_ping())
                tick_at = now + TICK_S
            await _either(ready, min(tick_at - now, mailbox.wait_s(now)))
    except TimeoutError:
        log.warning("overlay page %d took nothing for %.0f s: connection given up", mailbox.id, SEND_WITHIN_S)
    return TOO_SLOW


async def _either(ready: asyncio.Event, seconds: float) -> None:
    """Wait for the event or for the time to pass, whichever comes first."""
    if not ready.is_set():
        timer = asyncio.get_running_loop().call_later(max(seconds, 0.001), ready.set)
        try:
            await ready.wait()
        finally:
            timer.cancel()


async def _send(websocket: WebSocket, message: bytes | str) -> None:
    async with asyncio.timeout(SEND_WITHIN_S):
        if isinstance(message, bytes):
            await websocket.send_bytes(message)
        else:
            await websocket.send_text(message)


async def _receive(websocket: WebSocket) -> str | bytes | None:
    """Read one message; WebSocketDisconnect when the page has gone."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1005)
    text: str | None = message.get("text")
    return text if text is not None else message.get("bytes")


def _about(websocket: WebSocket, hello: wire.Hello) -> ClientInfo:
    """Read OBS and engine out of the user agent: "... Chrome/127.0.6533.120 OBS/31.0.2 ..."."""
    agent = websocket.headers.get("user-agent", "")
    obs = re.search(r"OBS/([\w.]{1,20})", agent)
    engine = re.search(r"(?:Headless)?(Chrome|Firefox|Version)/(\d{1,4})", agent)
    return ClientInfo(
        obs=obs.group(1) if obs else "",
        engine=f"{engine.group(1)} {engine.group(2)}" if engine else "",
        visible=hello.visible,
        active=hello.active,
    )
