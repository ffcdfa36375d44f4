"""What joins the program to a worker: both kinds offer it, and a worker that cannot be started says why."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from streamer.generator.remote_link import RemoteLink, RemoteWorker, connect_worker
from streamer.generator.worker_link import NotStarted, WorkerLink
from streamer.generator.worker_process import WorkerProcess, start_process


@pytest.mark.parametrize("kind", [WorkerProcess, RemoteLink])
def test_every_kind_has_every_member(kind: type) -> None:
    wanted = {name for name in vars(WorkerLink) if not name.startswith("_")}
    assert wanted <= {name for name, _ in inspect.getmembers(kind)}


async def test_a_process_that_the_system_refuses_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("too many open files")

    monkeypatch.setattr("subprocess.Popen", refuse)
    with pytest.raises(NotStarted, match="the generator process cannot be started: too many open files"):
        await start_process(tmp_path)


async def test_a_worker_that_is_not_there_is_not_started() -> None:
    with pytest.raises(NotStarted, match=r"the worker at ws://127.0.0.1:1 cannot be used: nothing listens there"):
        await connect_worker(RemoteWorker("ws://127.0.0.1:1", "token", "0" * 16))
