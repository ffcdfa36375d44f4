"""What the command line asks of the running program."""

from __future__ import annotations

from urllib.parse import quote

import httpx

from streamer.errors import ApiError

FORGET_WITHIN_S = 600.0
"""The running program answers only when the pictures in the streamer's folders are deleted, too."""


async def forget(url: str, token: str, user_id: str) -> int | None:
    """Let the running program forget somebody, since it knows more than the disk; None when none runs at ``url``.

    Returns the number of requests. Raises ApiError when something else answers there.
    """
    address = f"{url}/api/v1/people/{quote(user_id, safe='')}"
    try:
        async with httpx.AsyncClient(timeout=httpx.Timeout(FORGET_WITHIN_S, connect=10)) as client:
            answer = await client.delete(address, headers={"authorization": f"Bearer {token}"})
    except httpx.TransportError:
        return None
    if answer.status_code != 200:
        raise ApiError(url, answer.status_code)
    return int(answer.json()["requests"])
