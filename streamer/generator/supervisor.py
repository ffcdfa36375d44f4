"""Runs one backend in a child process: watches it, restarts it, and draws with another when it keeps dying."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from streamer import errors
from streamer.errors import BackendDied, BackendError
from streamer.generator.ipc import (
    BackendUse,
    Begin,
    Cancel,
    DrawCommand,
    Failed,
    FasterNow,
    Heartbeat,
    JudgeUse,
    Produced,
    Progress,
    Ready,
    Stopped,
    WorkerReply,
)
from streamer.generator.restart_policy import CrashingRequests, RestartPolicy, WorkerExit, explain_exit
from streamer.generator.worker_process import WorkerProcess
from streamer.interfaces import Health, HealthState
from streamer.types import Frame, ImageRequest, Judgement, Outcome, Preview, Role

log = logging.getLogger(__name__)

PREVIEWS_WAITING = 8
PROCEDURAL = BackendUse("procedural", {})
BLURRED_PX = 32
"""Longest side at which nothing in a picture can be recognised; the limit for everybody who is not trusted."""
TRUSTED = Role.MODERATOR
"""Whom the streamer trusts to ask for nothing that must not be seen; keys and the panel are the broadcaster's."""

Item = Preview | Frame | BackendError


class WorkerOptions(BaseModel):
    """How long the generator process may take over things, and how often it may die."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline_s: float = Field(20.0, gt=0, description="longest time for one picture; also longest wait for a restart")
    step_timeout_s: float = Field(10.0, gt=0, description="no step and no judge's look for so long is a hang")
    start_timeout_s: float = Field(900.0, gt=0, description="no progress for this long while loading is a hang")
    restart_delays_s: tuple[float, ...] = Field(
        (0, 1, 2, 5, 10, 30), min_length=1, description="wait before the first, second, ... restart"
    )
    give_up_after: int = Field(5, ge=1, description="this many deaths within give_up_window_s switch the backend")
    give_up_window_s: float = Field(600.0, gt=0, description="how long a death counts")
    poison_after: int = Field(2, ge=1, description="a picture that killed this many processes is refused")
    jpeg_quality: int = Field(88, ge=50, le=100, description="quality of the pictures, 85 to 90 is sensible")
    preview_width: int = Field(BLURRED_PX, ge=8, le=BLURRED_PX, description="longest side of a preview in pixels")
    trusted_preview_width: int = Field(
        256, ge=8, le=512, description="the same, of what moderators and the streamer ask for, where no judge is set"
    )


@dataclass(slots=True)
class PendingDraw:
    """One picture being drawn; ``items`` ends with a Frame or an error."""

    number: int
    request: ImageRequest
    items: asyncio.Queue[Preview | Frame | BackendError] = field(
        default_factory=lambda: asyncio.Queue(PREVIEWS_WAITING)
    )
    ended: bool = False

    def tell(self, item: Preview | Frame | BackendError) -> None:
        """Pass an item on; previews that nobody fetched give way to newer ones."""
        if self.ended:
            return
        if self.items.full():
            self.items.get_nowait()
        self.items.put_nowait(item)
        self.ended = not isinstance(item, Preview)


class Supervisor:
    """Draw pictures in a child process that may die at any time; belongs to the event loop that runs ``run``."""

    def __init__(
        self,
        options: WorkerOptions,
        backend: BackendUse,
        sizes: Sequence[tuple[int, int]],
        home: Path,
        fallback: BackendUse = PROCEDURAL,
        clock: Callable[[], float] = time.monotonic,
        judges: Sequence[JudgeUse] = (),
    ) -> None:
        self._options, self._use, self._fallback = options, backend, fallback
        self._judges = tuple(judges)
        # They are missed, too, when another backend draws that does not bring them.
        self._expected = (*(use.name for use in judges if use.always), *backend.opinions)
        # Whoever has set a judge wants nothing recognised before it has looked, whoever asked for it.
        judged = bool(self._judges or backend.opinions)
        self._preview_widths = options.preview_width, options.preview_width if judged else options.trusted_preview_width
        self._sizes, self._home, self._clock = tuple(sizes), home, clock
        self._deaths = RestartPolicy(options.restart_delays_s, options.give_up_after, options.give_up_window_s)
        self._poison = CrashingRequests(options.poison_after)
        self._state, self._detail = HealthState.COLD, "not started yet"
        self._progress: Progress | None = None
        self._active: dict[str, str] = {}
        self._edits = True
        self._why_fallback = ""
        self._life: WorkerProcess | None = None
        self._patience: asyncio.Timeout | None = None
        self._job: PendingDraw | None = None
        self._jobs = 0
        self._drew_s = self._judged_s = 0.0
        self._waiting: set[str] = set()
        self._moved = asyncio.Event()
        self._parked = self._dismissed = False

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        return self._life.pid if self._life else None

    @property
    def progress(self) -> Progress | None:
        """What is being loaded or warmed up right now."""
        return self._progress

    @property
    def active(self) -> dict[str, str]:
        """Name the backend in use, why it is not the chosen one, and what it says about itself."""
        why = {"fallback": self._why_fallback} if self._why_fallback else {}
        return {"backend": self._use.name, **why, **self._active}

    @property
    def edits(self) -> bool:
        """Tell whether the backend changes pictures; until it is loaded that is taken for granted."""
        return self._edits

    @property
    def restarts(self) -> Mapping[str, int]:
        """Count the deaths of the child by cause since the program started."""
        return dict(self._deaths.by_cause)

    @property
    def drew_s(self) -> float:
        """Seconds that the backend itself worked on the last picture, without caption, encoding and transport."""
        return self._drew_s

    @property
    def judged_s(self) -> float:
        """Seconds that the last picture, finished, waited for its judges in the process."""
        return self._judged_s

    def health(self) -> Health:
        """Say cold, warming, ready, busy, parked or failed, and why."""
        return Health("generator", self._state, "; ".join(filter(None, (self._detail, self._why_fallback))))

    async def run(self) -> None:
        """Keep a child process alive until cancelled; cancelling ends it."""
        try:
            while True:
                await self._wanted()
                self._enter(HealthState.COLD, f"starting the {self._use.name} backend")
                death = await self._live()
                if self._dismissed:
                    self._dismissed, self._active, self._progress = False, {}, None
                else:
                    await asyncio.sleep(self._after(death))
        finally:
            self._enter(HealthState.FAILED, "the generator is stopped")
            self._end_job(BackendError("the generator is stopped"))

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        """Yield previews, then the frame; closing the iterator makes the child stop at its next step."""
        if self._poison.refuses(request):
            raise BackendError("this picture has crashed the generator before", fix="ask for something else")
        job = await self._begin(request)
        deadline = asyncio.get_running_loop().time() + self._options.deadline_s
        try:
            while True:
                item = await self._next(job, deadline)
                yield item
                if isinstance(item, Frame):
                    return
        finally:
            self._give_up(job)

    async def ready(self) -> None:
        """Wait until a request would be drawn at once."""
        while self._state is not HealthState.READY:
            self._moved.clear()
            await self._moved.wait()

    def cancel(self, request_id: str) -> None:
        """Stop drawing this request, or waiting to draw it; its ``draw`` raises BackendError."""
        self._waiting.discard(request_id)
        self._moved.set()
        if self._job is not None and self._job.request.id == request_id:
            self._stop(self._job, BackendError("the drawing was stopped"))

    def park(self) -> None:
        """End the child as soon as it has nothing to draw, which frees the GPU, and start none until ``unpark``."""
        self._parked = True
        self._dismiss()

    def unpark(self) -> None:
        """Start the child again."""
        self._parked = False
        self._moved.set()

    def _dismiss(self) -> None:
        if self._parked and self._job is None and self._life is not None and not self._dismissed:
            self._dismissed = True
            self._enter(HealthState.COLD, "giving the GPU away")
            self._life.leave()

    async def _wanted(self) -> None:
        """Wait for as long as the generator is parked."""
        while self._parked:
            self._enter(
                HealthState.PARKED, "the GPU is free for other programs; nothing is drawn until it is warmed up again"
            )
            self._moved.clear()
            await self._moved.wait()

    async def _begin(self, request: ImageRequest) -> PendingDraw:
        """Wait until the child is free and hand the request over."""
        self._waiting.add(request.id)
        try:
            async with asyncio.timeout(self._options.deadline_s):
                life = await self._idle(request.id)
        except TimeoutError:
            raise BackendError(f"the generator is not ready: {self._detail}") from None
        finally:
            self._waiting.discard(request.id)
        self._jobs += 1
        self._job = PendingDraw(self._jobs, request)
        life.send(DrawCommand(self._job.number, sized(request, *self._preview_widths)))
        self._enter(HealthState.BUSY, "drawing")
        self._be_patient()
        return self._job

    async def _idle(self, request_id: str) -> WorkerProcess:
        """Wait for a child that has nothing to do."""
        while self._state is not HealthState.READY or self._life is None:
            if self._state is HealthState.FAILED:
                raise BackendError(self._detail)
            self._moved.clear()
            await self._moved.wait()
            if request_id not in self._waiting:
                raise BackendError("the drawing was stopped")
        return self._life

    async def _next(self, job: PendingDraw, deadline: float) -> Preview | Frame:
        try:
            async with asyncio.timeout_at(deadline):
                item = await job.items.get()
        except TimeoutError:
            raise BackendError(f"the picture took longer than {self._options.deadline_s:g} s") from None
        if isinstance(item, BackendError):
            raise item
        return item

    def _give_up(self, job: PendingDraw) -> None:
        """Make sure that the child does not go on with a job whose reader has left."""
        if job is self._job and not job.ended:
            self._stop(job, BackendError("nobody waits for the picture any more"))

    def _stop(self, job: PendingDraw, reason: BackendError) -> None:
        job.tell(reason)
        if self._life is not None:
            self._life.send(Cancel(job.number))

    async def _live(self) -> WorkerExit:
        """Start a child, listen to it until it is dead, and say what it died of."""
        try:
            life = WorkerProcess(self._home)
        except OSError as error:
            return WorkerExit("start", f"the generator process cannot be started: {error}")
        self._life = life
        life.send(self._first_word())
        last_word: Failed | None = None
        hung = False
        try:
            last_word = await self._listen(life)
        except TimeoutError:
            hung = True
            life.kill()
        finally:
            self._life = self._patience = None
            self._enter(HealthState.COLD, f"the {self._use.name} backend has ended")
            status = await life.end()
        return explain_exit(self._use.name, status, hung, last_word)

    def _first_word(self) -> Begin:
        return Begin(self._use, self._sizes, self._options.jpeg_quality, self._home / "layouts", self._judges)

    async def _listen(self, life: WorkerProcess) -> Failed | None:
        """Act on each answer; return why it cannot start if it said so, or None when it is gone."""
        async with asyncio.timeout(self._options.start_timeout_s) as self._patience:
            while (answer := await life.receive()) is not None and not self._dismissed:
                if isinstance(answer, Failed) and answer.job == 0:
                    return answer
                self._hear(answer)
                self._be_patient()
        return None

    def _be_patient(self) -> None:
        """Set the clock after which silence is a hang: an idle child may be silent for ever."""
        if self._patience is None:
            return
        limits = {HealthState.READY: None, HealthState.BUSY: self._options.step_timeout_s}
        limit = limits.get(self._state, self._options.start_timeout_s)
        self._patience.reschedule(None if limit is None else asyncio.get_running_loop().time() + limit)

    def _hear(self, answer: WorkerReply) -> None:
        match answer:
            case Progress(doing, share):
                self._progress = answer
                self._enter(HealthState.WARMING, f"{doing} ({share * 100:.0f} %)")
            case Ready(active, edits):
                self._active, self._edits, self._progress = active, edits, None
                self._enter(HealthState.READY, f"drawing with the {self._use.name} backend")
            case FasterNow(doing, share, active):
                self._active = active
                if self._state is HealthState.READY:
                    more = "" if share >= 1 else f", getting faster: {doing} ({share * 100:.0f} %)"
                    self._enter(HealthState.READY, f"drawing with the {self._use.name} backend{more}")
            case Produced(job, item, drew_s, judged_s):
                self._drew_s, self._judged_s = drew_s, judged_s
                self._tell(job, self._fully_judged(item) if isinstance(item, Frame) else item)
            case Failed(job, error, problem, fix):
                kind = getattr(errors, error, BackendError)
                self._tell(job, kind(problem, fix=fix))
            case Stopped(job):
                self._tell(job, BackendError("the drawing was stopped"))
            case Heartbeat():
                pass

    def _fully_judged(self, frame: Frame) -> Frame:
        """Put a hold in the place of every judge that is always asked and has not answered."""
        answered = {one.judge for one in frame.judgements}
        silent = [name for name in self._expected if name not in answered]
        missing = (Judgement(Outcome.HOLD, "missing", name, "") for name in silent)
        return replace(frame, judgements=(*frame.judgements, *missing)) if silent else frame

    def _tell(self, number: int, item: Item) -> None:
        """Pass an answer on to its job; anything but a preview sets the child free."""
        if self._job is None or self._job.number != number:
            return
        self._job.tell(item)
        if not isinstance(item, Preview):
            self._job = None
            self._enter(HealthState.READY, f"drawing with the {self._use.name} backend")
            self._dismiss()

    def _after(self, death: WorkerExit) -> float:
        """Draw the consequences of a death and say how long to wait before the next start."""
        now = self._clock()
        self._deaths.add(death, now)
        if self._job is not None:
            self._poison.blame(self._job.request)
        self._end_job(BackendDied(death.detail))
        self._active, self._progress = {}, None
        if self._use != self._fallback and (death.hopeless or self._deaths.too_many(now)):
            self._fall_back(death)
            return 0.0
        delay_s = self._deaths.delay_s(now)
        state = HealthState.FAILED if death.hopeless or self._deaths.too_many(now) else HealthState.COLD
        self._enter(state, f"{death.detail}; restarting in {delay_s:g} s")
        log.error("%s", self._detail)
        return delay_s

    def _end_job(self, reason: BackendError) -> None:
        if self._job is not None:
            self._job.tell(reason)
        self._job = None

    def _fall_back(self, death: WorkerExit) -> None:
        limit, minutes = self._options.give_up_after, self._options.give_up_window_s / 60
        often = "" if death.hopeless else f", the last of {limit} deaths within {minutes:g} minutes"
        self._why_fallback = f"{death.detail}{often}; drawing with the {self._fallback.name} backend instead"
        log.error("%s", self._why_fallback)
        self._use = self._fallback
        self._deaths.forget()

    def _enter(self, state: HealthState, detail: str) -> None:
        self._state, self._detail = state, detail
        self._moved.set()


def sized(request: ImageRequest, blurred_px: int, trusted_px: int) -> ImageRequest:
    """Write into a request how large its previews may be, whatever it said before."""
    longest = trusted_px if request.actor.role >= TRUSTED else min(blurred_px, BLURRED_PX)
    return replace(request, preview_px=longest)
