"""One HTTP call to Twitch: an answer of any status, or TwitchError when there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator, Field

from streamer.errors import TwitchError, in_words

TIMEOUT_S = 10.0

HttpAddress = Annotated[str, Field(pattern=r"^https?://[^\s]+$"), AfterValidator(lambda url: url.rstrip("/"))]

Values = Mapping[str, str | Sequence[str]]


def client() -> httpx.AsyncClient:
    """Make the client that all calls of one account share."""
    return httpx.AsyncClient(timeout=TIMEOUT_S, headers={"user-agent": "streamer"})


async def call(
    http: httpx.AsyncClient, method: str, url: str, *, headers: Mapping[str, str] | None = None,
    params: Values | None = None, form: Mapping[str, str] | None = None, json: object = None,
) -> httpx.Response:  # fmt: skip
    """Send one request; a network fault is a TwitchError of status 0."""
    try:
        return await http.request(method, url, headers=headers, params=params, data=form, json=json)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise TwitchError(0, f"cannot be reached: {in_words(error)}") from error


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer; empty when it is none, as proxies and 5xx pages are."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def fault(answer: httpx.Response) -> TwitchError:
    """Build the error of an answer that is not a success."""
    body = body_of(answer)
    return TwitchError(answer.status_code, str(body.get("message") or answer.reason_phrase), body)
