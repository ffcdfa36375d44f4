"""The overlay's HTTP routes: the page for OBS, its modules, and the WebSocket that feeds it."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from streamer.overlay import wire
from streamer.overlay.assets import read_assets
from streamer.overlay.hub import Hub
from streamer.overlay.mailbox import Mailbox
from streamer.overlay.page_registry import ClientInfo

log = logging.getLogger(__name__)

HELLO_TIMEOUT_S = 5.0
TICK_S = 5.0
# Nobody can be watching a page that takes longer; it reconnects when it wakes up.
SEND_TIMEOUT_S = 20.0
MALFORMED_LIMIT = 20


class CloseCode(IntEnum):
    """Why the server closes a page's connection; docs/wire-protocol.md says what the page does then."""

    MALFORMED = 4400
    UNAUTHORISED = 4401
    WRONG_PROTOCOL = 4406
    TOO_SLOW = 4408
    NO_ROOM = 4429


# Inline style is allowed for OBS: it adds the streamer's "Custom CSS" to the page as a <style> element.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


def routes(
    hub: Hub,
    authorise: Callable[[str], bool],
    web_root: Path,
    enter: Callable[[WebSocket], bool] = lambda page: True,
) -> list[BaseRoute]:
    """Build the overlay's routes; ``web_root`` is the folder that holds ``overlay/`` and ``shared/``.

    ``enter`` is asked once a page has shown its token, and tells whether there is room for it.
    """
    assets = read_assets(web_root)

    async def page(request: Request) -> Response:
        headers = {"cache-control": "no-cache", "content-security-policy": _policy(request.headers.get("host", ""))}
        return Response(assets.page, media_type="text/html", headers=_HEADERS | headers)

    async def static(request: Request) -> Response:
        asset = assets.files.get(request.path_params["path"])
        if asset is None:
            return Response("there is no such file\n", 404, media_type="text/plain", headers=_HEADERS)
        current = request.path_params["version"] == assets.version
        caching = "public, max-age=31536000, immutable" if current else "no-store"
        return Response(asset.data, media_type=asset.media_type, headers=_HEADERS | {"cache-control": caching})

    async def socket(websocket: WebSocket) -> None:
        await _serve(websocket, hub, authorise, enter)

    return [
        Route("/overlay", page),
        Route("/overlay/static/{version}/{path:path}", static),
        WebSocketRoute("/ws/overlay", socket),
    ]


def _policy(host: str) -> str:
    # Named in addition to 'self', which does not include the WebSocket in every engine.
    sockets = f" ws://{host} wss://{host}" if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,255}", host) else ""
    return _POLICY.format(sockets=sockets)


async def _serve(
    websocket: WebSocket, hub: Hub, authorise: Callable[[str], bool], enter: Callable[[WebSocket], bool]
) -> None:
    """Feed one page from its hello until it leaves or is rejected."""
    await websocket.accept()
    try:
        hello = await _hello(websocket)
        if isinstance(hello, CloseCode):
            await websocket.close(hello)
        elif not authorise(hello.token):
            log.warning("overlay page refused: its token is invalid or was revoked")
            await websocket.close(CloseCode.UNAUTHORISED, "token")
        elif not enter(websocket):
            log.warning("overlay page refused: too many connections are open (server.limits.connections)")
            await websocket.close(CloseCode.NO_ROOM, "too many connections")
        else:
            await _feed(websocket, hub, hello, lambda: authorise(hello.token))
    except (WebSocketDisconnect, TimeoutError):
        # The page is gone, or so stuck that even the close frame cannot be sent.
        return


async def _hello(websocket: WebSocket) -> wire.Hello | CloseCode:
    """Wait for the page's first message; returns a close code if it is late or wrong."""
    try:
        message = wire.decode(await asyncio.wait_for(_receive(websocket), HELLO_TIMEOUT_S))
    except TimeoutError:
        return CloseCode.UNAUTHORISED
    if isinstance(message, wire.Hello):
        return message
    if isinstance(message, wire.Malformed) and message.wrong_protocol:
        log.warning("overlay page refused: %s; refresh the browser source", message.problem)
        return CloseCode.WRONG_PROTOCOL
    return CloseCode.MALFORMED


