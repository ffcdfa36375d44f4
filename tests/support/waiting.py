"""Waits for facts of somebody else's making."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(fact: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something is so; TimeoutError when it never is."""
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.005)
