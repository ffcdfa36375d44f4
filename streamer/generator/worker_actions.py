"""What a generator process can be doing, and what its protocol asks of the shell around it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from streamer.errors import BackendError
from streamer.generator.ipc import WorkerCommand
from streamer.interfaces import HealthState
from streamer.types import Frame, ImageRequest, Preview

STOPPED = "the drawing was stopped"

DrawItem = Preview | Frame | BackendError
"""What a drawing yields; the last item is a Frame or an error."""


class WorkerState(Enum):
    """Where the generator process stands."""

    ENDED = auto()
    """There is no process, or it is being ended; the next one follows."""
    FAILING = auto()
    """As ENDED, but the last resort has failed too often: requests fail at once instead of waiting."""
    STARTING = auto()
    LOADING = auto()
    READY = auto()
    BUSY = auto()
    LEAVING = auto()
    """The process was asked to leave, to free the GPU."""
    PARKED = auto()
    """There is no process until ``reclaim_gpu``: the GPU is free."""
    CLOSED = auto()
    """The program ends."""


HEALTH = {
    WorkerState.ENDED: HealthState.COLD,
    WorkerState.FAILING: HealthState.FAILED,
    WorkerState.STARTING: HealthState.COLD,
    WorkerState.LOADING: HealthState.WARMING,
    WorkerState.READY: HealthState.READY,
    WorkerState.BUSY: HealthState.BUSY,
    WorkerState.LEAVING: HealthState.COLD,
    WorkerState.PARKED: HealthState.PARKED,
    WorkerState.CLOSED: HealthState.FAILED,
}
LISTENING = frozenset({WorkerState.STARTING, WorkerState.LOADING, WorkerState.READY, WorkerState.BUSY})
"""In all other states, whatever the process still says is ignored."""


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Write a command to the process."""

    command: WorkerCommand


@dataclass(frozen=True, slots=True)
class DeliverItem:
    """Hand an item to whoever reads the drawing of this job."""

    job: int
    item: DrawItem


@dataclass(frozen=True, slots=True)
class EndWorker:
    """Let the process leave; it gets a moment to close its backend."""


@dataclass(frozen=True, slots=True)
class KillWorker:
    """End the process at once: it hangs."""


@dataclass(frozen=True, slots=True)
class RestartAfter:
    """Start the next process after this many seconds; ``why`` is empty if nothing went wrong."""

    delay_s: float
    why: str = ""


WorkerAction = SendCommand | DeliverItem | EndWorker | KillWorker | RestartAfter


@dataclass(slots=True)
class DrawJob:
    """The picture that the process draws; ``ended`` means that its reader already has its last item."""

    number: int
    request: ImageRequest
    ended: bool = False
