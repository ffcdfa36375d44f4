"""A running supervisor with the scripted backend, and small requests for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse, JudgeUse
from streamer.generator.pool import Pool
from streamer.generator.pool_channel import PoolChannel
from streamer.generator.slot import Slot, SlotPlace
from streamer.generator.supervisor import Supervisor
from streamer.types import Actor, Caption, Frame, ImageRequest, Lane, Preview, RequestKind, Role, SamplingParams

SCRIPTED = "tests.support.scripted_backend"
IMAGE_JUDGE, TEXT_JUDGE = "tests.support.scripted_judge", "tests.support.scripted_reader"
FALLBACK = BackendUse(SCRIPTED, {"on_load": "work"})
SIZES = ((64, 48), (96, 64))
AT_ONCE = WorkerOptions(restart_delays_s=(0,))


def request(
    prompt: str = "a harbour", steps: int = 4, seed: int = 1, caption: Caption | None = None, role: Role = Role.VIEWER
) -> ImageRequest:
    """Build a request for a picture of 64 x 48 pixels; its id is made of prompt and seed."""
    params, actor = SamplingParams(64, 48, steps, 1.0, seed), Actor("1", "somebody", role)
    return ImageRequest(
        f"{prompt}-{seed}", "bg", RequestKind.BACKGROUND, "background", prompt, prompt, params, actor, Lane.CHAT,
        0.0, 1e9, caption=caption,
    )  # fmt: skip


@asynccontextmanager
async def running(
    home: Path,
    options: WorkerOptions = AT_ONCE,
    *,
    on_load: str = "work",
    backend: BackendUse | None = None,
    fallback: BackendUse = FALLBACK,
    judges: tuple[JudgeUse, ...] = (),
) -> AsyncIterator[Supervisor]:
    """Run a supervisor, with the scripted backend unless another is named."""
    use = backend or BackendUse(SCRIPTED, {"on_load": on_load})
    generator = Supervisor(WorkerSetup(options, use, SIZES, home, judges, fallback))
    task = asyncio.create_task(generator.run())
    try:
        yield generator
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def running_pool(slots: Sequence[Slot], deadline_s: float = 20.0) -> AsyncIterator[Pool]:
    """Run a pool of these slots."""
    pool = Pool(slots, deadline_s)
    task = asyncio.create_task(pool.run())
    try:
        yield pool
    finally:
        task.cancel()
        await asyncio.wait([task])


def processes(home: Path, count: int = 2, options: WorkerOptions = AT_ONCE) -> list[Supervisor]:
    """Return slots with a process of the scripted backend each."""
    setup = WorkerSetup(options, BackendUse(SCRIPTED, {"on_load": "work"}), SIZES, home, (), FALLBACK)
    return [Supervisor(setup, SlotPlace(f"process {number}", here=True)) for number in range(1, count + 1)]


async def all_ready(pool: Pool) -> None:
    """Wait until every slot would draw at once."""
    while not all(slot.free for slot in pool.slots):
        await asyncio.sleep(0.005)


async def draw_leased(generator: PoolChannel, wanted: ImageRequest, lane: Lane = Lane.CHAT) -> list[Preview | Frame]:
    """Wait for a GPU and return everything that a drawing on it yields."""
    async with generator.lease(lane) as lease:
        assert lease is not None
        return [item async for item in lease.draw(wanted)]


async def ready(generator: Supervisor | Pool) -> None:
    """Wait until a generator draws."""
    while not generator.health().draws:
        await asyncio.sleep(0.005)


async def draw(generator: Supervisor, wanted: ImageRequest) -> list[Preview | Frame]:
    """Return everything that a drawing yields."""
    return [item async for item in generator.draw(wanted)]
