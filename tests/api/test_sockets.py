"""The first message of a socket is its token; what comes later is read and dropped."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from streamer.api.sockets import first_token, read_until_closed


async def opened(*messages: Message) -> WebSocket:
    """Accept a socket on which these messages come."""
    left: list[Message] = [{"type": "websocket.connect"}, *messages]

    async def receive() -> Message:
        return left.pop(0) if left else await asyncio.Future()

    async def send(message: Message) -> None: ...

    page = WebSocket({"type": "websocket", "headers": [], "path": "/"}, receive, send)
    await page.accept()
    return page


@pytest.mark.parametrize(
    ("text", "token"),
    [('{"token": "abc"}', "abc"), ("{}", ""), ("[]", ""), ('{"token": 5}', ""), ("no", ""), ("[" * 9000, "")],
)
async def test_the_token_is_a_text_in_a_json_object_or_there_is_none(text: str, token: str) -> None:
    assert await first_token(await opened({"type": "websocket.receive", "text": text})) == token


async def test_a_client_that_leaves_ends_the_reading_and_nothing_else_does() -> None:
    chatter: Message = {"type": "websocket.receive", "text": "x"}
    reading = asyncio.create_task(read_until_closed(await opened(chatter, chatter)))
    done, _ = await asyncio.wait({reading}, timeout=0)
    assert not done
    reading.cancel()
    left: Message = {"type": "websocket.disconnect", "code": 1000}
    await asyncio.wait_for(read_until_closed(await opened(chatter, left)), 5)
