"""Decides, after the generator process died, when to start it again, when to give up, and which picture to blame."""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from streamer.errors import BackendError, BackendUnavailable
from streamer.generator.ipc import GPU_FAULT_EXIT, Failed
from streamer.lru import LruDict
from streamer.types import ImageRequest

REMEMBERED_CRASHES = 256
# The numbers, since Windows lacks signal.SIGKILL.
KILLED_STATUSES = (-signal.SIGTERM, -9)


class ExitCause(StrEnum):
    """What a process died of, as the metrics name it."""

    START = "start"
    LOAD = "load"
    HANG = "hang"
    GPU = "gpu"
    KILLED = "killed"
    LOST = "lost"
    CRASH = "crash"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class WorkerExit:
    """How a process died; ``detail`` is a clause for people.

    ``hopeless`` says that the backend itself declared that it can never run on this machine.
    """

    cause: ExitCause
    detail: str
    hopeless: bool = False


class RestartPolicy:
    """Count recent exits; time is an argument, in monotonic seconds. Without ``give_up_after`` it never gives up."""

    def __init__(self, delays_s: Sequence[float], give_up_after: int | None, window_s: float) -> None:
        self._delays_s, self._give_up_after, self._window_s = delays_s, give_up_after, window_s
        self._exited_at: deque[float] = deque(maxlen=max(give_up_after or 0, len(delays_s)))
        self.by_cause: Counter[ExitCause] = Counter()

    def add(self, worker_exit: WorkerExit, now: float) -> None:
        """Count one more exit."""
        self.by_cause[worker_exit.cause] += 1
        self._exited_at.append(now)

    def delay_s(self, now: float) -> float:
        """Return how long to wait before the next start."""
        return self._delays_s[min(max(self._count(now), 1), len(self._delays_s)) - 1]

    def too_many(self, now: float) -> bool:
        """Tell whether this backend has died too often to be started again."""
        return self._give_up_after is not None and self._count(now) >= self._give_up_after

    def forget(self) -> None:
        """Give the next backend a clean record; the totals by cause stay."""
        self._exited_at.clear()

    def _count(self, now: float) -> int:
        return sum(now - at <= self._window_s for at in self._exited_at)


class CrashingRequests:
    """Remember which pictures killed a process; a request is known by its prompt and seed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._crashes: LruDict[tuple[str, int], int] = LruDict(REMEMBERED_CRASHES)

    def blame(self, request: ImageRequest) -> None:
        """Note that a process died while it drew this request."""
        self._crashes.put(_key(request), self._count(request) + 1)

    def refuses(self, request: ImageRequest) -> bool:
        """Tell whether this picture has killed as many processes as it may."""
        return self._count(request) >= self._limit

    def _count(self, request: ImageRequest) -> int:
        return self._crashes.get(_key(request)) or 0


def crashed_before() -> BackendError:
    """Return why a picture is not drawn that has ended too many processes."""
    return BackendError("this picture has crashed the generator before", fix="ask for something else")


def _key(request: ImageRequest) -> tuple[str, int]:
    return request.prompt, request.params.seed


def explain_refusal(worker: str, exit_message: Failed) -> WorkerExit:
    """Say why a worker cannot draw, as it said itself."""
    problem = BackendError(exit_message.problem, fix=exit_message.fix)
    hopeless = exit_message.error == BackendUnavailable.__name__
    return WorkerExit(ExitCause.LOAD, f"{worker} cannot start: {problem}", hopeless)


def explain_exit(backend: str, status: int, hung: bool, exit_message: Failed | None) -> WorkerExit:
    """Turn an exit status, and what the process said before it ended, into a cause and a clause for people."""
    if exit_message is not None:
        return explain_refusal(f"the {backend} backend", exit_message)
    if hung:
        return WorkerExit(ExitCause.HANG, f"the {backend} backend hung and was killed")
    if status == GPU_FAULT_EXIT:
        return WorkerExit(ExitCause.GPU, f"the {backend} backend lost the GPU")
    if status in KILLED_STATUSES:
        return WorkerExit(
            ExitCause.KILLED,
            f"the {backend} backend was killed from outside, perhaps by the system because memory ran out",
        )
    if status < 0 or status > 255:
        return WorkerExit(ExitCause.CRASH, f"the {backend} backend crashed ({_name_of(status)})")
    return WorkerExit(ExitCause.EXIT, f"the {backend} backend ended by itself (exit status {status})")


def _name_of(status: int) -> str:
    """Name the signal, or on Windows the exception code."""
    return signal.strsignal(-status) or str(status) if status < 0 else f"{status:#x}"
