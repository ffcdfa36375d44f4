"""Answers that are given again to a request that is sent again, so that a retry draws and costs nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from streamer.api.v1.faults import Fault
from streamer.lru import LruDict

KEPT_S = 3600.0
MOST_ANSWERS = 256
MOST_BYTES = 64 * 2**20
LONGEST_KEY = 255

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Entry(Generic[Answer]):
    fingerprint: str
    at: float
    answer: Answer | None = None
    size: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Replays(Generic[Answer]):
    """The answers of the last hour, by tenant and idempotency key; in memory, so a restart forgets them."""

    def __init__(self) -> None:
        self._entries: LruDict[tuple[str, str], _Entry[Answer]] = LruDict(MOST_ANSWERS)
        self._bytes = 0

    async def begin(self, tenant: str, key: str, fingerprint: str, now: float) -> Answer | None:
        """Return the answer of an equal request, also of one that is being drawn; None: draw, then end or abandon.

        Raise a Fault when the key belongs to another request. ``now`` is monotonic seconds.
        """
        self._forget_old(now)
        place = tenant, key
        while (entry := self._entries.get(place)) is not None:
            if entry.fingerprint != fingerprint:
                message = "this Idempotency-Key was used for another request; use a new one"
                raise Fault(422, message, code="idempotency_key_reused", param="Idempotency-Key")
            if entry.answer is not None:
                return entry.answer
            await entry.ended.wait()
        self._put(place, _Entry(fingerprint, now))
        return None

    def end(self, tenant: str, key: str, answer: Answer, size: int) -> None:
        """Keep the answer of a request that ``begin`` told to draw; ``size`` is what it takes in bytes."""
        if (entry := self._entries.get((tenant, key))) is not None:
            entry.answer, entry.size = answer, size
            self._bytes += size
            entry.ended.set()
        while self._bytes > MOST_BYTES:
            self._drop_oldest()

    def abandon(self, tenant: str, key: str) -> None:
        """Forget a request that got no picture, so that whoever waits for its answer draws."""
        entry = self._entries.get((tenant, key))
        if entry is not None and entry.answer is None:
            self._entries.pop((tenant, key))
            entry.ended.set()

    def _put(self, place: tuple[str, str], entry: _Entry[Answer]) -> None:
        if len(self._entries) >= MOST_ANSWERS:
            self._drop_oldest()
        self._entries.put(place, entry)

    def _drop_oldest(self) -> None:
        dropped = self._entries.pop(next(iter(self._entries)))
        if dropped is not None:
            self._bytes -= dropped.size
            dropped.ended.set()

    def _forget_old(self, now: float) -> None:
        while self._entries and next(iter(self._entries.values())).at < now - KEPT_S:
            self._drop_oldest()
