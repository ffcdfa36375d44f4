"""What the WebSockets of the HTTP API share: the token in the first message, and a reader beside the writer."""

from __future__ import annotations

import asyncio
import json

from fastapi import WebSocket

TOKEN_WITHIN_S = 5.0
BAD_TOKEN = 4401
"""The close code of a socket whose client showed no valid token."""


async def first_token(page: WebSocket) -> str:
    """Wait for the first message and return the token in it, or an empty string."""
    try:
        first = await asyncio.wait_for(page.receive_text(), TOKEN_WITHIN_S)
        token = json.loads(first)["token"]
    except (TimeoutError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return token if isinstance(token, str) else ""


async def read_until_closed(page: WebSocket) -> None:
    """Read and drop what a client sends, so that its leaving ends whatever is sent to it at once."""
    while (await page.receive())["type"] != "websocket.disconnect":
        pass
