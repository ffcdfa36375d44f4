"""Decides, after the generator process died, when to start it again, when to give up, and which picture to blame."""

from __future__ import annotations

import hashlib
import signal
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from streamer.errors import BackendError, BackendUnavailable, ContentRefused
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
    """Remember which pictures ended a process, whoever asks and with whatever seed; keeps hashes, no texts.

    Time is an argument, in monotonic seconds; a crash is forgotten after ``keep_s``.
    """

    def __init__(self, limit: int, keep_s: float) -> None:
        self._limit, self._keep_s = limit, keep_s
        self._crashes: LruDict[bytes, _Crashes] = LruDict(REMEMBERED_CRASHES)

    @property
    def set_aside(self) -> int:
        """Count the pictures that are refused."""
        return sum(crashes.count >= self._limit for crashes in self._crashes.values())

    def blame(self, request: ImageRequest, now: float, deaths: int = 1) -> bool:
        """Note that processes died while they drew this request; return whether that sets the picture aside."""
        before = self._count(request, now)
        self._crashes.put(_fingerprint(request), _Crashes(before + deaths, now))
        return before < self._limit <= before + deaths

    def refuses(self, request: ImageRequest, now: float) -> bool:
        """Tell whether this picture has ended as many processes as it may."""
        return self._count(request, now) >= self._limit

    def _count(self, request: ImageRequest, now: float) -> int:
        self._crashes.drop_while(lambda crashes: now - crashes.last_at > self._keep_s)
        crashes = self._crashes.get(_fingerprint(request))
        return crashes.count if crashes else 0


@dataclass(frozen=True, slots=True)
class _Crashes:
    count: int
    last_at: float


def crashed_before() -> ContentRefused:
    """Return why a picture is not drawn that has ended too many processes, in words for its viewer."""
    return ContentRefused("a picture like this one made the generator crash; please ask for something else")


def _fingerprint(request: ImageRequest) -> bytes:
    """Hash what a crash can depend on. The seed is not part of it: each request has its own."""
    params = request.params
    reference = hashlib.sha256(request.reference or b"").digest()
    loras = [(lora.path, lora.weight) for lora in request.loras]
    parts = (request.prompt, request.command, params.width, params.height, reference, loras)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()


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
