"""One connection of a program to this computer's worker: obeys its commands, and tells it how the worker does."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from streamer.errors import BackendError
from streamer.generator.ipc import Cancel, DrawCommand, Failed, Heartbeat, Produced, Standing, Stopped
from streamer.generator.slot import Slot
from streamer.generator.worker_actions import STOPPED
from streamer.generator.worker_wire import HomeMessage, WireError, decode_for_worker, encode
from streamer.interfaces import HealthState

HEARTBEAT_S = 2.0


class WorkerSession:
    """Serve one connection; belongs to the event loop."""

    def __init__(self, connection: ServerConnection, supervisor: Slot) -> None:
        self._connection, self._supervisor = connection, supervisor
        self._drawing: asyncio.Task[None] | None = None
        self._cancelled_up_to = 0

    async def run(self) -> None:
        """Obey until the connection ends; raises WireError when it sends what is no command."""
        telling = [asyncio.create_task(self._tell_standing()), asyncio.create_task(self._beat())]
        try:
            with suppress(ConnectionClosed):
                await self._obey()
        finally:
            tasks = [*telling, *([self._drawing] if self._drawing else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _obey(self) -> None:
        while True:
            match decode_for_worker(await self._connection.recv(decode=False)):
                case DrawCommand() as command:
                    self._drawing = asyncio.create_task(self._draw(command, self._drawing))
                case Cancel(job):
                    self._cancelled_up_to = max(self._cancelled_up_to, job)
                    self._supervisor.cancel(f"job-{job}")
                case _:
                    raise WireError("a second start")

    async def _draw(self, command: DrawCommand, previous: asyncio.Task[None] | None) -> None:
        """Draw one job, after the last bytes of the one before are on their way."""
        if previous is not None:
            await asyncio.wait([previous])
        with suppress(ConnectionClosed):
            try:
                await self._send_items(command)
            except BackendError as error:
                await self._free()
                # First how the worker does: to the program, the answer means that the next picture may come.
                await self._send(self._standing())
                await self._send(_answer(command.job, error))

    async def _send_items(self, command: DrawCommand) -> None:
        if command.job <= self._cancelled_up_to:
            raise BackendError(STOPPED)
        async with aclosing(self._supervisor.draw(command.request)) as items:
            async for item in items:
                await self._send(Produced(command.job, item))

    async def _free(self) -> None:
        """Wait until the generator process has stopped drawing what was cancelled."""
        while self._supervisor.health().state is HealthState.BUSY:
            await self._supervisor.change()

    async def _tell_standing(self) -> None:
        """Tell each change of how the worker does, but not that it draws: whoever asked knows."""
        last: Standing | None = None
        with suppress(ConnectionClosed):
            while True:
                standing = self._standing()
                if standing != last and self._supervisor.health().state is not HealthState.BUSY:
                    last = standing
                    await self._send(standing)
                else:
                    await self._supervisor.change()

    async def _beat(self) -> None:
        """Tell that the connection is alive: the worker itself ends a process that hangs."""
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                await self._send(Heartbeat())

    def _standing(self) -> Standing:
        health = self._supervisor.health()
        return Standing(health.draws, health.detail, self._supervisor.active, self._supervisor.abilities)

    async def _send(self, message: HomeMessage) -> None:
        await self._connection.send(encode(message))


def _answer(job: int, error: BackendError) -> Stopped | Failed:
    if error.problem == STOPPED:
        return Stopped(job)
    return Failed(job, type(error).__name__, error.problem, error.fix)
