"""A worker that listens on this computer, with the scripted backend, and slots that draw on it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from streamer import server
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse, JudgeUse, Start
from streamer.generator.slots import remote
from streamer.generator.supervisor import Supervisor
from streamer.generator.worker_server import WorkerServer
from streamer.storage import secret_files
from tests.support.generation import AT_ONCE, FALLBACK, SCRIPTED, SIZES

TOKEN = "correct-horse-battery-staple"


@dataclass
class RemoteWorker:
    """A worker that listens; ``built`` are the supervisors that it made, the last one being in use."""

    folder: Path
    options: WorkerOptions
    port: int
    built: list[Supervisor]
    starts: list[Start]

    def build(self, start: Start, layouts: Path) -> Supervisor:
        use = BackendUse(SCRIPTED, {"on_load": "work"})
        setup = WorkerSetup(
            self.options, use, start.sizes, self.folder, start.judges, FALLBACK, layouts=layouts, as_asked=True
        )
        self.starts.append(start)
        self.built.append(Supervisor(setup))
        return self.built[-1]


@asynccontextmanager
async def listening(
    folder: Path, options: WorkerOptions = AT_ONCE, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[RemoteWorker]:
    """Run a worker on a free port."""
    folder.mkdir(exist_ok=True)
    with server.listen("127.0.0.1", port) as bound:
        bound.listen()  # whoever connects before the worker runs waits for it
        worker = RemoteWorker(folder, options, bound.getsockname()[1], [], [])
        task = asyncio.create_task(WorkerServer(TOKEN, worker.build, folder).run(bound, tls))
        try:
            yield worker
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def slot_at(
    home: Path, port: int, *, token: str = TOKEN, judges: tuple[JudgeUse, ...] = (), options: WorkerOptions = AT_ONCE,
    **more: object,
) -> Supervisor:  # fmt: skip
    """Return a slot that draws at a port of this computer."""
    secret_files.write(secret_files.path_in(home, "gpu"), token.encode())
    setup = WorkerSetup(options, BackendUse(SCRIPTED, {}), SIZES, home, judges)
    given = {"url": f"ws://127.0.0.1:{port}", "token_file": "gpu", **more}
    return remote.create(remote.Options.model_validate(given), setup, home)


@asynccontextmanager
async def connected(slot: Supervisor) -> AsyncIterator[Supervisor]:
    """Run a slot."""
    task = asyncio.create_task(slot.run())
    try:
        yield slot
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
