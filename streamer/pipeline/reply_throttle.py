"""Which refusals are told in chat: everybody gets an answer, nobody gets one for every line."""

from __future__ import annotations

from streamer.lru import LruDict
from streamer.types import Trigger

REMEMBERED = 20_000
AGAIN_S = 30.0
EVERYONE_S, BURST = 0.5, 10


class ReplyThrottle:
    """One answer a person in half a minute, and so many seconds between any two but the first few."""

    def __init__(self, everyone_s: float = EVERYONE_S, burst: int = BURST) -> None:
        self._everyone_s, self._ahead_s = everyone_s, everyone_s * (burst - 1)
        self._told: LruDict[str, float] = LruDict(REMEMBERED)
        self._free_at = 0.0

    def tells(self, trigger: Trigger, now: float) -> bool:
        """Say whether this refusal is told, as what was paid for always is; telling takes the place."""
        return trigger.redemption is not None or trigger.paid or self.takes(trigger.actor.id, now)

    def takes(self, who: str, now: float) -> bool:
        """Say whether somebody may be answered now; if so, the place is taken."""
        last = self._told.get(who)
        if (last is not None and now - last < AGAIN_S) or self._free_at - now > self._ahead_s:
            return False
        self._told.put(who, now)
        self._free_at = max(self._free_at, now) + self._everyone_s
        return True
