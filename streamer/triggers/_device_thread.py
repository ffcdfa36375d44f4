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

MAX_QUEUED = 64

log = logging.getLogger(__name__)

ReportPress = Callable[[str | None], None]
"""Called from the watching thread with the name of what was pressed; None means that no more presses will come."""

WatchDevice = Callable[[ReportPress, threading.Event], None]
"""Watches a device and reports presses until the event says that nobody listens any more."""


async def device_presses(source: str, watch: WatchDevice) -> AsyncGenerator[KeyPress, None]:
    """Run ``watch`` in a thread named after its source, and yield the presses that it reports."""
    loop = asyncio.get_running_loop()
    names: asyncio.Queue[str | None] = asyncio.Queue(MAX_QUEUED)

    def put(name: str | None) -> None:
        if names.full():
            log.warning("%s: dropped, too many at once: %s", source, names.get_nowait())
        names.put_nowait(name)

    def report(name: str | None) -> None:
        with suppress(RuntimeError):  # the loop has ended, so nobody is left to receive it
            loop.call_soon_threadsafe(put, name)

    closed = threading.Event()
    threading.Thread(target=watch, args=(report, closed), name=source, daemon=True).start()
    try:
        while (name := await names.get()) is not None:
            yield KeyPress(f"{source}-{uuid.uuid4()}", source, name, time.monotonic())
    finally:
        closed.set()
