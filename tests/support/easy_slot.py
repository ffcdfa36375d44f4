"""A slot without a process: the test says when its picture is done, what it can draw, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping

from streamer.errors import BackendError
from streamer.generator.slot import SlotPlace
from streamer.generator.worker_actions import STOPPED
from streamer.interfaces import Abilities, Health, HealthState
from streamer.types import Frame, ImageRequest, Preview


class EasySlot:
    """Draws when ``go`` lets it; ``state`` is where it stands."""

    def __init__(self, name: str = "easy", *, here: bool = False, standby: bool = False) -> None:
        self.place = SlotPlace(name, here, standby)
        self.active: Mapping[str, str] = {"backend": f"painter of {name}"}
        self.abilities, self.restarts = Abilities(), dict[str, int]()
        self.state, self.detail = HealthState.READY, "drawing"
        self.drawn: list[str] = []
        self.go = asyncio.Semaphore(0)
        self.fault: BackendError | None = None
        self._changed = asyncio.Event()

    @property
    def free(self) -> bool:
        return self.state is HealthState.READY

    def health(self) -> Health:
        return Health("generator", self.state, self.detail)

    def become(self, state: HealthState) -> None:
        self.state = state
        self._changed.set()

    def finish(self, fault: BackendError | None = None, then: HealthState = HealthState.READY) -> None:
        """Let the picture end: with its frame, or with a fault after which the slot is in another state."""
        self.fault = fault
        self.become(then)
        self.go.release()

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        self.become(HealthState.BUSY)
        self.drawn.append(request.prompt)
        yield Preview(request.id, request.layer, 1, 2, "image/jpeg", b"small", 32, 18)
        await self.go.acquire()
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        yield Frame(request.id, request.layer, "image/jpeg", self.place.name.encode(), 64, 48)

    def cancel(self, request_id: str) -> None:
        self.finish(BackendError(STOPPED))

    def release_gpu(self) -> None:
        self.become(HealthState.PARKED)

    def reclaim_gpu(self) -> None:
        self.become(HealthState.READY)
