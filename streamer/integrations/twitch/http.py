"""One HTTP call to Twitch: returns a response of any status, or raises TwitchError when there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, Field

from streamer.errors import TwitchError, in_words
from streamer.integrations import network

TIMEOUT_S = 10.0

HttpAddress = Annotated[str, Field(pattern=r"^https?://[^\s]+$"), AfterValidator(lambda url: url.rstrip("/"))]

QueryParams = Mapping[str, str | Sequence[str]]


def client() -> httpx.AsyncClient:
    """Create the client that all calls of one account share."""
    return network.http_client(TIMEOUT_S, {"user-agent": "streamer"})


async def call(
    http: httpx.AsyncClient, method: str, url: str, *, headers: Mapping[str, str] | None = None,
    params: QueryParams | None = None, form: Mapping[str, str] | None = None, json: object = None,
) -> httpx.Response:  # fmt: skip
    """Send one request; a network fault raises TwitchError with status 0."""
    try:
        return await http.request(method, url, headers=headers, params=params, data=form, json=json)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise TwitchError(0, f"cannot be reached: {in_words(error)}") from error


def body_of(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of a response; empty when the body is something else, such as a proxy's error page."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def error_of(response: httpx.Response) -> TwitchError:
    """Build the error of an unsuccessful response."""
    body = body_of(response)
    return TwitchError(response.status_code, str(body.get("message") or response.reason_phrase), body)
