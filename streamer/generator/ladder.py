"""Climbs back to the wanted backend after a fall to the fallback: each trial has a process of its own.

The fallback draws on meanwhile. A trial that loads draws the next pictures; it replaces the fallback after enough of
them, and its first death ends it. So a trial costs no picture and nothing that viewers see.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from streamer.errors import BackendDied
from streamer.generator.config import WorkerSetup
from streamer.generator.restart_policy import CrashingRequests
from streamer.generator.slot import THIS_COMPUTER, SlotPlace
from streamer.generator.supervisor import Supervisor
from streamer.interfaces import Abilities, Health
from streamer.types import Frame, ImageRequest, Preview

log = logging.getLogger(__name__)


class Ladder:
    """A slot that falls back and climbs again; belongs to the event loop that runs ``run``."""

    def __init__(self, setup: WorkerSetup, place: SlotPlace = THIS_COMPUTER) -> None:
        self.place, self._setup = place, setup
        self._wanted = f"the {setup.backend.name} backend"
        self._crashing = CrashingRequests(setup.options.poison_after, setup.options.poison_for_s)
        self._main = self._supervisor()
        self._trial: Supervisor | None = None
        self._verdict: asyncio.Future[bool] | None = None
        self._failed_trials = self._drawn = 0
        self._next_try = ""
        self._ended: Counter[str] = Counter()
        self._parked = False
        self._changed = asyncio.Event()

    @property
    def free(self) -> bool:
        """Tell whether a request would be drawn at once."""
        return self._front.free

    @property
    def pid(self) -> int | None:
        """Return the id of the process that draws the next picture."""
        return self._front.pid

    @property
    def active(self) -> Mapping[str, str]:
        """Name the backend in use, and when or how the wanted one is tried again."""
        if self._front is self._trial:
            return {**self._front.active, "trial": f"{self._drawn} of {self._setup.options.trial_pictures} pictures"}
        return {**self._main.active, **({"next try": self._next_try} if self._next_try else {})}

    @property
    def abilities(self) -> Abilities:
        """Return what the next picture may be."""
        return self._front.abilities

    @property
    def restarts(self) -> Mapping[str, int]:
        """Count the deaths of all processes by cause since the program started."""
        running = (self._main, self._trial) if self._trial else (self._main,)
        return sum((Counter(supervisor.restarts) for supervisor in running), self._ended.copy())

    def health(self) -> Health:
        """Return how whatever draws the next picture does, and when the wanted backend is tried again."""
        health = self._front.health()
        if self._front is self._trial or not self._next_try:
            return health
        reason = self._main.active.get("fallback", "")
        doing, next_try = health.detail.removesuffix(f"; {reason}"), f"{self._wanted} is tried again {self._next_try}"
        return Health(health.name, health.state, "; ".join(filter(None, (doing, next_try, reason))))

    async def run(self) -> None:
        """Keep something drawing until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            main = tasks.create_task(self._run(self._main))
            while True:
                await self._fall()
                trial = await self._climb(tasks)
                main.cancel()
                await asyncio.wait([main])
                main = trial

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        """Yield previews, then the frame; a picture that a trial dies of is drawn again by the fallback."""
        trial = self._trial
        if trial is not None and trial.free:
            try:
                async with aclosing(trial.draw(request)) as items:
                    async for item in items:
                        if isinstance(item, Frame):
                            self._note_drawn(trial)
                        yield item
                return
            except BackendDied as error:
                log.warning("%s; the picture is drawn by the %s backend", error, self._setup.fallback.name)
        async with aclosing(self._main.draw(request)) as items:
            async for item in items:
                yield item

    def cancel(self, request_id: str) -> None:
        """Stop drawing this request, or waiting to draw it."""
        self._main.cancel(request_id)
        if self._trial is not None:
            self._trial.cancel(request_id)

    async def change(self) -> None:
        """Wait until the state may have changed."""
        self._changed.clear()
        await self._changed.wait()

    def release_gpu(self) -> None:
        """Free the GPU until ``reclaim_gpu``; no trial starts meanwhile."""
        self._parked = True
        self._main.release_gpu()
        if self._trial is not None:
            self._trial.release_gpu()

    def reclaim_gpu(self) -> None:
        """Draw again."""
        self._parked = False
        self._main.reclaim_gpu()
        if self._trial is not None:
            self._trial.reclaim_gpu()
        self._changed.set()

    @property
    def _front(self) -> Supervisor:
        """Return what draws the next picture: the trial as soon as it can."""
        return self._trial if self._trial is not None and self._trial.health().draws else self._main

    def _supervisor(self) -> Supervisor:
        return Supervisor(self._setup, self.place, crashing=self._crashing)

    async def _run(self, supervisor: Supervisor) -> None:
        """Run a supervisor, and pass its changes on."""
        watching = asyncio.create_task(self._watch(supervisor))
        try:
            await supervisor.run()
        finally:
            watching.cancel()

    async def _watch(self, supervisor: Supervisor) -> None:
        while True:
            await supervisor.change()
            self._changed.set()

    async def _fall(self) -> None:
        """Wait until the fallback draws; a backend that cannot run here waits longest for its first trial."""
        while "fallback" not in self._main.active:
            await self._main.change()
        last_exit = self._main.last_exit
        hopeless = last_exit is not None and last_exit.hopeless
        self._failed_trials = len(self._setup.options.fallback_retry_s) - 1 if hopeless else 0

    async def _climb(self, tasks: asyncio.TaskGroup) -> asyncio.Task[None]:
        """Try the wanted backend until a trial succeeds; return the task that runs it from now on."""
        while True:
            await self._wait_for_next_try()
            trial, verdict = self._begin_trial()
            running = tasks.create_task(self._run_trial(trial, verdict))
            if await verdict:
                self._promote(trial)
                return running
            await asyncio.wait([running])
            self._drop(trial)

    async def _wait_for_next_try(self) -> None:
        """Wait as long as the number of failed trials asks for, and until nobody needs the GPU for something else."""
        delays_s = self._setup.options.fallback_retry_s
        if not delays_s:
            await asyncio.Event().wait()
        delay_s = delays_s[min(self._failed_trials, len(delays_s) - 1)]
        self._next_try = f"at {time.strftime('%H:%M:%S', time.localtime(time.time() + delay_s))}"
        log.warning("%s is tried again %s", self._wanted, self._next_try)
        self._changed.set()
        await asyncio.sleep(delay_s)
        while self._parked:
            await self.change()
        self._next_try = "now"

    def _begin_trial(self) -> tuple[Supervisor, asyncio.Future[bool]]:
        trial = self._supervisor()
        trial.on_trial = True
        self._trial, self._drawn = trial, 0
        self._verdict = asyncio.get_running_loop().create_future()
        log.info("%s is tried again", self._wanted)
        self._changed.set()
        return trial, self._verdict

    async def _run_trial(self, trial: Supervisor, verdict: asyncio.Future[bool]) -> None:
        """Run the trial, and go on if it succeeds; its end before that is its failure."""
        try:
            await self._run(trial)
        finally:
            if not verdict.done():
                verdict.set_result(False)

    def _note_drawn(self, trial: Supervisor) -> None:
        """Count a picture; the last one decides for the trial."""
        self._drawn += 1
        verdict, enough = self._verdict, self._drawn >= self._setup.options.trial_pictures
        if enough and trial is self._trial and verdict is not None and not verdict.done():
            trial.on_trial = False
            verdict.set_result(True)
        self._changed.set()

    def _promote(self, trial: Supervisor) -> None:
        """Draw with the wanted backend for good, as after a start."""
        self._ended.update(self._main.restarts)
        self._main, self._trial, self._next_try = trial, None, ""
        log.warning("%s has drawn %d pictures and is back", self._wanted, self._drawn)
        self._changed.set()

    def _drop(self, trial: Supervisor) -> None:
        """Leave the stream to the fallback."""
        self._ended.update(trial.restarts)
        self._trial = None
        self._failed_trials += 1
        why = trial.last_exit.detail if trial.last_exit else "it ended"
        log.warning("the trial of %s failed: %s", self._wanted, why)
        self._changed.set()
