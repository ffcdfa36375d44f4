"""A running supervisor with the scripted backend, and small requests for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse, JudgeUse
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


async def draw(generator: Supervisor, wanted: ImageRequest) -> list[Preview | Frame]:
    """Return everything that a drawing yields."""
    return [item async for item in generator.draw(wanted)]
