"""Carries presses from a thread that watches a device to the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from streamer.types import KeyPress

WAITING = 64

log = logging.getLogger(__name__)

Tell = Callable[[str | None], None]
"""Say what was pressed, from the watching thread; None says that nothing more will come."""


async def presses(source: str, watch: Callable[[Tell, threading.Event], None]) -> AsyncGenerator[KeyPress, None]:
    """Run ``watch`` in a thread named after its source and yield what it tells; the event says that nobody listens."""
    loop = asyncio.get_running_loop()
    pressed: asyncio.Queue[str | None] = asyncio.Queue(WAITING)

    def put(name: str | None) -> None:
        if pressed.full():
            log.warning("%s: dropped, too many at once: %s", source, pressed.get_nowait())
        pressed.put_nowait(name)

    def tell(name: str | None) -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it everybody who could be told
            loop.call_soon_threadsafe(put, name)

    closed = threading.Event()
    threading.Thread(target=watch, args=(tell, closed), name=source, daemon=True).start()
    try:
        while (name := await pressed.get()) is not None:
            yield KeyPress(f"{source}-{uuid.uuid4()}", source, name, time.monotonic())
    finally:
        closed.set()
