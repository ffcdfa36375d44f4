"""What the program and its generator process say to each other, and how a message travels through a pipe."""

from __future__ import annotations

import pickle  # nosec B403 - both ends are this program, joined by a pipe nobody else holds
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from streamer.types import Frame, ImageRequest, Preview

LENGTH = struct.Struct(">I")
LONGEST = 256 * 2**20
GPU_FAULT_EXIT = 70
"""Exit status of a generator process whose GPU is unusable until the process is started again."""


@dataclass(frozen=True, slots=True)
class BackendUse:
    """Which backend, by its name in config.yaml or dotted module name, with which options.

    ``opinions`` names the judges that it brings itself.
    """

    name: str
    options: Mapping[str, object]
    opinions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgeUse:
    """Which judge of texts or pictures, named as a backend is; ``always`` tells one that is asked every time."""

    name: str
    options: Mapping[str, object]
    always: bool = True


@dataclass(frozen=True, slots=True)
class Begin:
    """The first word to a new process: what to load, which (width, height) pairs to warm up, how to finish."""

    backend: BackendUse
    sizes: tuple[tuple[int, int], ...]
    jpeg_quality: int
    own_layouts: Path
    judges: tuple[JudgeUse, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawCommand:
    """Draw this; ``job`` counts up, so an answer to an earlier order can never be taken for this one's."""

    job: int
    request: ImageRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop this job at the next step."""

    job: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being loaded or warmed up, and which share (0 to 1) is done."""

    doing: str
    share: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Loaded and warm; ``active`` is what the backend says is really in use, ``edits`` whether it changes pictures."""

    active: dict[str, str]
    edits: bool = True


@dataclass(frozen=True, slots=True)
class FasterNow:
    """Between two jobs the backend got faster; it draws all the while, so this says nothing about being ready."""

    doing: str
    share: float
    active: dict[str, str]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The process works and has nothing to show for it yet: between two jobs, or on a look at a picture."""


@dataclass(frozen=True, slots=True)
class Produced:
    """A preview, or the finished picture that ends the job, with the backend's and the judges' share of the time."""

    job: int
    item: Preview | Frame
    drew_s: float = 0.0
    judged_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stopped:
    """The job was cancelled between two steps."""

    job: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Loading (job 0) or a job failed; ``error`` names the class in errors.py to raise."""

    job: int
    error: str
    problem: str
    fix: str = ""


WorkerCommand = Begin | DrawCommand | Cancel
WorkerReply = Progress | Ready | FasterNow | Heartbeat | Produced | Stopped | Failed


def pack(message: WorkerCommand | WorkerReply) -> bytes:
    """Put a message into bytes: its length, then its pickle."""
    body = pickle.dumps(message, protocol=5)
    return LENGTH.pack(len(body)) + body


def read(stream: BinaryIO) -> WorkerCommand | WorkerReply | None:
    """Wait for the next message of a blocking stream; None when the other end is gone or talks nonsense."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length) if length <= LONGEST else b""
    if len(body) < length:
        return None
    message: WorkerCommand | WorkerReply = pickle.loads(body)  # nosec B301 - see the import
    return message
