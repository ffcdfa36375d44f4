"""What one output is still to be told: in order, bounded, and nothing lost that points or somebody's wish hang on."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from streamer.interfaces import Output
from streamer.types import Ended, Event, Forgotten, Refused, Retraction

log = logging.getLogger(__name__)

OUTBOX = 500


class Outbox:
    """One for each output, so that none waits for another. The oldest events are dropped when it cannot follow."""

    def __init__(self, output: Output) -> None:
        self._output = output
        # In one order, so that nobody keeps a picture after having been told to forget it.
        self._waiting: deque[Event | _Mark] = deque()
        self._droppable = 0
        self._news = asyncio.Event()

    def put(self, event: Event) -> None:
        """Tell it soon."""
        self._waiting.append(event)
        self._droppable += not _owed(event)
        if self._droppable > OUTBOX:
            oldest = next(place for place, one in enumerate(self._waiting) if not _owed(one))
            del self._waiting[oldest]
            self._droppable -= 1
        self._news.set()

    async def told(self) -> None:
        """Return when the output has dealt with everything that was put in until now."""
        mark = _Mark()
        self._waiting.append(mark)
        self._news.set()
        await mark.reached.wait()

    async def run(self) -> None:
        """In: every event. Out: the output, one after the other."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                event = self._waiting.popleft()
                if isinstance(event, _Mark):
                    event.reached.set()
                else:
                    self._droppable -= not _owed(event)
                    await self._tell(event)

    async def _tell(self, event: Event) -> None:
        try:
            await self._output.publish(event)
        except Exception:
            # A plug-in of anybody's: its bug must not end the show.
            log.exception("an output failed on %s", type(event).__name__)


class _Mark:
    """A place in the outbox that somebody waits for."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()


def _owed(event: Event | _Mark) -> bool:
    """Tell whether an event must arrive however slow the output is: points hang on it, or it takes something back.

    Nobody can flood with channel points or with a moderator's orders.
    """
    if isinstance(event, Forgotten | Retraction | _Mark):
        return True
    if isinstance(event, Ended):
        return event.request.redemption is not None
    return isinstance(event, Refused) and event.trigger.redemption is not None
