"""Who has written here for the first time and asked for nothing yet: their first request is a newcomer's."""

from __future__ import annotations

from dataclasses import replace

from streamer.lru import LruDict
from streamer.types import ImageRequest, Trigger

REMEMBERED = 20_000


class FirstTimeChatters:
    """The platform marks a first line only: a greeting before the command must not be all that it takes."""

    def __init__(self) -> None:
        self._silent: LruDict[str, None] = LruDict(REMEMBERED)

    def greeted(self, trigger: Trigger) -> None:
        """Note a line that asks for no picture."""
        if trigger.first_time:
            self._silent.put(trigger.actor.id, None)

    def marked(self, request: ImageRequest) -> ImageRequest:
        """Mark a request that is its actor's first one."""
        if request.actor.id not in self._silent:
            return request
        self._silent.pop(request.actor.id)
        return replace(request, first_time=True)
