import os
import signal
from pathlib import Path

import pytest

from streamer.generator.ipc import BackendUse, Begin, DrawCommand, Failed, Progress
from streamer.generator.worker_process import WorkerProcess
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

REQUEST = ImageRequest(
    "1",
    "edit",
    RequestKind.BACKGROUND,
    "background",
    "snow",
    "snow",
    SamplingParams(64, 48, 4, 1.0, 1),
    Actor("1", "somebody", Role.VIEWER),
    Lane.CHAT,
    0.0,
    1.0,
    reference=bytes(8_000_000),
)


@pytest.fixture(autouse=True)
def _tests_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))


def begin(name: str, **options: object) -> Begin:
    return Begin(BackendUse(name, options), ((64, 48),), 88, Path("layouts"))


async def test_a_large_order_to_a_stopped_process_blocks_nobody(tmp_path: Path) -> None:
    life = WorkerProcess(tmp_path)
    os.kill(life.pid, signal.SIGSTOP)
    life.send(begin("support.scripted_backend"))
    life.send(DrawCommand(1, REQUEST))
    assert await life.end() == -signal.SIGKILL
    assert await life.receive() is None


async def test_a_process_that_is_asked_to_leave_leaves_with_status_zero(tmp_path: Path) -> None:
    life = WorkerProcess(tmp_path)
    life.send(begin("support.scripted_backend"))
    assert await life.receive() == Progress("reading weights", 0.5)
    assert await life.end() == 0


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (begin("no_such_backend"), "use one of: auto"),
        (begin("support.scripted_backend", on_lod="work"), "on_lod"),
    ],
)
async def test_what_is_wrong_with_the_order_is_named(tmp_path: Path, order: Begin, problem: str) -> None:
    life = WorkerProcess(tmp_path)
    life.send(order)
    answer = await life.receive()
    assert isinstance(answer, Failed)
    assert (answer.job, answer.error) == (0, "BackendUnavailable")
    assert problem in answer.problem
    await life.end()
