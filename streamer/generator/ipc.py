"""The messages between the program and its generator process, and how a message travels through a pipe."""

from __future__ import annotations

import pickle  # nosec B403 - both ends are this program, joined by a pipe nobody else holds
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from streamer.interfaces import Abilities
from streamer.types import Frame, ImageRequest, Lora, Preview

LENGTH = struct.Struct(">I")
MAX_BYTES = 256 * 2**20
GPU_FAULT_EXIT = 70
"""Exit status of a generator process whose GPU is unusable until the process is started again."""
LOADING_JOB = 0
"""Stands for loading in a Failed message; pictures count from 1."""


@dataclass(frozen=True, slots=True)
class BackendUse:
    """Which backend, by its name in config.yaml or its dotted module name, with which options.

    ``opinions`` names the judges that the backend itself brings.
    """

    name: str
    options: Mapping[str, object]
    opinions: tuple[str, ...] = ()


PROCEDURAL = BackendUse("procedural", {})
"""The backend that runs everywhere; it replaces one that cannot."""


@dataclass(frozen=True, slots=True)
class JudgeUse:
    """Which text or image judge, named as a backend is; ``always`` says that it is asked about every picture."""

    name: str
    options: Mapping[str, object]
    always: bool = True


@dataclass(frozen=True, slots=True)
class Begin:
    """The first message to a new process: what to load, which (width, height) pairs to warm up, how to encode.

    ``loras`` are those that requests may ask for.
    """

    backend: BackendUse
    sizes: tuple[tuple[int, int], ...]
    jpeg_quality: int
    own_layouts: Path
    judges: tuple[JudgeUse, ...] = ()
    loras: tuple[Lora, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawCommand:
    """Draw this; ``job`` counts up, so that a late reply to an earlier job is never taken for one to this job."""

    job: int
    request: ImageRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop this job at its next step."""

    job: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being loaded or warmed up, and which share (0 to 1) is done."""

    doing: str
    share: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Loaded and warm; ``active`` names what is really in use, ``abilities`` says what the backend can draw."""

    active: dict[str, str]
    abilities: Abilities = field(default_factory=Abilities)


@dataclass(frozen=True, slots=True)
class FasterNow:
    """The backend got faster between two jobs; it can draw all the while."""

    doing: str
    share: float
    active: dict[str, str]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The process is working and has no result yet: between two jobs, or while judges look at a picture."""


@dataclass(frozen=True, slots=True)
class Produced:
    """A preview, or the finished picture that ends the job."""

    job: int
    item: Preview | Frame


@dataclass(frozen=True, slots=True)
class Stopped:
    """The job was cancelled between two steps."""

    job: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Loading (LOADING_JOB) or a job failed; ``error`` names the class in errors.py to raise."""

    job: int
    error: str
    problem: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """The first message to a worker on another computer, which has a config and a supervisor of its own.

    ``home`` tells one program from another, and means nothing else. ``layouts`` are the user's own, by name.
    """

    home: str
    sizes: tuple[tuple[int, int], ...]
    jpeg_quality: int
    judges: tuple[JudgeUse, ...]
    layouts: Mapping[str, str]
    loras: tuple[Lora, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a worker on another computer says of its generator process: whether it draws, and what is in use."""

    draws: bool
    detail: str
    active: Mapping[str, str]
    abilities: Abilities = field(default_factory=Abilities)


WorkerCommand = Begin | DrawCommand | Cancel
WorkerReply = Progress | Ready | FasterNow | Standing | Heartbeat | Produced | Stopped | Failed


def pack(message: WorkerCommand | WorkerReply) -> bytes:
    """Serialise a message: its length, then its pickle."""
    body = pickle.dumps(message, protocol=5)
    return LENGTH.pack(len(body)) + body


def read(stream: BinaryIO) -> WorkerCommand | WorkerReply | None:
    """Wait for the next message of a blocking stream; None if the other end is gone or the message is malformed."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length) if length <= MAX_BYTES else b""
    if len(body) < length:
        return None
    message: WorkerCommand | WorkerReply = pickle.loads(body)  # nosec B301 - see the import
    return message
