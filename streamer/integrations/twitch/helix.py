"""Calls Twitch's API: renews the token once on 401, keeps to the rate that Twitch announces, waits out short faults."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx

from streamer.errors import MissingScope, TwitchError
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.http import Values, body_of, call, fault
from streamer.integrations.twitch.tokens import TokenProvider

log = logging.getLogger(__name__)

PAUSES_S = (0.5, 1.5, 4.0)
LONGEST_PAUSE_S = 60.0
FULL = 429
# What Twitch did not take may be sent again; after any other fault a POST may have been done already.
NOT_TAKEN = (FULL, 503)
BROKEN = (0, 500, 502, 503, 504)


class Helix:
    """The API in the name of the account that is logged in; a refusal is a TwitchError with status and message."""

    def __init__(
        self,
        settings: TwitchConfig,
        tokens: TokenProvider,
        http: httpx.AsyncClient,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self._settings, self._tokens, self._http, self._pauses_s = settings, tokens, http, pauses_s
        self._free_at = 0.0

    async def get(self, path: str, params: Values | None = None) -> dict[str, Any]:
        """Read."""
        return await self._ask("GET", path, params, None)

    async def post(self, path: str, params: Values | None = None, json: object = None) -> dict[str, Any]:
        """Create; after a fault in the middle it is not repeated, since it may have been done."""
        return await self._ask("POST", path, params, json)

    async def patch(self, path: str, params: Values | None = None, json: object = None) -> dict[str, Any]:
        """Change."""
        return await self._ask("PATCH", path, params, json)

    async def delete(self, path: str, params: Values | None = None) -> dict[str, Any]:
        """Remove."""
        return await self._ask("DELETE", path, params, None)

    async def pages(self, path: str, params: Values) -> AsyncIterator[dict[str, Any]]:
        """Yield every item of a list that comes in pages."""
        more: Values = params
        while True:
            body = await self.get(path, more)
            for item in body.get("data", ()):
                yield item
            cursor = (body.get("pagination") or {}).get("cursor")
            if not cursor:
                return
            more = {**params, "after": cursor}

    async def _ask(self, method: str, path: str, params: Values | None, json: object) -> dict[str, Any]:
        for pause_s in (*self._pauses_s, None):
            try:
                return await self._authorised(method, path, params, json)
            except TwitchError as error:
                again = NOT_TAKEN if method == "POST" else (FULL, *BROKEN)
                if pause_s is None or error.status not in again:
                    raise
                log.info("twitch: %s %s: %s; trying again", method, path, error)
                if error.status != FULL:
                    await asyncio.sleep(pause_s)
        raise AssertionError("the last turn returns or raises")

    async def _authorised(self, method: str, path: str, params: Values | None, json: object) -> dict[str, Any]:
        access = await self._tokens.access()
        answer = await self._send(method, path, params, json, access.token)
        if answer.status_code == 401 and "missing scope" not in answer.text.lower():
            access = await self._tokens.refresh(access.token)
            answer = await self._send(method, path, params, json, access.token)
        if answer.is_success:
            return body_of(answer)
        error = fault(answer)
        if "missing scope" in error.problem.lower() or "missing required scope" in error.problem.lower():
            raise MissingScope(error.status, error.problem, error.body)
        raise error

    async def _send(self, method: str, path: str, params: Values | None, json: object, token: str) -> httpx.Response:
        await asyncio.sleep(max(0.0, self._free_at - time.monotonic()))
        headers = {"authorization": f"Bearer {token}", "client-id": self._settings.client_id}
        url = f"{self._settings.helix_url}/{path.lstrip('/')}"
        answer = await call(self._http, method, url, headers=headers, params=params, json=json)
        if (wait_s := pause_of(answer, time.time())) > 0:
            self._free_at = time.monotonic() + wait_s
        return answer


def pause_of(answer: httpx.Response, now: float) -> float:
    """Say how many seconds to stay silent: while Twitch's bucket is empty; ``now`` is seconds since the epoch."""
    if answer.status_code != FULL and answer.headers.get("ratelimit-remaining") != "0":
        return 0.0
    try:
        wait_s = float(answer.headers["ratelimit-reset"]) - now
    except (KeyError, ValueError):
        wait_s = 1.0
    return min(max(wait_s, 0.1), LONGEST_PAUSE_S)
