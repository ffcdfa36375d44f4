"""What happens between a tenant's request and its answer: limits, drawing, encoding, accounting, and replays."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from streamer.api.v1 import faults
from streamer.api.v1.faults import Fault, FaultKind
from streamer.api.v1.idempotency import LONGEST_KEY, Replays
from streamer.api.v1.links import Links
from streamer.api.v1.options import PictureApiOptions
from streamer.api.v1.schemas import Ask
from streamer.api.v1.tenants import Tenant, Tenants
from streamer.storage.tenants import TenantRepository, Usage, day_of
from streamer.types import Frame, Preview


class PrivateDraws(Protocol):
    """Draws a picture for its asker alone."""

    def draw(self, ask: Ask, tenant: Tenant, seed: int | None) -> AsyncGenerator[Preview | Frame, None]:
        """Yield previews, then the judged frame; raise a Fault when there is none. Closing cancels the drawing."""
        ...


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as the program wants it."""

    media_type: str
    data: bytes

    @property
    def base64(self) -> str:
        """Return the bytes as JSON carries them."""
        return base64.b64encode(self.data).decode()


@dataclass(frozen=True, slots=True)
class DrawnPictures:
    """The pictures of one request and what they cost; ``replayed`` says that they were drawn for an earlier one."""

    pictures: tuple[EncodedPicture, ...]
    gpu_s: float
    cost: float
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class PictureApi:
    """Everything that the routes below /v1 need. Belongs to the event loop."""

    options: PictureApiOptions
    tenants: Tenants
    draws: PrivateDraws
    usage: TenantRepository
    models: Callable[[], tuple[str, ...]]
    """Returns the names of the model that draws now, its own first."""
    links: Links
    replays: Replays[DrawnPictures] = field(default_factory=Replays)
    started_at: float = field(default_factory=time.time)
    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time

    def today(self) -> str:
        """Return the day by which usage is counted."""
        return day_of(self.wall())

    async def drawn(self, ask: Ask, tenant: Tenant, key: str) -> AsyncIterator[Preview | DrawnPictures]:
        """Yield the previews of a request, then its pictures; ``key`` is its idempotency key or empty.

        Raises a Fault when the tenant may not ask, or there is no picture.
        """
        if (known := await self._begin(ask, tenant, key)) is not None:
            yield replace(known, replayed=True)
            return
        try:
            async with aclosing(self._draw(ask, tenant)) as items:
                async for item in items:
                    if key and isinstance(item, DrawnPictures):
                        self.replays.end(tenant.name, key, item, sum(len(one.data) for one in item.pictures))
                    yield item
        finally:
            if key:
                self.replays.abandon(tenant.name, key)

    async def _begin(self, ask: Ask, tenant: Tenant, key: str) -> DrawnPictures | None:
        if len(key) > LONGEST_KEY:
            raise faults.invalid(f"Idempotency-Key: use at most {LONGEST_KEY} characters", "Idempotency-Key")
        return await self.replays.begin(tenant.name, key, ask.fingerprint, self.now()) if key else None

    async def _draw(self, ask: Ask, tenant: Tenant) -> AsyncGenerator[Preview | DrawnPictures, None]:
        with tenant.asking(ask.count, self.now(), self.today()):
            try:
                async with aclosing(self._draw_each(ask, tenant)) as items:
                    async for item in items:
                        yield item
            except Fault as fault:
                self._note_fault(tenant, fault)
                raise

    async def _draw_each(self, ask: Ask, tenant: Tenant) -> AsyncGenerator[Preview | DrawnPictures, None]:
        pictures, gpu_s = [], 0.0
        for number in range(ask.count):
            seed = None if ask.seed is None else ask.seed + number
            async with aclosing(self.draws.draw(ask, tenant, seed)) as items:
                async for item in items:
                    if isinstance(item, Preview):
                        yield item
                        continue
                    gpu_s += item.drew_s
                    pictures.append(await asyncio.to_thread(encoded, item, ask))
        drawn = DrawnPictures(tuple(pictures), gpu_s, gpu_s * tenant.limits.gpu_second_price)
        self._note(tenant, Usage(tenant.name, self.today(), len(pictures), 0, 0, gpu_s, drawn.cost))
        yield drawn

    def _note_fault(self, tenant: Tenant, fault: Fault) -> None:
        refused = fault.kind is FaultKind.REFUSED
        if refused or fault.status_code >= 500:
            self._note(tenant, Usage(tenant.name, self.today(), refused=int(refused), failed=int(not refused)))

    def _note(self, tenant: Tenant, used: Usage) -> None:
        tenant.count(used)
        self.usage.note(used)


def encoded(frame: Frame, ask: Ask) -> EncodedPicture:
    """Encode a picture as a program wants it; its mark as made by a machine stays. Takes milliseconds: use a thread."""
    # Only here: a program without tenants needs no numpy in this process.
    from streamer.generator.render.encode import converted

    media_type = ask.output_format.media_type
    return EncodedPicture(media_type, converted(frame.data, media_type, ask.quality))
