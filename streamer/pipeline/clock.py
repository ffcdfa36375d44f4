"""The time of one show, and waiting until it is later; handed in, so that tests and dry runs move time by hand."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from streamer.integrations.waiting import wait_for_event


class Clock(Protocol):
    """Tell the time; the only way in which a show waits for a moment."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def wall(self) -> float:
        """Return seconds since the epoch."""
        ...

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Return when the event is set or the moment has come, whichever is first; ``None`` is no moment."""
        ...


class SystemClock:
    """The clock of a running show."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Return when the event is set or the moment has come."""
        await wait_for_event(event, None if until is None else until - self.now())
