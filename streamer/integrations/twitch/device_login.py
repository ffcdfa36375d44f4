"""Logs in without a browser on this machine and without a secret: the device code grant for public clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import httpx

from streamer.errors import ConfigError, LoginError, TwitchError
from streamer.integrations.twitch.config import TwitchConfig
from streamer.integrations.twitch.http import body_of, call, fault
from streamer.integrations.twitch.token_file import TokenPair
from streamer.integrations.twitch.tokens import renewed

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REGISTER = "register a Public application at https://dev.twitch.tv/console/apps and write its id there (docs/twitch.md)"


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What to show: open ``url`` in any browser and confirm ``code``; ``expires_at`` is time.monotonic() seconds."""

    url: str
    code: str
    device_code: str = field(repr=False)
    interval_s: float
    expires_at: float


async def request_code(settings: TwitchConfig, http: httpx.AsyncClient, scopes: Collection[str]) -> DeviceCode:
    """Ask Twitch for a code that a person can confirm."""
    if not settings.client_id:
        raise ConfigError("twitch.client_id", "is empty", fix=REGISTER)
    form = {"client_id": settings.client_id, "scopes": " ".join(sorted(scopes))}
    answer = await call(http, "POST", f"{settings.id_url}/device", form=form)
    body = body_of(answer)
    if not answer.is_success or "device_code" not in body:
        error = fault(answer)
        if error.status in (400, 403):
            raise ConfigError("twitch.client_id", f"Twitch refuses it: {error.problem}", fix=REGISTER)
        raise error
    return DeviceCode(
        str(body["verification_uri"]), str(body["user_code"]), str(body["device_code"]),
        float(body.get("interval", 5)), time.monotonic() + float(body.get("expires_in", 1800)),
    )  # fmt: skip


async def poll(
    settings: TwitchConfig, http: httpx.AsyncClient, scopes: Collection[str], invitation: DeviceCode,
    clock: Callable[[], float] = time.monotonic,
) -> TokenPair:  # fmt: skip
    """Ask until somebody has confirmed; LoginError when they refused or the code is too old."""
    form = {
        "client_id": settings.client_id, "scopes": " ".join(sorted(scopes)),
        "device_code": invitation.device_code, "grant_type": GRANT,
    }  # fmt: skip
    interval_s = invitation.interval_s
    while clock() < invitation.expires_at:
        await asyncio.sleep(interval_s)
        try:
            answer = await call(http, "POST", f"{settings.id_url}/token", form=form)
        except TwitchError:
            continue  # A network that comes and goes costs one question; the code stays good.
        if answer.is_success:
            return renewed(TokenPair(settings.client_id, "", ""), body_of(answer))
        interval_s += _slower_by(str(body_of(answer).get("message", "")).lower(), answer.status_code)
    raise LoginError("the code was not confirmed in time; run: streamer login twitch")


def _slower_by(said: str, status: int) -> float:
    """Say how much longer to wait between two questions; LoginError when asking again is of no use."""
    if "authorization_pending" in said or status >= 500:
        return 0.0
    if "slow_down" in said or status == 429:
        return 5.0
    if "denied" in said:
        raise LoginError("the login was refused in the browser")
    if "expired" in said or "invalid device code" in said:
        raise LoginError("the code is no longer good; run: streamer login twitch")
    raise LoginError(f"Twitch refuses the login: {said or status}")
