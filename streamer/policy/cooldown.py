"""Spaces requests out, per viewer and over all of chat: the limiter that protects everything behind it.

Passing costs the token whatever becomes of the request later; a viewer whose text the filter refuses has used the
turn all the same, or the filter could be flooded for free. The decision is taken at the moment of asking
(crowbartools/Firebot#2889). Only chat is held: the streamer never, and what was paid for has its own limits at the
platform.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat

from streamer.types import ImageRequest, Lane, Refusal, Role

RoleName = Literal["viewer", "follower", "subscriber", "vip", "moderator", "broadcaster"]

_TABLE_LIMIT = 50_000
_SHARES: dict[RoleName, float] = {"viewer": 1.0, "subscriber": 0.5, "vip": 1 / 3, "moderator": 0.0, "broadcaster": 0.0}


class Options(BaseModel):
    """How long to wait, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    user_s: NonNegativeFloat | dict[RoleName, NonNegativeFloat] = Field(
        30.0,
        description="wait of one viewer between two requests: one number (subscribers wait half of it, VIPs a third, "
        "moderators nothing), or seconds per role (a role left out waits as the one below it, moderators nothing)",
    )
    everyone_s: float = Field(1.0, ge=0, description="seconds between two requests of all of chat together")
    newcomer: float = Field(2.0, ge=1, description="how many turns the first message of somebody in this chat costs")
    burst: int = Field(5, ge=1, description="how many may come at once after a quiet time before everyone_s holds")


class Cooldown:
    """Remember when each viewer may ask again, for 50,000 viewers at most: the ones longest unseen are forgotten.

    A command with a wait of its own is counted by itself, everything else of a viewer together. That wait is for
    viewers; other roles wait the same share of it as they do of the default, so moderators never wait.
    """

    def __init__(self, options: Options) -> None:
        waits = _waits(options.user_s)
        self._waits = waits
        self._shares = tuple(wait / waits[0] for wait in waits) if waits[0] else _waits(1.0)
        self._everyone_s = options.everyone_s
        self._ahead_s = options.everyone_s * (options.burst - 1)
        self._newcomer = options.newcomer
        self._everyone_at = -math.inf
        self._ready_at: OrderedDict[tuple[str, str | None], float] = OrderedDict()

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse who asks too soon, and say when it is possible again."""
        role = request.actor.role
        if request.priority is not Lane.CHAT or role is Role.BROADCASTER:
            return None
        own = request.cooldown_s
        who = (request.actor.id, None if own is None else request.command)
        ready_at = self._ready_at.get(who, now)
        if ready_at > now:
            return Refusal(request.id, "cooldown", f"ready again in {math.ceil(ready_at - now)} s")
        if self._everyone_at - now > self._ahead_s:
            wait = math.ceil(self._everyone_at - now - self._ahead_s)
            return Refusal(request.id, "cooldown", f"many are asking at once, ready again in {wait} s")
        # A raid of fresh accounts has one request each: only what the first one costs slows it down.
        turns = self._newcomer if request.first_time else 1.0
        self._everyone_at = max(self._everyone_at, now) + self._everyone_s * turns
        self._hold(who, now, turns * (self._waits[role] if own is None else own * self._shares[role]))
        return None

    def _hold(self, who: tuple[str, str | None], now: float, wait_s: float) -> None:
        if wait_s <= 0:
            return
        self._ready_at[who] = now + wait_s
        self._ready_at.move_to_end(who)
        while len(self._ready_at) > _TABLE_LIMIT or next(iter(self._ready_at.values())) <= now:
            self._ready_at.popitem(last=False)


def _waits(user_s: float | dict[RoleName, float]) -> tuple[float, ...]:
    """Return the wait of each role, lowest first; a role that is not named waits as the one below it."""
    if not isinstance(user_s, dict):
        user_s = {name: user_s * share for name, share in _SHARES.items()}
    named = {"moderator": 0.0} | {str(name): wait_s for name, wait_s in user_s.items()}
    waits = [named.get("viewer", max(user_s.values(), default=0.0))]
    for role in list(Role)[1:]:
        waits.append(named.get(role.name.lower(), waits[-1]))
    return tuple(waits)


def create(options: Options) -> Cooldown:
    """Build the rule."""
    return Cooldown(options)
