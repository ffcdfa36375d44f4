"""Runs the generator process: starts it, restarts it, and hands pictures out; worker_protocol.py decides what to do.

The process may run behind a connection: a worker on another computer is supervised by the same rules.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import replace
from functools import partial

from streamer.errors import BackendError
from streamer.generator.config import BLURRED_PX, WorkerSetup
from streamer.generator.ipc import Begin
from streamer.generator.restart_policy import CrashingRequests, WorkerExit
from streamer.generator.slot import THIS_COMPUTER, SlotPlace
from streamer.generator.worker_actions import (
    HEALTH,
    STOPPED,
    DeliverItem,
    DrawItem,
    EndWorker,
    KillWorker,
    RestartAfter,
    SendCommand,
    WorkerAction,
    WorkerState,
)
from streamer.generator.worker_link import Launch, NotStarted, WorkerLink
from streamer.generator.worker_process import start_process
from streamer.generator.worker_protocol import WorkerProtocol
from streamer.interfaces import Abilities, Health, HealthState
from streamer.types import Frame, ImageRequest, Preview, Role

log = logging.getLogger(__name__)

WAITING_ITEMS = 8
TRUSTED_ROLE = Role.MODERATOR
"""From this role on, people may see previews of their own pictures before anybody has judged them."""


class Supervisor:
    """Draw pictures in a process that may die at any time; belongs to the event loop that runs ``run``.

    While it is ``on_trial``, ``run`` returns at the first death instead of starting another process.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        place: SlotPlace = THIS_COMPUTER,
        launch: Launch | None = None,
        crashing: CrashingRequests | None = None,
    ) -> None:
        self.place, self._setup = place, setup
        self._launch = launch or partial(start_process, setup.home)
        self._protocol = WorkerProtocol(setup, crashing)
        self.on_trial = False
        self._worker: WorkerLink | None = None
        self._hang_timer: asyncio.Timeout | None = None
        self._drawings: dict[int, asyncio.Queue[DrawItem]] = {}
        self._waiting: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def free(self) -> bool:
        """Tell whether a request would be drawn at once."""
        return self._protocol.state is WorkerState.READY

    @property
    def pid(self) -> int | None:
        """The process id while there is a process."""
        return self._worker.pid if self._worker else None

    @property
    def active(self) -> dict[str, str]:
        """Name the backend in use, why it is not the configured one, and what it says about itself."""
        return self._protocol.active

    @property
    def abilities(self) -> Abilities:
        """Return what the backend can draw; everything is assumed until it is loaded."""
        return self._protocol.abilities

    @property
    def restarts(self) -> Mapping[str, int]:
        """Count the deaths of the process by cause since the program started."""
        return self._protocol.restarts

    @property
    def last_exit(self) -> WorkerExit | None:
        """Return how the process last ended unexpectedly."""
        return self._protocol.last_exit

    def health(self) -> Health:
        """Return cold, warming, ready, busy, parked or failed, and why."""
        return self._protocol.health()

    async def run(self) -> None:
        """Keep a process alive until cancelled, or until a trial has failed; cancelling ends it."""
        try:
            while True:
                restart = await self._run_worker(await self._wanted())
                if self.on_trial and restart.why:
                    return
                if restart.why:
                    log.error("%s", restart.why)
                await asyncio.sleep(restart.delay_s)
        finally:
            self._perform(self._protocol.close())

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        """Yield previews, then the frame; closing the iterator makes the process stop at its next step."""
        if (refusal := self._protocol.refusal(request, _now())) is not None:
            raise refusal
        await self._claim(request.id)
        sent = request if self._setup.as_asked else limit_previews(request, *self._setup.preview_widths)
        job, actions = self._protocol.draw(sent, _now())
        items = self._drawings[job] = asyncio.Queue(WAITING_ITEMS)
        self._perform(actions)
        deadline = _now() + self._setup.options.deadline_s
        try:
            while True:
                item = await self._next(items, deadline)
                yield item
                if isinstance(item, Frame):
                    return
        finally:
            del self._drawings[job]
            self._perform(self._protocol.abandon(job))

    def cancel(self, request_id: str) -> None:
        """Stop drawing this request, or waiting to draw it; its ``draw`` raises BackendError."""
        self._waiting.discard(request_id)
        self._perform(self._protocol.cancel(request_id))

    async def change(self) -> None:
        """Wait until the state may have changed."""
        self._changed.clear()
        await self._changed.wait()

    def release_gpu(self) -> None:
        """End the process, which frees the GPU, as soon as it draws nothing; start none until ``reclaim_gpu``."""
        self._perform(self._protocol.release_gpu())

    def reclaim_gpu(self) -> None:
        """Start the process again."""
        self._protocol.reclaim_gpu()
        self._changed.set()

    async def _wanted(self) -> Begin:
        """Wait while the generator is parked; return the first message to a new process."""
        while (begin := self._protocol.start(_now())) is None:
            await self.change()
        self._changed.set()
        return begin

    async def _run_worker(self, begin: Begin) -> RestartAfter:
        """Start a process, listen to it until it is gone, and return when to start the next one."""
        try:
            worker = self._worker = await self._launch()
        except NotStarted as error:
            return self._perform(self._protocol.not_started(str(error), _now()))
        worker.send(begin)
        try:
            await self._listen(worker)
        finally:
            self._worker = self._hang_timer = None
            self._protocol.ending()
            self._changed.set()
            ended = await worker.end()
        return self._perform(self._protocol.exited(ended, _now()))

    async def _listen(self, worker: WorkerLink) -> None:
        """Act on each reply until the process is gone or hangs."""
        try:
            async with asyncio.timeout_at(self._protocol.deadline()) as self._hang_timer:
                while (reply := await worker.receive()) is not None:
                    self._perform(self._protocol.received(reply, _now()))
        except TimeoutError:
            self._perform(self._protocol.silent())

    async def _claim(self, request_id: str) -> None:
        """Wait until the process is ready to draw this request."""
        self._waiting.add(request_id)
        try:
            async with asyncio.timeout(self._setup.options.deadline_s):
                while self._protocol.state is not WorkerState.READY:
                    if HEALTH[self._protocol.state] is HealthState.FAILED:
                        raise BackendError(self._protocol.detail)
                    await self.change()
                    if request_id not in self._waiting:
                        raise BackendError(STOPPED)
        except TimeoutError:
            raise BackendError(f"the generator is not ready: {self._protocol.detail}") from None
        finally:
            self._waiting.discard(request_id)

    async def _next(self, items: asyncio.Queue[DrawItem], deadline: float) -> Preview | Frame:
        try:
            async with asyncio.timeout_at(deadline):
                item = await items.get()
        except TimeoutError:
            raise BackendError(f"the picture took longer than {self._setup.options.deadline_s:g} s") from None
        if isinstance(item, BackendError):
            raise item
        return item

    def _perform(self, actions: Iterable[WorkerAction]) -> RestartAfter:
        """Do what the protocol decided; return when to start the next process, if that was part of it."""
        restart = RestartAfter(0.0)
        for action in actions:
            match action:
                case SendCommand(command) if self._worker is not None:
                    self._worker.send(command)
                case DeliverItem(job, item):
                    self._deliver(job, item)
                case EndWorker() if self._worker is not None:
                    self._worker.leave()
                case KillWorker() if self._worker is not None:
                    self._worker.kill()
                case RestartAfter():
                    restart = action
        if self._hang_timer is not None and not self._hang_timer.expired():
            self._hang_timer.reschedule(self._protocol.deadline())
        self._changed.set()
        return restart

    def _deliver(self, job: int, item: DrawItem) -> None:
        """Queue an item for its drawing; previews that nobody fetched make room for newer ones."""
        items = self._drawings.get(job)
        if items is None:
            return
        if items.full():
            items.get_nowait()
        items.put_nowait(item)


def limit_previews(request: ImageRequest, blurred_px: int, trusted_px: int) -> ImageRequest:
    """Set how large the previews of a request may be, by the role of whoever asked."""
    longest = trusted_px if request.actor.role >= TRUSTED_ROLE else min(blurred_px, BLURRED_PX)
    return replace(request, preview_px=longest)


def _now() -> float:
    """Return the running event loop's time, which its timeouts count in."""
    return asyncio.get_running_loop().time()
