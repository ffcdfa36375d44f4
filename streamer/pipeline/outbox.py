"""The events that one output has not handled yet, in order and bounded; none is lost that points depend on."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from streamer.interfaces import Health, HealthState, Output
from streamer.types import Ended, Event, Forgotten, Refused, Retraction

log = logging.getLogger(__name__)

OUTBOX = 500


class Outbox:
    """Queue events for one output, so that none waits for another; a slow output loses its oldest events."""

    def __init__(self, output: Output) -> None:
        self._output = output
        # One order for all events: an output must not keep a picture that it was told before to forget.
        self._waiting: deque[Event | _Marker] = deque()
        self._droppable = 0
        self._arrived = asyncio.Event()
        self._faults: dict[str, str] = {}
        self._lost = 0

    def fault(self) -> Health | None:
        """Return what is wrong with the output: what it failed on last time, or that it is too slow."""
        # A plug-in's file name is its name in config.yaml.
        name = type(self._output).__module__.rpartition(".")[2]
        if self._faults:
            event, error = next(iter(self._faults.items()))
            return Health(name, HealthState.FAILED, f"failed on {event}: {error}; the log has the details")
        if self._lost:
            return Health(name, HealthState.LIMITED, f"too slow: it missed {self._lost} events")
        return None

    def put(self, event: Event) -> None:
        """Queue an event; the oldest one that may be lost goes when there are too many."""
        self._waiting.append(event)
        self._droppable += not _must_arrive(event)
        if self._droppable > OUTBOX:
            oldest = next(place for place, queued in enumerate(self._waiting) if not _must_arrive(queued))
            del self._waiting[oldest]
            self._droppable -= 1
            self._lost += 1
        self._arrived.set()

    async def flushed(self) -> None:
        """Return when the output has handled everything that was put in until now."""
        marker = _Marker()
        self._waiting.append(marker)
        self._arrived.set()
        await marker.reached.wait()

    async def run(self) -> None:
        """Hand the events to the output, one after the other, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                event = self._waiting.popleft()
                if isinstance(event, _Marker):
                    event.reached.set()
                else:
                    self._droppable -= not _must_arrive(event)
                    await self._publish(event)
            self._lost = 0  # it has caught up

    async def _publish(self, event: Event) -> None:
        kind = type(event).__name__
        try:
            await self._output.publish(event)
        except Exception as error:
            # Third-party plug-in: isolate its failure. Its line in the panel's Health tells the streamer.
            log.exception("an output failed on %s", kind)
            self._faults[kind] = f"{type(error).__name__}: {error}"
        else:
            self._faults.pop(kind, None)


class _Marker:
    """A place in the queue that somebody waits for."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()


def _must_arrive(event: Event | _Marker) -> bool:
    """Tell whether an event must arrive however slow the output is: points depend on it, or it takes something back.

    Nobody can flood the program with channel points or moderators' commands.
    """
    if isinstance(event, Forgotten | Retraction | _Marker):
        return True
    if isinstance(event, Ended):
        return event.request.redemption is not None
    return isinstance(event, Refused) and event.trigger.redemption is not None
