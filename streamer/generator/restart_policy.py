"""Decides after a death of the generator process when to try again, when to stop trying, and whom to blame."""

from __future__ import annotations

import signal
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.errors import BackendError
from streamer.generator.ipc import GPU_FAULT_EXIT, Failed
from streamer.types import ImageRequest

EXIT_MESSAGE_LINES = 256
KILLED = -9


@dataclass(frozen=True, slots=True)
class WorkerExit:
    """How a process ended: ``cause`` is one word for the metrics, ``detail`` a clause for people.

    ``hopeless`` says that the backend itself declared that it can never run on this machine.
    """

    cause: str
    detail: str
    hopeless: bool = False


class RestartPolicy:
    """Remember recent deaths; time is an argument, in monotonic seconds."""

    def __init__(self, delays_s: Sequence[float], give_up_after: int, window_s: float) -> None:
        self._delays_s, self._give_up_after, self._window_s = delays_s, give_up_after, window_s
        self._recent: deque[float] = deque(maxlen=max(give_up_after, len(delays_s)))
        self.by_cause: Counter[str] = Counter()

    def add(self, death: WorkerExit, now: float) -> None:
        """Count one more death."""
        self.by_cause[death.cause] += 1
        self._recent.append(now)

    def delay_s(self, now: float) -> float:
        """Say how long to wait before the next start."""
        return self._delays_s[min(max(self._count(now), 1), len(self._delays_s)) - 1]

    def too_many(self, now: float) -> bool:
        """Tell whether this backend has had its chances."""
        return self._count(now) >= self._give_up_after

    def forget(self) -> None:
        """Give the next backend a clean record; the totals by cause stay."""
        self._recent.clear()

    def _count(self, now: float) -> int:
        return sum(now - at <= self._window_s for at in self._recent)


class CrashingRequests:
    """Remember which pictures a process died of; a request is known by its prompt and seed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kills: OrderedDict[tuple[str, int], int] = OrderedDict()

    def blame(self, request: ImageRequest) -> None:
        """Note that the process died while it drew this."""
        key = (request.prompt, request.params.seed)
        self._kills[key] = self._kills.pop(key, 0) + 1
        if len(self._kills) > EXIT_MESSAGE_LINES:
            self._kills.popitem(last=False)

    def refuses(self, request: ImageRequest) -> bool:
        """Tell whether this picture has killed as many processes as it may."""
        return self._kills.get((request.prompt, request.params.seed), 0) >= self._limit


def explain_exit(name: str, status: int, hung: bool, last_word: Failed | None) -> WorkerExit:
    """Turn how a child ended into a cause and a clause for people."""
    if last_word is not None:
        problem = BackendError(last_word.problem, fix=last_word.fix)
        return WorkerExit(
            "load", f"the {name} backend cannot start: {problem}", last_word.error == "BackendUnavailable"
        )
    if hung:
        return WorkerExit("hang", f"the {name} backend hung and was killed")
    if status == GPU_FAULT_EXIT:
        return WorkerExit("gpu", f"the {name} backend lost the GPU")
    if status in (-signal.SIGTERM, KILLED):
        return WorkerExit("killed", f"the {name} backend was killed from outside, by the system if memory ran out")
    if status < 0 or status > 255:
        return WorkerExit("crash", f"the {name} backend crashed ({_name_of(status)})")
    return WorkerExit("exit", f"the {name} backend ended by itself (exit status {status})")


def _name_of(status: int) -> str:
    """Name the signal, or on Windows the exception code."""
    return signal.strsignal(-status) or str(status) if status < 0 else f"{status:#x}"
