"""Waits for facts that another part of the program brings about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(fact: Callable[[], object], seconds: float = 30, poll_s: float = 0.005) -> None:
    """Wait until a fact holds, looking every ``poll_s``; TimeoutError after ``seconds``."""
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(poll_s)
