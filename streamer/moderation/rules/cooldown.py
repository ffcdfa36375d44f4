"""Spaces requests out, per viewer and over all of chat: the limiter that protects everything behind it.

Passing costs the token whatever becomes of the request later; a viewer whose text the filter refuses has used the
turn all the same, or the filter could be flooded for free; only a full queue gives it back. The decision is taken at
the moment of asking (crowbartools/Firebot#2889). Only chat is held: the streamer never, and what was paid for has its
own limits at the platform.

Whoever is let in is promised a next turn: when their own wait is over, or later if many have been promised one, since
promises use up half of what ``everyone_s`` allows. In a flood the other half goes to whoever happens to ask when there
is room. Without promises all of it would, and of people who keep asking some would come often and most never.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat

from streamer.interfaces import Rule
from streamer.lru import LruDict
from streamer.types import ImageRequest, Lane, Refusal, Role

RoleName = Literal["viewer", "follower", "subscriber", "vip", "moderator", "broadcaster"]

_TABLE_LIMIT = 50_000
_SHARE = 2.0
"""One turn in so many is kept for promises."""
_FAR_S = 600.0
"""No turn is promised for later than this."""
_PATIENCE_S = 60.0
"""How long a promised turn is remembered when nobody comes for it."""
_SHARES: dict[RoleName, float] = {"viewer": 1.0, "subscriber": 0.5, "vip": 1 / 3, "moderator": 0.0, "broadcaster": 0.0}


class Options(BaseModel):
    """How long to wait, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    user_s: NonNegativeFloat | dict[RoleName, NonNegativeFloat] = Field(
        30.0,
        description="wait of one viewer between two requests; subscribers wait half, VIPs a third, moderators "
        "not at all. Or by role: {viewer: 30, subscriber: 15, vip: 10, moderator: 0}; a role left "
        "out waits like the one below it, moderators not at all",
    )
    everyone_s: float = Field(
        1.0,
        ge=0,
        description="seconds between two requests of the whole chat together, no shorter than a picture "
        "takes; half of these turns are reserved for people who were let in before",
    )
    newcomer: float = Field(2.0, ge=1, description="how many turns somebody's first message in this chat costs")
    burst: int = Field(5, ge=1, description="how many requests may come at once after a quiet time")


class Cooldown(Rule):
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
        # The last moment that is promised to somebody, and when the next promise can be kept.
        self._promised_at = self._keeps_at = -math.inf
        self._ready_at: LruDict[tuple[str, str | None], tuple[float, float]] = LruDict(_TABLE_LIMIT)

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse who asks too soon, and say when it is possible again."""
        if not _counts(request):
            return None
        who, own = _who(request), request.cooldown_s
        ready_at, turn_at = self._ready_at.get(who) or (now, math.inf)
        if ready_at > now:
            return Refusal(request.id, "cooldown", f"ready again in {math.ceil(ready_at - now)} s")
        promised = turn_at < math.inf
        # Whoever has a turn to wait for leaves the rest of the room to those who have none.
        crowded_s = self._everyone_at - now - (self._ahead_s / 2 if promised else self._ahead_s)
        if crowded_s > 0 and not self._keeps_promise(turn_at, now):
            wait = math.ceil(self._kept_in_s(turn_at, now) if promised else crowded_s)
            return Refusal(request.id, "cooldown", f"many are asking at once, ready again in {wait} s")
        # A raid of fresh accounts has one request each: only what the first one costs slows it down.
        turns = self._newcomer if request.first_time else 1.0
        self._everyone_at = max(self._everyone_at, now) + self._everyone_s * turns
        self._hold(who, now, turns * self._wait_of(request.actor.role, own))
        return None

    def give_back(self, request: ImageRequest, now: float) -> None:
        """Let somebody ask again at once, before others: there was no place left for a request that had passed.

        Their turn of the crowd stays used, or a full queue would let a flood through to the filters.
        """
        if _counts(request) and _who(request) in self._ready_at:
            self._ready_at.put(_who(request), (now, now))

    def _wait_of(self, role: Role, own: float | None) -> float:
        return self._waits[role] if own is None else own * self._shares[role]

    def _keeps_promise(self, turn_at: float, now: float) -> bool:
        """Tell whether somebody's promised turn has come; the crowd then waits one turn longer."""
        if self._kept_in_s(turn_at, now) > 0:
            return False
        self._keeps_at = now + _SHARE * self._everyone_s
        return True

    def _kept_in_s(self, turn_at: float, now: float) -> float:
        return max(turn_at, self._keeps_at, self._everyone_at - self._ahead_s - self._everyone_s) - now

    def _hold(self, who: tuple[str, str | None], now: float, wait_s: float) -> None:
        if wait_s <= 0:
            return
        self._ready_at.put(who, (now + wait_s, self._promise(now + wait_s, now)))
        self._ready_at.drop_while(lambda entry: self._is_over(entry, now))

    def _promise(self, ready_at: float, now: float) -> float:
        """Return from when on somebody's next turn is certain; never, where nobody has to share or too many do."""
        turn_at = max(ready_at, self._promised_at + _SHARE * self._everyone_s)
        if not self._everyone_s or turn_at - now > _FAR_S:
            return math.inf
        self._promised_at = turn_at
        return turn_at

    def _is_over(self, entry: tuple[float, float], now: float) -> bool:
        ready_at, turn_at = entry
        return now >= (ready_at if turn_at == math.inf else turn_at + _PATIENCE_S)


def _counts(request: ImageRequest) -> bool:
    return request.priority is Lane.CHAT and request.actor.role is not Role.BROADCASTER


def _who(request: ImageRequest) -> tuple[str, str | None]:
    """Say who waits, and for which command if that has a wait of its own."""
    return request.actor.id, None if request.cooldown_s is None else request.command


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
