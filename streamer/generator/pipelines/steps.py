"""Runs a blocking call of a pipeline as an iterator of its steps, always on the same thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class StoppedError(Exception):
    """Raised inside the call when nobody waits for its result any more."""


class Steps(Generic[Item]):
    """What a call hands over: each item, until its reader has gone."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._stopped = threading.Event()

    def emit(self, item: Item) -> None:
        """Hand an item over; raise StoppedError if the reader has gone."""
        if self._stopped.is_set():
            raise StoppedError
        self._items.put(item)

    def _end(self, _future: Future[Item]) -> None:
        self._items.put(None)


class CallThread:
    """One thread for everything that touches the device: captured graphs and compiled code belong to a thread."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pipeline")

    def run(self, call: Callable[[], Result]) -> Result:
        """Run a call on the thread, wait for it, and return or raise what it returns or raises."""
        return self._executor.submit(call).result()

    def steps(self, call: Callable[[Steps[Item]], Item]) -> Generator[Item, None, None]:
        """Run a call on the thread and yield what it hands over, then what it returns.

        Closing the iterator stops the call at its next item and waits until it has stopped.
        """
        steps: Steps[Item] = Steps()
        future = self._executor.submit(call, steps)
        future.add_done_callback(steps._end)
        try:
            while (item := steps._items.get()) is not None:
                yield item
            yield future.result()
        finally:
            steps._stopped.set()
            future.exception()

    def close(self) -> None:
        """End the thread."""
        self._executor.shutdown(wait=False, cancel_futures=True)
