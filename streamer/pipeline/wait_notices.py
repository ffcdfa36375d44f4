"""Says on the overlay who waited in vain, and how long the wait is while too many ask."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from streamer.pipeline.publisher import Publisher
from streamer.pipeline.reply_throttle import ReplyThrottle
from streamer.pipeline.scheduler import Ending
from streamer.types import ImageRequest, RequestState, Role, Toast

EVERY_S = 4.0
"""Seconds between two toasts about people who waited in vain; each names everybody since the last one."""
NAMED = 2
BUSY = "busy"


class WaitNotices:
    """Publish toasts, no faster than anybody can read; times are monotonic seconds."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._untold: dict[str, ImageRequest] = {}
        self._free_at = -math.inf
        self._busy = ReplyThrottle()

    def note(self, endings: Iterable[Ending]) -> None:
        """Note requests that the scheduler gave up; whoever replaced their own has not waited in vain."""
        for ending in endings:
            if ending.state is not RequestState.SUPERSEDED and ending.request.actor.role < Role.BROADCASTER:
                self._untold[ending.request.actor.id] = ending.request

    def due(self, now: float) -> list[ImageRequest]:
        """Return who is to be told now."""
        if now < self._free_at or not self._untold:
            return []
        told, self._untold = list(self._untold.values()), {}
        self._free_at = now + EVERY_S
        return told

    def tell(self, names: Sequence[str]) -> None:
        """Say on the overlay whose pictures were given up."""
        if names:
            self._publisher.publish(Toast("", f"no time was left for {_listed(names)}"))

    def busy(self, wait: str, now: float) -> None:
        """Say how long the wait is when somebody was refused for it, once in half a minute."""
        if self._busy.take(BUSY, now):
            self._publisher.publish(Toast("", f"many pictures wait: a new one would take about {wait}"))

    def wakeup(self) -> float | None:
        """Return when somebody is to be told next."""
        return self._free_at if self._untold else None


def _listed(names: Sequence[str]) -> str:
    """Return ``ann``, ``ann and ben``, or ``ann, ben and 3 more``."""
    more = len(names) - NAMED
    return f"{', '.join(names[:NAMED])} and {more} more" if more > 0 else " and ".join(names)
