"""What a platform took back lately: a line that is read late must not be admitted after all."""

from __future__ import annotations

import math

from streamer.lru import LruDict
from streamer.types import Retraction, Trigger

REMEMBERED = 2000


class Retractions:
    """Remember message ids, and for each person the moment up to which everything of theirs is taken back."""

    def __init__(self) -> None:
        self._messages: LruDict[str, None] = LruDict(REMEMBERED)
        self._people: LruDict[str, float] = LruDict(REMEMBERED)
        self._all_until = -math.inf

    def note(self, retraction: Retraction) -> None:
        """Remember a retraction."""
        if retraction.message_id is not None:
            self._messages.put(retraction.message_id, None)
        elif retraction.actor_id is not None:
            self._people.put(retraction.actor_id, retraction.at)
        else:
            self._all_until = retraction.at

    def since(self, message_id: str, actor_id: str, moment: float) -> bool:
        """Tell whether a message was taken back, or everything of its author at that moment or later."""
        return message_id in self._messages or self._people_at(actor_id) >= moment

    def covers(self, trigger: Trigger) -> bool:
        """Tell whether a trigger was taken back; a cleared chat does not cover what was paid for."""
        if trigger.id in self._messages:
            return True
        if trigger.at <= self._people_at(trigger.actor.id):
            return True
        return not trigger.paid and trigger.at <= self._all_until

    def _people_at(self, actor_id: str) -> float:
        until = self._people.get(actor_id)
        return -math.inf if until is None else until