async def _feed(websocket: WebSocket, hub: Hub, hello: wire.Hello, allowed: Callable[[], bool]) -> None:
    """Run reader and writer until one of them ends; the other is then cancelled, whatever it waits for."""
    layers = None if hello.layers is None else frozenset(hello.layers)
    mailbox = hub.join(layers, _client_info(websocket, hello))
    reader = asyncio.create_task(_read(websocket, hub, mailbox), name=f"overlay-{mailbox.id}-reader")
    writer = asyncio.create_task(_write(websocket, hub, mailbox, allowed), name=f"overlay-{mailbox.id}-writer")
    try:
        done, _ = await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.pages.remove(mailbox)
        reader.cancel()
        writer.cancel()
        # A cancelled send on a stalled socket ends here, without waiting for the peer.
        results = await asyncio.gather(reader, writer, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            raise result
    code = next((task.result() for task in done if task.exception() is None), None)
    if code is not None and websocket.application_state is WebSocketState.CONNECTED:
        await asyncio.wait_for(websocket.close(code), TICK_S)


async def _read(websocket: WebSocket, hub: Hub, mailbox: Mailbox) -> CloseCode:
    """Read the page's messages; returns a close code after too many malformed ones."""
    while True:
        message = wire.decode(await _receive(websocket))
        if isinstance(message, wire.Painted):
            hub.pages.painted(mailbox, message, time.monotonic())
        elif isinstance(message, wire.VisibilityMessage):
            hub.pages.update_visibility(mailbox, visible=message.visible, active=message.active)
        elif isinstance(message, wire.Pong):
            mailbox.pong()
        else:
            mailbox.malformed += 1
            if mailbox.malformed >= MALFORMED_LIMIT:
                log.warning("overlay page %d closed after %d malformed messages", mailbox.id, mailbox.malformed)
                return CloseCode.MALFORMED


async def _write(websocket: WebSocket, hub: Hub, mailbox: Mailbox, allowed: Callable[[], bool]) -> CloseCode:
    """Send what the mailbox hands out; returns a close code once the page is too slow or its token was revoked."""
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
                if not allowed():  # its token was revoked meanwhile
                    return CloseCode.UNAUTHORISED
                await _send(websocket, wire.encode_ping())
                tick_at = now + TICK_S
            await _wait(ready, min(tick_at - now, mailbox.wait_s(now)))
    except TimeoutError:
        log.warning("overlay page %d accepted nothing for %.0f s: connection closed", mailbox.id, SEND_TIMEOUT_S)
    return CloseCode.TOO_SLOW


async def _wait(ready: asyncio.Event, seconds: float) -> None:
    """Wait for the event, ``seconds`` at most."""
    if not ready.is_set():
        timer = asyncio.get_running_loop().call_later(max(seconds, 0.001), ready.set)
        try:
            await ready.wait()
        finally:
            timer.cancel()


async def _send(websocket: WebSocket, message: bytes | str) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_S):
        if isinstance(message, bytes):
            await websocket.send_bytes(message)
        else:
            await websocket.send_text(message)


async def _receive(websocket: WebSocket) -> str | bytes | None:
    """Read one message; raises WebSocketDisconnect when the page is gone."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1005)
    text: str | None = message.get("text")
    return text if text is not None else message.get("bytes")


def _client_info(websocket: WebSocket, hello: wire.Hello) -> ClientInfo:
    """Read the versions of OBS and the engine from the user agent: "... Chrome/127.0.6533.120 OBS/31.0.2 ..."."""
    agent = websocket.headers.get("user-agent", "")
    obs = re.search(r"OBS/([\w.]{1,20})", agent)
    engine = re.search(r"(?:Headless)?(Chrome|Firefox|Version)/(\d{1,4})", agent)
    return ClientInfo(
        obs=obs.group(1) if obs else "",
        engine=f"{engine.group(1)} {engine.group(2)}" if engine else "",
        visible=hello.visible,
        active=hello.active,
    )
