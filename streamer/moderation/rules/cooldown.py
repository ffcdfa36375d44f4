"""Spaces requests out, per viewer and over all of chat: the limiter that protects everything behind it.

Passing costs a turn whatever becomes of the request. A viewer whose text the filter refuses has used the turn, or the
filter could be flooded for free; only a full queue gives it back. The rule decides when the request is made, not
when it is drawn (crowbartools/Firebot#2889). It limits chat alone: never the streamer, and never what was paid for,
which the platform limits.

Each viewer who passes is promised another turn when their wait is over, or later if many have been promised one:
promises use half of what ``everyone_s`` allows. In a flood the other half goes to whoever asks when there is room.
Without promises all of it would, and of people who keep asking some would pass often and most never.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat

from streamer.interfaces import Rule
from streamer.lru import LruDict
from streamer.types import ImageRequest, Lane, Refusal, Role

RoleName = Literal["viewer", "follower", "subscriber", "vip", "moderator", "broadcaster"]
_Counter = tuple[str, str | None]

_VIEWERS_REMEMBERED = 50_000
_TURNS_PER_PROMISE = 2.0
"""One turn in so many is reserved for promises."""
_LATEST_PROMISE_S = 600.0
"""No turn is promised for later than this."""
_PROMISE_KEPT_S = 60.0
"""How long an unused promise is remembered."""
_WAIT_FACTORS: dict[RoleName, float] = {
    "viewer": 1.0,
    "subscriber": 0.5,
    "vip": 1 / 3,
    "moderator": 0.0,
    "broadcaster": 0.0,
}


class Options(BaseModel):
    """How long viewers wait, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    user_s: NonNegativeFloat | dict[RoleName, NonNegativeFloat] = Field(
        30.0,
        description="seconds one viewer waits between two requests; subscribers wait half, VIPs a third, "
        "moderators not at all. Or by role: {viewer: 30, subscriber: 15, vip: 10, moderator: 0}; a "
        "role left out waits as long as the next lower one, moderators not at all",
    )
    everyone_s: float = Field(
        1.0,
        ge=0,
        description="seconds between any two requests in chat, no shorter than a picture takes; half of these "
        "turns are reserved for viewers whose earlier requests passed",
    )
    newcomer: float = Field(2.0, ge=1, description="how many turns a viewer's first message in this chat costs")
    burst: int = Field(5, ge=1, description="how many requests may pass at once after a quiet time")


class _Wait(NamedTuple):
    """From when a viewer may ask again, and when the next turn is certain (infinity without a promise)."""

    ready_at: float
    turn_at: float

    @property
    def is_promised(self) -> bool:
        return self.turn_at < math.inf

    def is_over(self, now: float) -> bool:
        return now >= (self.turn_at + _PROMISE_KEPT_S if self.is_promised else self.ready_at)


class Cooldown(Rule):
    """Remember when each of the last 50,000 viewers may ask again.

    A command with a wait of its own is counted separately, all other commands of a viewer together. That wait is for
    viewers; other roles wait the same share of it as of the default, so moderators never wait.
    """

    def __init__(self, options: Options) -> None:
        waits = _waits(options.user_s)
        self._waits = waits
        self._wait_factors = tuple(wait / waits[0] for wait in waits) if waits[0] else _waits(1.0)
        self._everyone_s = options.everyone_s
        self._burst_s = options.everyone_s * (options.burst - 1)
        self._newcomer = options.newcomer
        # When all of chat would have used up the turns it has taken, at one every ``everyone_s``.
        self._everyone_at = -math.inf
        self._last_promise_at = self._next_promise_kept_at = -math.inf
        self._waiting: LruDict[_Counter, _Wait] = LruDict(_VIEWERS_REMEMBERED)

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse a viewer who asks too soon, and say when they can ask again."""
        if not _is_limited(request):
            return None
        counter = _counter(request)
        wait = self._waiting.get(counter) or _Wait(now, math.inf)
        if wait.ready_at > now:
            return Refusal(request.id, "cooldown", f"try again in {math.ceil(wait.ready_at - now)} s")
        # Viewers with a promised turn leave the rest of the burst to those without one.
        crowded_s = self._everyone_at - now - (self._burst_s / 2 if wait.is_promised else self._burst_s)
        if crowded_s > 0 and not self._uses_promise(wait.turn_at, now):
            seconds = math.ceil(self._kept_in_s(wait.turn_at, now) if wait.is_promised else crowded_s)
            return Refusal(request.id, "cooldown", f"chat is busy, try again in {seconds} s")
        # A raid of fresh accounts makes one request each, so only the price of the first one slows it down.
        turns = self._newcomer if request.first_time else 1.0
        self._everyone_at = max(self._everyone_at, now) + self._everyone_s * turns
        self._start_wait(counter, now, turns * self._wait_s(request.actor.role, request.cooldown_s))
        return None

    def give_back(self, request: ImageRequest, now: float) -> None:
        """Let a viewer whose request found the queue full ask again at once, with a promised turn.

        The turn of the crowd stays used, or a full queue would let a flood through to the filters.
        """
        if _is_limited(request) and _counter(request) in self._waiting:
            self._waiting.put(_counter(request), _Wait(now, now))

    def _wait_s(self, role: Role, own: float | None) -> float:
        return self._waits[role] if own is None else own * self._wait_factors[role]

    def _uses_promise(self, turn_at: float, now: float) -> bool:
        """Use a promised turn if it has come; the next promise is kept one reserved turn later."""
        if self._kept_in_s(turn_at, now) > 0:
            return False
        self._next_promise_kept_at = now + _TURNS_PER_PROMISE * self._everyone_s
        return True

    def _kept_in_s(self, turn_at: float, now: float) -> float:
        return max(turn_at, self._next_promise_kept_at, self._everyone_at - self._burst_s - self._everyone_s) - now

    def _start_wait(self, counter: _Counter, now: float, wait_s: float) -> None:
        if wait_s <= 0:
            return
        self._waiting.put(counter, _Wait(now + wait_s, self._promise(now + wait_s, now)))
        self._waiting.drop_while(lambda wait: wait.is_over(now))

    def _promise(self, ready_at: float, now: float) -> float:
        """Return when the next turn is certain; infinity if chat as a whole is unlimited or too many have a promise."""
        turn_at = max(ready_at, self._last_promise_at + _TURNS_PER_PROMISE * self._everyone_s)
        if not self._everyone_s or turn_at - now > _LATEST_PROMISE_S:
            return math.inf
        self._last_promise_at = turn_at
        return turn_at


def _is_limited(request: ImageRequest) -> bool:
    return request.priority is Lane.CHAT and request.actor.role is not Role.BROADCASTER


def _counter(request: ImageRequest) -> _Counter:
    """Return what is counted: a viewer, or one command of a viewer if it has a wait of its own."""
    return request.actor.id, None if request.cooldown_s is None else request.command


def _waits(user_s: float | dict[RoleName, float]) -> tuple[float, ...]:
    """Return the wait of each role in seconds, lowest first; a role that is not named waits as the one below it."""
    if not isinstance(user_s, dict):
        user_s = {name: user_s * factor for name, factor in _WAIT_FACTORS.items()}
    named = {"moderator": 0.0} | {str(name): wait_s for name, wait_s in user_s.items()}
    waits = [named.get("viewer", max(user_s.values(), default=0.0))]
    for role in list(Role)[1:]:
        waits.append(named.get(role.name.lower(), waits[-1]))
    return tuple(waits)


def create(options: Options) -> Cooldown:
    """Build the rule."""
    return Cooldown(options)
