"""The control panel: its page, and the socket that keeps it up to date."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.responses import FileResponse, Response

from streamer import __version__
from streamer.api import schemas
from streamer.api.auth import TokenRole
from streamer.api.connection_guard import vouch
from streamer.api.dependencies import ApiContext, Context
from streamer.api.sockets import BAD_TOKEN, first_token, read_until_closed
from streamer.pipeline.status import status

POLL_EVERY_S = 0.2
REPEAT_EVERY_S = 5.0
"""The page takes a connection for dead after 15 s of silence."""
ASSETS = (".js", ".css", ".svg")

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

router = APIRouter()


@router.get("/", include_in_schema=False)
async def page(context: Context) -> Response:
    """Return the page."""
    return FileResponse(context.web / "panel" / "index.html", headers=HEADERS)


@router.get("/panel/{name}", include_in_schema=False)
async def asset(name: str, context: Context) -> Response:
    """Return a script, style sheet or image of the page."""
    return _serve(context.web / "panel", name)


@router.get("/shared/{name}", include_in_schema=False)
async def shared_asset(name: str, context: Context) -> Response:
    """Return a script that the panel shares with the overlay."""
    return _serve(context.web / "shared", name)


def _serve(folder: Path, name: str) -> Response:
    path = _assets(folder).get(name)
    return Response(status_code=404) if path is None else FileResponse(path, headers=HEADERS)


@cache
def _assets(folder: Path) -> Mapping[str, Path]:
    """List what may be fetched: a name that a caller sends is looked up, and never joined to a path."""
    return {path.name: path for path in folder.iterdir() if path.suffix in ASSETS}


@router.websocket("/ws/panel")
async def socket(page: WebSocket, context: Context) -> None:
    """Send the status to a page that shows a moderator's token."""
    await page.accept()
    with contextlib.suppress(WebSocketDisconnect):
        token = await first_token(page)
        if context.tokens.opens(token, TokenRole.MODERATOR):
            vouch(page, TokenRole.MODERATOR)
            await _send_changes(page, context, token)
        else:
            await page.close(BAD_TOKEN, "send {\"token\": ...} with a moderator's or operator's token first")


async def _send_changes(page: WebSocket, context: ApiContext, token: str) -> None:
    """Send the status whenever it changes, and every few seconds, until the page closes or its token is revoked.

    A reader runs beside it, so that a closed page ends the loop at once.
    """
    show = context.channel.show
    reader = asyncio.create_task(read_until_closed(page), name="panel-reader")
    sent_version, sent_at = -1, 0.0
    try:
        while not reader.done():
            if not context.tokens.opens(token, TokenRole.MODERATOR):
                await page.close(BAD_TOKEN, "this token has been revoked")
                return
            now = time.monotonic()
            if show.publisher.version != sent_version or now - sent_at >= REPEAT_EVERY_S:
                sent_version, sent_at = show.publisher.version, now
                await page.send_text(schemas.status(status(show), __version__, show.shown_actor).model_dump_json())
            await asyncio.wait({reader}, timeout=POLL_EVERY_S)
    finally:
        reader.cancel()
