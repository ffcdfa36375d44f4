"""Which refusals are told in chat: everybody gets an answer, nobody gets one for every line."""

from __future__ import annotations

from streamer.recent import Recent
from streamer.types import Trigger

REMEMBERED = 20_000
AGAIN_S = 30.0
EVERYONE_S, BURST = 0.5, 10


class Throttle:
    """One told refusal a person in half a minute, two a second for all; what was paid for is always told."""

    def __init__(self) -> None:
        self._told: Recent[str, float] = Recent(REMEMBERED)
        self._free_at = 0.0

    def tells(self, trigger: Trigger, now: float) -> bool:
        """Say whether this refusal is told; telling takes the place."""
        if trigger.redemption is not None or trigger.paid:
            return True
        last = self._told.get(trigger.actor.id)
        if (last is not None and now - last < AGAIN_S) or self._free_at - now > EVERYONE_S * (BURST - 1):
            return False
        self._told.put(trigger.actor.id, now)
        self._free_at = max(self._free_at, now) + EVERYONE_S
        return True
