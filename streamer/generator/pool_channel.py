"""The pool as one channel uses it: a lease for each picture, and another slot for a picture that loses its own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager

from streamer.errors import BackendDied, BackendError, BackendLost, Unsupported
from streamer.generator.fair_share import Share
from streamer.generator.pool import Claim, Pool, loop_time
from streamer.generator.slot import Slot
from streamer.generator.worker_actions import STOPPED
from streamer.interfaces import Abilities, Health, HealthState, Lease
from streamer.types import Frame, ImageRequest, Lane, Preview

log = logging.getLogger(__name__)

ATTEMPTS = 2
"""A picture that loses its slot is drawn by another one, once: what happens to it twice may be its own doing."""


class PoolChannel:
    """The generator of one channel; with twice the ``weight`` it gets twice the GPU time when there is not enough."""

    def __init__(self, pool: Pool, weight: float = 1.0) -> None:
        self._pool, self._share = pool, Share(weight)
        self._leases: set[PoolLease] = set()

    @property
    def active(self) -> Mapping[str, str]:
        """Name what draws."""
        return self._pool.active

    @property
    def abilities(self) -> Abilities:
        """Return what can be drawn."""
        return self._pool.abilities

    @property
    def restarts(self) -> Mapping[str, int]:
        """Count restarts by cause."""
        return self._pool.restarts

    @property
    def slots(self) -> Mapping[str, Health]:
        """Return how each slot does, by its name."""
        return {slot.place.name: slot.health() for slot in self._pool.slots}

    def health(self) -> Health:
        """Return whether anything draws."""
        return self._pool.health()

    @asynccontextmanager
    async def lease(self, lane: Lane, unless: asyncio.Event | None = None) -> AsyncIterator[Lease | None]:
        """Wait until a picture of this lane may be drawn at once; None if ``unless`` is set before."""
        claim = Claim(self._share, lane)
        slot = await self._pool.slot_for(claim, unless)
        if slot is None:
            yield None
            return
        lease = PoolLease(self._pool, claim, slot)
        self._leases.add(lease)
        try:
            yield lease
        finally:
            self._leases.discard(lease)
            lease.end()

    def cancel(self, request_id: str) -> None:
        """Stop drawing this request."""
        for lease in self._leases:
            lease.cancel(request_id)

    def release_gpu(self) -> bool:
        """Free this computer's GPU; return whether nothing can be drawn meanwhile."""
        return self._pool.release_gpu()

    def reclaim_gpu(self) -> None:
        """Load and warm up again."""
        self._pool.reclaim_gpu()


class PoolLease:
    """A slot for one picture, and another one when that one is lost."""

    def __init__(self, pool: Pool, claim: Claim, slot: Slot) -> None:
        self._pool, self._claim, self._slot = pool, claim, slot
        self._held = True
        self._began_at = self._since = loop_time()
        self._drawing = ""

    @property
    def active(self) -> Mapping[str, str]:
        """Name what draws this picture."""
        return self._slot.active

    @property
    def waited_s(self) -> float:
        """Return how long the picture waited for its first slot."""
        return self._began_at - self._claim.since

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        """Yield previews, then the frame; the slot is free for others as soon as that is there."""
        if (objection := self._pool.objection(request)) is not None:
            raise objection
        self._drawing, self._since = request.id, loop_time()
        try:
            if self._pool.objection_of(self._slot, request):
                await self._move(request)
            async with aclosing(self._draw(request)) as items:
                async for item in items:
                    yield item
        except BackendDied as error:
            self._pool.blame(request, ATTEMPTS if isinstance(error, BackendLost) else 1)
            raise
        finally:
            self.end()
            self._drawing = ""

    async def _draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        """Draw where the slot is; when it is lost, draw again where the next one is."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with aclosing(self._slot.draw(request)) as items:
                    async for item in items:
                        yield item
                return
            except BackendLost as error:
                if attempt == ATTEMPTS or not self._pool.draws_again():
                    raise
                log.warning("%s: %s; the picture is drawn again", self._slot.place.name, error)
                await self._move(request)

    async def _move(self, request: ImageRequest) -> None:
        """Give the slot back and wait for one that can draw this picture."""
        able = [slot for slot in self._pool.slots if not self._pool.objection_of(slot, request)]
        if not able:
            raise Unsupported(self._pool.objection_of(self._slot, request))
        self.end()
        since = self._claim.since
        self._claim = Claim(self._claim.share, self._claim.lane, again=True, fits=able.__contains__)
        try:
            async with asyncio.timeout_at(self._since + self._pool.deadline_s):
                slot = await self._pool.slot_for(self._claim)
        except TimeoutError:
            raise BackendError("what drew the picture was lost, and nothing else could draw it in time") from None
        assert slot is not None
        self._slot, self._held, self._since = slot, True, loop_time()
        self._claim.since = since

    def cancel(self, request_id: str) -> None:
        """Stop drawing this request, or waiting for another slot to draw it."""
        if self._drawing != request_id:
            return
        if self._held:
            self._slot.cancel(request_id)
        elif not self._claim.granted.done():
            self._claim.granted.set_exception(BackendError(STOPPED))

    def end(self) -> None:
        """Give the slot back, if it has not been given back yet."""
        if self._held:
            self._held = False
            self._pool.give_back(self._claim, self._slot, loop_time() - self._since if self._drawing else 0.0)


async def draw_once(pool: Pool, request: ImageRequest, on_health: Callable[[Health], None]) -> tuple[Frame, float]:
    """Run a pool for one request; return the picture and the seconds that drawing took.

    ``on_health`` is told each state until something draws. Raises BackendError when nothing ever will.
    """
    running = asyncio.create_task(pool.run())
    try:
        while not (health := pool.health()).draws:
            on_health(health)
            if health.state is HealthState.FAILED:
                raise BackendError(health.detail)
            await asyncio.sleep(0.05)
        started = time.perf_counter()
        async with PoolChannel(pool).lease(request.priority) as lease:
            assert lease is not None
            async with aclosing(lease.draw(request)) as items:
                frame = [item async for item in items if isinstance(item, Frame)][-1]
        return frame, time.perf_counter() - started
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
