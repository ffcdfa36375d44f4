"""A clock that a test moves by hand."""

from __future__ import annotations

import asyncio
import time


class ManualClock:
    """Stands still until ``set``; whoever waits for a moment wakes up when it has come."""

    def __init__(self, now: float = 100.0) -> None:
        self._now = now
        self._alarms: list[tuple[float, asyncio.Timeout]] = []

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return time.time()

    def set(self, moment: float) -> None:
        self._now = moment
        for until, alarm in self._alarms:
            if until <= moment and not alarm.expired():
                alarm.reschedule(asyncio.get_running_loop().time())

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        if until is not None and until <= self._now:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(None) as alarm:
                self._alarms.append((float("inf") if until is None else until, alarm))
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._alarms = [(moment, each) for moment, each in self._alarms if each is not alarm]
