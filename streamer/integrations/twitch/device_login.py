"""Logs in without a browser on this machine and without a client secret: the device code grant for public clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import httpx

from streamer.errors import ConfigError, LoginError, TwitchError
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.http import body_of, call, error_of
from streamer.integrations.twitch.token_file import TokenPair
from streamer.integrations.twitch.tokens import with_new_tokens

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REGISTER = "register a Public application at https://dev.twitch.tv/console/apps and write its id there (docs/twitch.md)"


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """The person opens ``url`` in any browser and confirms ``code``; ``expires_at`` is in time.monotonic() seconds."""

    url: str
    code: str
    device_code: str = field(repr=False)
    interval_s: float
    expires_at: float


async def request_code(settings: TwitchConfig, http: httpx.AsyncClient, scopes: Collection[str]) -> DeviceCode:
    """Request a code that a person can confirm."""
    if not settings.client_id:
        raise ConfigError("twitch.client_id", "is empty", fix=REGISTER)
    form = {"client_id": settings.client_id, "scopes": " ".join(sorted(scopes))}
    response = await call(http, "POST", f"{settings.id_url}/device", form=form)
    body = body_of(response)
    if not response.is_success or "device_code" not in body:
        error = error_of(response)
        if error.status in (400, 403):
            raise ConfigError("twitch.client_id", f"Twitch refuses this client ID: {error.problem}", fix=REGISTER)
        raise error
    return DeviceCode(
        str(body["verification_uri"]), str(body["user_code"]), str(body["device_code"]),
        float(body.get("interval", 5)), time.monotonic() + float(body.get("expires_in", 1800)),
    )  # fmt: skip


async def poll(
    settings: TwitchConfig, http: httpx.AsyncClient, scopes: Collection[str], code: DeviceCode,
    clock: Callable[[], float] = time.monotonic,
) -> TokenPair:  # fmt: skip
    """Poll until a person has confirmed the code; LoginError when they refused or the code has expired."""
    form = {
        "client_id": settings.client_id, "scopes": " ".join(sorted(scopes)),
        "device_code": code.device_code, "grant_type": GRANT,
    }  # fmt: skip
    interval_s = code.interval_s
    while clock() < code.expires_at:
        await asyncio.sleep(interval_s)
        try:
            response = await call(http, "POST", f"{settings.id_url}/token", form=form)
        except TwitchError:
            continue  # the code stays valid while the network is away
        if response.is_success:
            return with_new_tokens(TokenPair(settings.client_id, "", ""), body_of(response))
        interval_s += _extra_interval_s(str(body_of(response).get("message", "")).lower(), response.status_code)
    raise LoginError("the code was not confirmed in time; run: streamer login twitch")


def _extra_interval_s(problem: str, status: int) -> float:
    """Return the seconds to add to the polling interval; LoginError when polling again cannot succeed."""
    if "authorization_pending" in problem or status >= 500:
        return 0.0
    if "slow_down" in problem or status == 429:
        return 5.0
    if "denied" in problem:
        raise LoginError("the login was refused in the browser")
    if "expired" in problem or "invalid device code" in problem:
        raise LoginError("the code is no longer valid; run: streamer login twitch")
    raise LoginError(f"Twitch refuses the login: {problem or status}")
