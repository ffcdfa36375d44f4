"""Waits for an event for a limited time."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def wait_for_event(event: asyncio.Event, timeout_s: float | None) -> None:
    """Return once the event is set or ``timeout_s`` seconds have passed; None waits without a limit."""
    with suppress(TimeoutError):
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event (gh-86296).
        async with asyncio.timeout(timeout_s):
            await event.wait()
