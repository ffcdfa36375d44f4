"""The generator process as a state machine without a process: replies and moments go in, actions come out.

Every time is an argument, in monotonic seconds. The shell in supervisor.py starts and ends the process, moves the
messages, and waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from streamer import errors
from streamer.errors import BackendDied, BackendError, BackendLost
from streamer.generator.config import WorkerSetup
from streamer.generator.ipc import (
    LOADING_JOB,
    Begin,
    Cancel,
    DrawCommand,
    Failed,
    FasterNow,
    Heartbeat,
    Produced,
    Progress,
    Ready,
    Standing,
    Stopped,
    WorkerReply,
)
from streamer.generator.restart_policy import (
    CrashingRequests,
    ExitCause,
    RestartPolicy,
    WorkerExit,
    crashed_before,
    explain_exit,
    explain_refusal,
)
from streamer.generator.worker_actions import (
    HEALTH,
    LISTENING,
    STOPPED,
    DeliverItem,
    DrawItem,
    DrawJob,
    EndWorker,
    KillWorker,
    RestartAfter,
    SendCommand,
    WorkerAction,
    WorkerState,
)
from streamer.interfaces import Abilities, Health, HealthState
from streamer.types import Frame, ImageRequest, Judgement, Outcome, Preview


class WorkerProtocol:
    """One generator process after another, from the first start to the end of the program."""

    def __init__(self, setup: WorkerSetup, crashing: CrashingRequests | None = None) -> None:
        options = setup.options
        self._setup, self._options = setup, options
        give_up_after = None if setup.worker else options.give_up_after
        self._restarts = RestartPolicy(options.restart_delays_s, give_up_after, options.give_up_window_s)
        self._crashing = crashing or CrashingRequests(options.poison_after, options.poison_for_s)
        self._backend, self._fallback_reason = setup.backend, ""
        self._state, self._detail = WorkerState.ENDED, "not started yet"
        self._active: Mapping[str, str] = {}
        self._abilities = Abilities()
        self._job: DrawJob | None = None
        self._last_job = 0
        self._heard_at = 0.0
        self._exit_message: Failed | None = None
        self._last_exit: WorkerExit | None = None
        self._standing: Standing | None = None
        self._last_problem = ""
        self._hung = self._parked = False

    @property
    def state(self) -> WorkerState:
        """Return where the process stands."""
        return self._state

    @property
    def detail(self) -> str:
        """Describe the state for people."""
        return self._detail

    @property
    def active(self) -> dict[str, str]:
        """Name the backend in use, why it is not the configured one, and what it says about itself."""
        reason = {"fallback": self._fallback_reason} if self._fallback_reason else {}
        return {"backend": self._backend.name, **reason, **self._set_aside(), **self._active}

    @property
    def last_exit(self) -> WorkerExit | None:
        """Return how a process last ended unexpectedly."""
        return self._last_exit

    @property
    def abilities(self) -> Abilities:
        """Return what the backend can draw; everything is assumed until it is loaded."""
        return self._abilities

    @property
    def restarts(self) -> dict[str, int]:
        """Count the unexpected ends of the process by cause."""
        return {cause.value: count for cause, count in self._restarts.by_cause.items()}

    def health(self) -> Health:
        """Return the state for the panel."""
        state = HEALTH[self._state]
        if self._setup.worker and state is HealthState.COLD:
            state = HealthState.RECONNECTING
        return Health("generator", state, "; ".join(filter(None, (self._detail, self._fallback_reason))))

    def deadline(self) -> float | None:
        """Return when silence means that the process hangs; None while it may be silent, as when it is idle."""
        match self._state:
            case WorkerState.STARTING | WorkerState.LOADING:
                return self._heard_at + self._options.start_timeout_s
            case WorkerState.BUSY:
                return self._heard_at + self._options.step_timeout_s
            case _:
                return None

    def start(self, now: float) -> Begin | None:
        """Return the first message to a new process; None while the generator is parked."""
        if self._parked:
            self._enter(
                WorkerState.PARKED,
                "the GPU is free for other programs; nothing is drawn until the model is loaded again",
            )
            return None
        self._hung, self._exit_message, self._heard_at = False, None, now
        starting = f"{'connecting to' if self._setup.worker else 'starting'} {self._title()}"
        self._enter(WorkerState.STARTING, self._detail if self._last_problem else starting)
        return self._setup.begin(self._backend)

    def received(self, reply: WorkerReply, now: float) -> list[WorkerAction]:
        """Act on one message of the process."""
        if self._state not in LISTENING:
            return []
        self._heard_at = now
        match reply:
            case Failed(job) if job == LOADING_JOB:
                self._exit_message = reply
                self.ending()
                return [EndWorker()]
            case Produced() | Failed() | Stopped():
                return self._deliver(reply.job, self._item(reply))
            case Progress() | Ready() | FasterNow() | Standing():
                self._note(reply)
            case Heartbeat():
                pass
        return []

    def silent(self) -> list[WorkerAction]:
        """Act on a deadline that has passed."""
        self._hung = True
        return [KillWorker()]

    def ending(self) -> None:
        """Note that the process is gone or about to be ended; ``exited`` follows."""
        state = WorkerState.LEAVING if self._state is WorkerState.LEAVING else WorkerState.ENDED
        self._enter(state, f"{self._title()} has ended")

    def exited(self, ended: int | WorkerExit, now: float) -> list[WorkerAction]:
        """Act on the end of the process: its exit status, or what became of the connection to a worker elsewhere."""
        if self._state is WorkerState.LEAVING:
            self._active = {}
            self._enter(WorkerState.ENDED, self._detail)
            return [RestartAfter(0.0)]
        return self._died(self._explain(ended), now)

    def not_started(self, problem: str, now: float) -> list[WorkerAction]:
        """Act on a process that could not even be started, or a worker that could not be reached."""
        return self._died(WorkerExit(ExitCause.START, problem), now)

    def refusal(self, request: ImageRequest, now: float) -> BackendError | None:
        """Return why this request is not drawn at all: it has killed too many processes."""
        return crashed_before() if self._crashing.refuses(request, now) else None

    def draw(self, request: ImageRequest, now: float) -> tuple[int, list[WorkerAction]]:
        """Begin a picture and return its job number; only in the state READY."""
        self._last_job += 1
        self._job, self._heard_at = DrawJob(self._last_job, request), now
        self._enter(WorkerState.BUSY, "drawing")
        return self._last_job, [SendCommand(DrawCommand(self._last_job, request))]

    def cancel(self, request_id: str) -> list[WorkerAction]:
        """Stop this request, if it is the one being drawn."""
        if self._job is None or self._job.request.id != request_id:
            return []
        return [*self._finish(self._job, BackendError(STOPPED)), SendCommand(Cancel(self._job.number))]

    def abandon(self, job: int) -> list[WorkerAction]:
        """Stop a job whose reader has left."""
        if self._job is None or self._job.number != job or self._job.ended:
            return []
        self._job.ended = True
        return [SendCommand(Cancel(job))]

    def release_gpu(self) -> list[WorkerAction]:
        """Let the process leave as soon as it has nothing to draw, and start none until ``reclaim_gpu``."""
        self._parked = True
        return self._leave()

    def reclaim_gpu(self) -> None:
        """Want a process again."""
        self._parked = False

    def close(self) -> list[WorkerAction]:
        """Act on the end of the program."""
        self._enter(WorkerState.CLOSED, "the generator is stopped")
        return self._drop_job(BackendError("the generator is stopped"))

    def _explain(self, ended: int | WorkerExit) -> WorkerExit:
        if isinstance(ended, int):
            return explain_exit(self._backend.name, ended, self._hung, self._exit_message)
        return ended if self._exit_message is None else explain_refusal(self._title(), self._exit_message)

    def _title(self) -> str:
        return self._setup.worker or f"the {self._backend.name} backend"

    def _item(self, reply: Produced | Failed | Stopped) -> DrawItem:
        """Return what the reader of a drawing gets for a reply to its job."""
        match reply:
            case Produced(_, item):
                return self._with_missing(item) if isinstance(item, Frame) else item
            case Failed(_, error, problem, fix):
                kind: type[BackendError] = getattr(errors, error, BackendError)
                return kind(problem, fix=fix)
            case Stopped():
                return BackendError(STOPPED)

    def _note(self, reply: Progress | Ready | FasterNow | Standing) -> None:
        """Take over what the process says about itself."""
        match reply:
            case Progress(doing, share):
                self._enter(WorkerState.LOADING, f"{doing} ({share * 100:.0f} %)")
            case Ready(active, abilities):
                self._active, self._abilities = active, abilities
                self._be_ready()
            case FasterNow(doing, share, active):
                self._active = active
                if self._state is WorkerState.READY:
                    self._be_ready("" if share >= 1 else f", optimizing: {doing} ({share * 100:.0f} %)")
            case Standing(_, _, active, abilities):
                self._standing, self._active, self._abilities = reply, active, abilities
                if self._state is not WorkerState.BUSY:
                    self._be_ready()

    def _be_ready(self, more: str = "") -> None:
        """Be ready, or wherever a worker elsewhere says that it stands."""
        self._last_problem = ""
        if self._standing is None:
            self._enter(WorkerState.READY, f"drawing with the {self._backend.name} backend{more}")
        else:
            state = WorkerState.READY if self._standing.draws else WorkerState.LOADING
            self._enter(state, f"{self._title()}: {self._standing.detail}")

    def _deliver(self, number: int, item: DrawItem) -> list[WorkerAction]:
        """Pass an item on to its job; anything but a preview makes the process ready for the next one."""
        job = self._job
        if job is None or job.number != number:
            return []
        actions = self._finish(job, item)
        if not isinstance(item, Preview):
            self._job = None
            self._be_ready()
            actions += self._leave()
        return actions

    def _finish(self, job: DrawJob, item: DrawItem) -> list[WorkerAction]:
        """Hand an item over, unless the job's reader already has its last one."""
        if job.ended:
            return []
        job.ended = not isinstance(item, Preview)
        return [DeliverItem(job.number, item)]

    def _drop_job(self, reason: BackendError) -> list[WorkerAction]:
        job, self._job = self._job, None
        return [] if job is None else self._finish(job, reason)

    def _with_missing(self, frame: Frame) -> Frame:
        """Add a hold for every judge that must judge each picture and has not."""
        answered = {judgement.judge for judgement in frame.judgements}
        missing = [name for name in self._setup.expected_judges if name not in answered]
        holds = (Judgement(Outcome.HOLD, "missing", name, "") for name in missing)
        return replace(frame, judgements=(*frame.judgements, *holds)) if missing else frame

    def _leave(self) -> list[WorkerAction]:
        if not self._parked or self._job is not None or self._state not in LISTENING:
            return []
        self._enter(WorkerState.LEAVING, "releasing the GPU")
        return [EndWorker()]

    def _died(self, worker_exit: WorkerExit, now: float) -> list[WorkerAction]:
        """Blame the picture being drawn, then restart, fall back to the other backend, or both."""
        self._restarts.add(worker_exit, now)
        worker_exit = self._last_exit = self._blamed(worker_exit, now)
        died = BackendLost if worker_exit.cause in (ExitCause.KILLED, ExitCause.LOST) else BackendDied
        delivered = self._drop_job(died(worker_exit.detail))
        self._active, self._standing = {}, None
        if self._setup.worker:
            return [*delivered, self._reconnect(worker_exit, now)]
        given_up = worker_exit.hopeless or self._restarts.too_many(now)
        if given_up and self._backend != self._setup.fallback:
            return [*delivered, self._fall_back(worker_exit)]
        delay_s = self._restarts.delay_s(now)
        why = f"{worker_exit.detail}; restarting in {delay_s:g} s"
        self._enter(WorkerState.FAILING if given_up else WorkerState.ENDED, why)
        return [*delivered, RestartAfter(delay_s, why)]

    def _blamed(self, worker_exit: WorkerExit, now: float) -> WorkerExit:
        """Blame the picture being drawn; the exit says so when that picture is set aside."""
        if self._job is None or worker_exit.cause is ExitCause.LOST:
            return worker_exit
        request = self._job.request
        if not self._crashing.blame(request, now):
            return worker_exit
        hours = self._options.poison_for_s / 3600
        note = f"request {request.id} ({request.command}) caused it again; its picture is refused for {hours:g} h"
        return replace(worker_exit, detail=f"{worker_exit.detail}; {note}")

    def _set_aside(self) -> dict[str, str]:
        count = self._crashing.set_aside
        return {"refused after crashes": f"{count} picture{'s' * (count > 1)}"} if count else {}

    def _reconnect(self, worker_exit: WorkerExit, now: float) -> RestartAfter:
        """Look for the worker elsewhere again, for ever; tell each problem once."""
        delay_s, known = self._restarts.delay_s(now), self._last_problem
        self._last_problem = worker_exit.detail
        self._enter(WorkerState.ENDED, f"{worker_exit.detail}; trying again every few seconds")
        return RestartAfter(delay_s, "" if worker_exit.detail == known else self._detail)

    def _fall_back(self, worker_exit: WorkerExit) -> RestartAfter:
        """Draw with the fallback backend from now on."""
        limit, minutes = self._options.give_up_after, self._options.give_up_window_s / 60
        often = "" if worker_exit.hopeless else f", the last of {limit} failures within {minutes:g} minutes"
        fallback = self._setup.fallback
        self._fallback_reason = f"{worker_exit.detail}{often}; drawing with the {fallback.name} backend instead"
        self._backend = fallback
        self._restarts.forget()
        return RestartAfter(0.0, self._fallback_reason)

    def _enter(self, state: WorkerState, detail: str) -> None:
        self._state, self._detail = state, detail
