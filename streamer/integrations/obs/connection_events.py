"""What the client's thread reports to the event loop: OBS connected, disconnected, or sent an event."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field

from streamer.integrations.obs.connection import ObsAnswer, ObsEvent

MAX_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class ObsConnected:
    """OBS is connected (again); ``version`` is its answer to GetVersion."""

    version: ObsAnswer


@dataclass(frozen=True, slots=True)
class ObsDisconnected:
    """OBS is gone: closed, crashed, or no longer answering."""

    reason: str


ConnectionEvent = ObsConnected | ObsDisconnected | ObsEvent


@dataclass(slots=True)
class ConnectionEventQueue:
    """A bounded queue from the thread to one reader in the event loop; when it is full, the oldest event is dropped."""

    loop: asyncio.AbstractEventLoop
    inbox: deque[ConnectionEvent] = field(default_factory=lambda: deque(maxlen=MAX_EVENTS))
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self) -> ConnectionEvent:
        """Wait for the next event."""
        while not self.inbox:
            self.wake.clear()
            await self.wake.wait()
        return self.inbox.popleft()

    def put(self, event: ConnectionEvent) -> None:
        """Add an event, from any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(self._append, event)

    def _append(self, event: ConnectionEvent) -> None:
        self.inbox.append(event)
        self.wake.set()
