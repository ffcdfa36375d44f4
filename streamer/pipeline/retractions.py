"""What a platform took back: lines that are read late, and pictures with everything that was edited from them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from streamer.lru import LruDict
from streamer.types import Retraction, Trigger

REMEMBERED = 2000
REQUESTS_REMEMBERED = 20_000
GENERATIONS = 100


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


class Lineage:
    """Remember the actor and the parent picture of the newest requests, by request id."""

    def __init__(self) -> None:
        self._actors: LruDict[str, str] = LruDict(REQUESTS_REMEMBERED)
        self._parents: LruDict[str, str] = LruDict(REQUESTS_REMEMBERED)

    def note(self, request_id: str, actor_id: str) -> None:
        """Note who asked."""
        self._actors.put(request_id, actor_id)

    def note_parent(self, request_id: str, parent_id: str) -> None:
        """Note which picture an edit was made from: it shows what that one showed, and goes with it."""
        self._parents.put(request_id, parent_id)

    def is_retracted(self, request_id: str, retraction: Retraction) -> bool:
        """Tell whether a retraction means this request, or one that its picture was edited from."""
        return any(
            ancestor == retraction.message_id
            or (retraction.actor_id is not None and self._actors.get(ancestor) == retraction.actor_id)
            for ancestor in self._with_ancestors(request_id)
        )

    def _with_ancestors(self, request_id: str) -> Iterator[str]:
        current: str | None = request_id
        for _ in range(GENERATIONS):
            if current is None:
                return
            yield current
            current = self._parents.get(current)
