"""The control panel: its page, and the socket that keeps it up to date."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.responses import FileResponse, Response

from streamer import __version__
from streamer.api import schemas
from streamer.api.auth import TokenRole, TokenTable
from streamer.pipeline.status import ControlApi

LOOK_EVERY_S = 0.2
HELLO_WITHIN_S = 5.0
BAD_TOKEN = 4401

HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
        " frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}


def router(desk: ControlApi, tokens: TokenTable, web_root: Path) -> APIRouter:
    """Build the page at / and the socket at /ws/panel."""
    routes = APIRouter()
    files = {path.name: path for path in (web_root / "panel").iterdir() if path.suffix in (".js", ".css", ".svg")}

    @routes.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(web_root / "panel" / "index.html", headers=HEADERS)

    @routes.get("/panel/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name not in files:
            return Response(status_code=404)
        return FileResponse(files[name], headers=HEADERS)

    @routes.websocket("/ws/panel")
    async def socket(page: WebSocket) -> None:
        await page.accept()
        with contextlib.suppress(WebSocketDisconnect):
            token = await _token(page)
            if tokens.opens(token, TokenRole.MODERATOR):
                await _serve(page, desk, lambda: tokens.opens(token, TokenRole.MODERATOR))
            else:
                await page.close(BAD_TOKEN, "send {\"token\": ...} with a moderator's or operator's token first")

    return routes


async def _token(page: WebSocket) -> str:
    """Wait for the first message and return the token in it, or an empty string."""
    try:
        first = await asyncio.wait_for(page.receive_text(), HELLO_WITHIN_S)
        token = json.loads(first)["token"]
    except (TimeoutError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return token if isinstance(token, str) else ""


async def _serve(page: WebSocket, desk: ControlApi, allowed: Callable[[], bool]) -> None:
    """Send the desk's state whenever it changed; a reader stands beside so that a closed page ends this at once.

    A page whose token is taken back meanwhile is sent away.
    """
    reader = asyncio.create_task(_read_until_closed(page), name="panel-reader")
    seen = -1
    try:
        while not reader.done():
            if not allowed():
                await page.close(BAD_TOKEN, "this token has been taken back")
                return
            if desk.version != seen:
                seen = desk.version
                await page.send_text(schemas.status(desk.state(), __version__).model_dump_json())
            await asyncio.wait({reader}, timeout=LOOK_EVERY_S)
    finally:
        reader.cancel()


async def _read_until_closed(page: WebSocket) -> None:
    while (await page.receive())["type"] != "websocket.disconnect":
        pass
