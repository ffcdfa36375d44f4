import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.generator.ipc import BackendUse, Begin, DrawCommand, Failed, Progress
from streamer.generator.worker_process import WorkerProcess
from tests.support.generation import SCRIPTED, request


def begin(name: str, **options: object) -> Begin:
    return Begin(BackendUse(name, options), ((64, 48),), 88, Path("layouts"))


async def test_a_large_command_to_a_stopped_process_blocks_nobody(tmp_path: Path) -> None:
    process = WorkerProcess(tmp_path)
    os.kill(process.pid, signal.SIGSTOP)
    process.send(begin(SCRIPTED))
    process.send(DrawCommand(1, replace(request(), reference=bytes(8_000_000))))
    assert await process.end() == -signal.SIGKILL
    assert await process.receive() is None


async def test_a_process_that_is_asked_to_leave_leaves_with_status_zero(tmp_path: Path) -> None:
    process = WorkerProcess(tmp_path)
    process.send(begin(SCRIPTED))
    assert await process.receive() == Progress("reading weights", 0.5)
    assert await process.end() == 0


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (begin("no_such_backend"), "use one of: auto"),
        (begin(SCRIPTED, on_lod="work"), "on_lod"),
    ],
)
async def test_a_wrong_command_is_answered_with_its_fault(tmp_path: Path, command: Begin, problem: str) -> None:
    process = WorkerProcess(tmp_path)
    process.send(command)
    reply = await process.receive()
    assert isinstance(reply, Failed)
    assert (reply.job, reply.error) == (0, "BackendUnavailable")
    assert problem in reply.problem
    await process.end()
