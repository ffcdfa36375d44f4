"""Remembers who has written here for the first time and asked for nothing yet."""

from __future__ import annotations

from dataclasses import replace

from streamer.lru import LruDict
from streamer.types import ImageRequest, Trigger

REMEMBERED = 20_000


class FirstTimeChatters:
    """Mark somebody's first request, also when a greeting came before it: the platform marks the first line only."""

    def __init__(self) -> None:
        self._greeted: LruDict[str, None] = LruDict(REMEMBERED)

    def note_greeting(self, trigger: Trigger) -> None:
        """Note a line that asks for no picture."""
        if trigger.first_time:
            self._greeted.put(trigger.actor.id, None)

    def mark(self, request: ImageRequest) -> ImageRequest:
        """Return the request, marked if it is the first one of somebody who wrote for the first time."""
        if request.actor.id not in self._greeted:
            return request
        self._greeted.pop(request.actor.id)
        return replace(request, first_time=True)
