"""Limits answers in chat: everybody gets one, nobody gets one for every line."""

from __future__ import annotations

from streamer.lru import LruDict
from streamer.types import Trigger

REMEMBERED = 20_000
AGAIN_S = 30.0
EVERYONE_S, BURST = 0.5, 10


class ReplyThrottle:
    """Allow one answer a person in half a minute, and ``everyone_s`` seconds between any two after a short burst."""

    def __init__(self, everyone_s: float = EVERYONE_S, burst: int = BURST) -> None:
        self._everyone_s, self._ahead_s = everyone_s, everyone_s * (burst - 1)
        self._answered: LruDict[str, float] = LruDict(REMEMBERED)
        self._free_at = 0.0

    def allows(self, trigger: Trigger, now: float) -> bool:
        """Tell whether a refusal is answered; one that was paid for always is. An answer takes the person's turn."""
        return trigger.redemption is not None or trigger.paid or self.take(trigger.actor.id, now)

    def take(self, key: str, now: float) -> bool:
        """Take a turn if there is one now; ``key`` is who is answered."""
        last = self._answered.get(key)
        if (last is not None and now - last < AGAIN_S) or self._free_at - now > self._ahead_s:
            return False
        self._answered.put(key, now)
        self._free_at = max(self._free_at, now) + self._everyone_s
        return True
