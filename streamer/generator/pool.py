"""Slots of any kind behind one generator: who draws next is decided at the moment at which a GPU is free.

Nothing is queued here but the turns of channels, one for each: their requests wait in their own schedulers, so that
what expires, is taken back or preempted meanwhile is never handed to a GPU.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from streamer.errors import BackendError
from streamer.generator.config import WorkerOptions
from streamer.generator.fair_share import FairShare, Turn
from streamer.generator.restart_policy import CrashingRequests, crashed_before
from streamer.generator.slot import Slot
from streamer.generator.slot_summary import summarize_abilities, summarize_active, summarize_health
from streamer.interfaces import Abilities, Health
from streamer.types import ImageRequest

log = logging.getLogger(__name__)

DEFAULTS = WorkerOptions()


@dataclass(slots=True, eq=False)
class Claim(Turn):
    """A turn that waits for a slot which can draw its picture."""

    fits: Callable[[Slot], bool] = field(default=lambda slot: True)
    since: float = 0.0
    granted: asyncio.Future[Slot] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def takes(self, slot: Slot) -> bool:
        """Tell whether it still waits, and for such a slot."""
        return not self.granted.done() and self.fits(slot)


class Pool:
    """Run the slots, and hand each to one picture at a time."""

    def __init__(
        self, slots: Sequence[Slot], deadline_s: float = 20.0, crashing: CrashingRequests | None = None
    ) -> None:
        self.slots, self.deadline_s = tuple(slots), deadline_s
        self._shares = FairShare()
        self._waiting: list[Claim] = []
        self._taken: set[Slot] = set()
        self._crashing = crashing or CrashingRequests(DEFAULTS.poison_after, DEFAULTS.poison_for_s)

    @property
    def active(self) -> Mapping[str, str]:
        """Name what draws, and how each slot does if there are several."""
        return summarize_active(self.slots)

    @property
    def abilities(self) -> Abilities:
        """Return what at least one of the slots that draw can draw."""
        return summarize_abilities(self.slots)

    @property
    def restarts(self) -> Mapping[str, int]:
        """Count the unexpected ends of all slots by cause."""
        total: Counter[str] = Counter()
        for slot in self.slots:
            total.update(slot.restarts)
        return total

    def health(self) -> Health:
        """Return how the slot does that does best."""
        return summarize_health(self.slots)

    async def run(self) -> None:
        """Run every slot until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for slot in self.slots:
                tasks.create_task(slot.run(), name=f"slot {slot.place.name}")
                tasks.create_task(self._watch(slot), name=f"watch {slot.place.name}")

    def release_gpu(self) -> bool:
        """Free this computer's GPU; return whether no other computer draws meanwhile."""
        for slot in self._slots_here():
            slot.release_gpu()
        return not any(slot.health().draws for slot in self.slots if not slot.place.here)

    def reclaim_gpu(self) -> None:
        """Load the model on this computer again."""
        for slot in self._slots_here():
            slot.reclaim_gpu()

    def objection(self, request: ImageRequest) -> BackendError | None:
        """Return why no slot may draw this picture: it ended too many. A single slot counts for itself."""
        poisoned = len(self.slots) > 1 and self._crashing.refuses(request, loop_time())
        return crashed_before() if poisoned else None

    def objection_of(self, slot: Slot, request: ImageRequest) -> str:
        """Return why a slot cannot draw this kind of picture, if another one might; empty if it can."""
        return slot.abilities.objection(request) if len(self.slots) > 1 else ""

    def blame(self, request: ImageRequest, deaths: int) -> None:
        """Note that so many slots ended while they drew this picture."""
        if self._crashing.blame(request, loop_time(), deaths) and len(self.slots) > 1:
            log.warning("request %s (%s) ended several slots; its picture is refused", request.id, request.command)

    def draws_again(self) -> bool:
        """Tell whether a picture that lost its slot may find another one, or that one again.

        A single process on this computer needs longer to load than anybody waits.
        """
        return len(self.slots) > 1 or not self.slots[0].place.here

    async def slot_for(self, claim: Claim, unless: asyncio.Event | None = None) -> Slot | None:
        """Wait for a slot; None if ``unless`` is set before. Whoever gets it gives it back."""
        claim.since = loop_time()
        self._waiting.append(claim)
        self._grant()
        try:
            return await _either(claim.granted, unless)
        except asyncio.CancelledError:
            if claim.granted.done() and not claim.granted.cancelled() and not claim.granted.exception():
                self.give_back(claim, claim.granted.result(), 0.0)
            raise
        finally:
            if claim in self._waiting:
                self._waiting.remove(claim)

    def give_back(self, claim: Claim, slot: Slot, seconds: float) -> None:
        """Let another picture have the slot, which was used for so long."""
        self._taken.discard(slot)
        self._shares.end(claim, seconds)
        # Not at once: a channel whose streamer preempts its picture asks again right now, and is to be among them.
        asyncio.get_running_loop().call_soon(self._grant)

    async def _watch(self, slot: Slot) -> None:
        while True:
            await slot.change()
            self._grant()

    def _grant(self) -> None:
        """Hand out every slot that is free."""
        if not self._waiting:
            return
        for slot in self._free_slots():
            claim = self._shares.choose([claim for claim in self._waiting if claim.takes(slot)], loop_time())
            if claim is not None:
                self._waiting.remove(claim)
                self._taken.add(slot)
                self._shares.begin(claim, loop_time())
                claim.granted.set_result(slot)

    def _free_slots(self) -> Iterator[Slot]:
        """Yield the slots that could draw at once, in the order of the config; standbys only if nothing else draws."""
        alone = not any(slot.health().draws for slot in self.slots if not slot.place.standby)
        for slot in self.slots:
            if slot.free and slot not in self._taken and (alone or not slot.place.standby):
                yield slot

    def _slots_here(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.place.here]


async def _either(granted: asyncio.Future[Slot], unless: asyncio.Event | None) -> Slot | None:
    """Wait for the slot or for the event; None if only the event came."""
    if unless is None or granted.done():
        return await granted
    changed = asyncio.ensure_future(unless.wait())
    try:
        await asyncio.wait(cast(set[asyncio.Future[object]], {granted, changed}), return_when=asyncio.FIRST_COMPLETED)
    finally:
        changed.cancel()
    return granted.result() if granted.done() else None


def loop_time() -> float:
    """Return the running event loop's time, which its timeouts count in."""
    return asyncio.get_running_loop().time()
