"""Calls Twitch's API: renews the token once on 401, keeps to the announced rate limit, retries after short faults."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx

from streamer.errors import MissingScope, TwitchError
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.http import QueryParams, body_of, call, error_of
from streamer.integrations.twitch.tokens import TokenProvider

log = logging.getLogger(__name__)

RETRY_PAUSES_S = (0.5, 1.5, 4.0)
LONGEST_PAUSE_S = 60.0
TOO_MANY_REQUESTS = 429
# Only a request that Twitch did not process may be sent again; after other faults a POST may have had its effect.
NOT_PROCESSED = (TOO_MANY_REQUESTS, 503)
TRANSIENT = (0, 500, 502, 503, 504)


class Helix:
    """The API on behalf of the account that is logged in; errors are TwitchError with status and message."""

    def __init__(
        self,
        settings: TwitchConfig,
        tokens: TokenProvider,
        http: httpx.AsyncClient,
        pauses_s: tuple[float, ...] = RETRY_PAUSES_S,
    ) -> None:
        self._settings, self._tokens, self._http, self._pauses_s = settings, tokens, http, pauses_s
        self._blocked_until = 0.0

    async def get(self, path: str, params: QueryParams | None = None) -> dict[str, Any]:
        """Read a resource."""
        return await self._request("GET", path, params, None)

    async def post(self, path: str, params: QueryParams | None = None, json: object = None) -> dict[str, Any]:
        """Create a resource; not retried after a fault in the middle, since it may have had its effect."""
        return await self._request("POST", path, params, json)

    async def patch(self, path: str, params: QueryParams | None = None, json: object = None) -> dict[str, Any]:
        """Change a resource."""
        return await self._request("PATCH", path, params, json)

    async def delete(self, path: str, params: QueryParams | None = None) -> dict[str, Any]:
        """Delete a resource."""
        return await self._request("DELETE", path, params, None)

    async def pages(self, path: str, params: QueryParams) -> AsyncIterator[dict[str, Any]]:
        """Yield every item of a paginated list."""
        page: QueryParams = params
        while True:
            body = await self.get(path, page)
            for item in body.get("data", ()):
                yield item
            cursor = (body.get("pagination") or {}).get("cursor")
            if not cursor:
                return
            page = {**params, "after": cursor}

    async def _request(self, method: str, path: str, params: QueryParams | None, json: object) -> dict[str, Any]:
        for pause_s in (*self._pauses_s, None):
            try:
                return await self._send_authorised(method, path, params, json)
            except TwitchError as error:
                retryable = NOT_PROCESSED if method == "POST" else (TOO_MANY_REQUESTS, *TRANSIENT)
                if pause_s is None or error.status not in retryable:
                    raise
                log.info("twitch: %s %s: %s; trying again", method, path, error)
                if error.status != TOO_MANY_REQUESTS:
                    await asyncio.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    async def _send_authorised(
        self, method: str, path: str, params: QueryParams | None, json: object
    ) -> dict[str, Any]:
        access = await self._tokens.access()
        response = await self._send(method, path, params, json, access.token)
        if response.status_code == 401 and "missing scope" not in response.text.lower():
            access = await self._tokens.refresh(access.token)
            response = await self._send(method, path, params, json, access.token)
        if response.is_success:
            return body_of(response)
        error = error_of(response)
        if "missing scope" in error.problem.lower() or "missing required scope" in error.problem.lower():
            raise MissingScope(error.status, error.problem, error.body)
        raise error

    async def _send(
        self, method: str, path: str, params: QueryParams | None, json: object, token: str
    ) -> httpx.Response:
        await asyncio.sleep(max(0.0, self._blocked_until - time.monotonic()))
        headers = {"authorization": f"Bearer {token}", "client-id": self._settings.client_id}
        url = f"{self._settings.helix_url}/{path.lstrip('/')}"
        response = await call(self._http, method, url, headers=headers, params=params, json=json)
        if (wait_s := pause_of(response, time.time())) > 0:
            self._blocked_until = time.monotonic() + wait_s
        return response


def pause_of(response: httpx.Response, now: float) -> float:
    """Return how many seconds to wait while Twitch's bucket is empty; ``now`` is in seconds since the epoch."""
    if response.status_code != TOO_MANY_REQUESTS and response.headers.get("ratelimit-remaining") != "0":
        return 0.0
    try:
        wait_s = float(response.headers["ratelimit-reset"]) - now
    except (KeyError, ValueError):
        wait_s = 1.0
    return min(max(wait_s, 0.1), LONGEST_PAUSE_S)
