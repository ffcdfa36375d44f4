"""A backend that does what its options (while loading) and the request's prompt (while drawing) tell it to."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from streamer.errors import BackendError, BackendUnavailable, Unsupported
from streamer.generator.backend import BackendPicture, HostPicture, Pixels, Report, StepCallback
from streamer.types import ImageRequest


class Options(BaseModel):
    """What to do while loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_load: Literal["work", "unavailable", "raise", "segfault", "hang", "slow"] = "work"
    broken_while: Path | None = Field(None, description="while this file exists, loading ends the process")


class AcceleratorError(RuntimeError):
    """Stand in for torch's exception of the same name."""


class Scripted:
    def __init__(self, options: Options) -> None:
        self._options, self._closed = options, 0

    def load(self, report: Report) -> None:
        report("reading weights", 0.5)
        if self._options.broken_while is not None and self._options.broken_while.exists():
            os._exit(3)
        match self._options.on_load:
            case "unavailable":
                raise BackendUnavailable("no such GPU", fix="buy one")
            case "raise":
                raise RuntimeError("weights are broken")
            case "segfault":
                ctypes.string_at(0)
            case "hang":
                time.sleep(600)

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        for number, (width, height) in enumerate(sizes):
            report(f"warming up {width}x{height}", number / len(sizes))
            while self._options.on_load == "slow":
                time.sleep(0.01)

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        steps = request.params.num_inference_steps
        try:
            for step in range(1, steps + 1):
                yield StepCallback(step, steps, slope(64, 40) if step % 2 else None)
                if step == 1:
                    misbehave(request.prompt)
            if request.prompt == "nothing":
                return
            yield HostPicture(picture(request))
        finally:
            self._closed += 1

    def active(self) -> dict[str, str]:
        heavy = {"torch", "fastapi", "starlette", "uvicorn"} & set(sys.modules)
        return {"device": "paper", "heavy": ",".join(sorted(heavy)), "pid": str(os.getpid())}

    def close(self) -> None:
        pass


def create(options: Options) -> Scripted:
    return Scripted(options)


def photo(width: int, height: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def slope(width: int, height: int) -> Pixels:
    """Return an unfinished picture with structure: dark on the left, light on the right."""
    line = np.linspace(0, 255, width, dtype=np.uint8)
    return np.broadcast_to(line[None, :, None], (height, width, 3)).copy()


def picture(request: ImageRequest) -> Pixels:
    width, height = request.params.width, request.params.height
    if request.prompt == "black":
        return np.zeros((height, width, 3), np.uint8)
    if request.prompt == "not a number":
        with np.errstate(invalid="ignore"):
            return (np.full((height, width, 3), np.nan) * 255).astype(np.uint8)
    return photo(width, height, request.params.seed)


def write_to_every_output() -> None:
    print("hello from print: лес")
    os.write(1, b"hello from fd 1\n")
    os.system("echo hello from a subprocess")
    sys.stderr.write("50 %\r100 %\r")


# What the worker does with a prompt after its first step.
MISHAPS: dict[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: sys.exit(3),
    "exit at once": lambda: os._exit(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(600),
    # Keeps the interpreter lock, so that no other thread of this process can run.
    "hang hard": lambda: ctypes.PyDLL(None).sleep(600),
    "print": write_to_every_output,
    "endless": lambda: time.sleep(0.01),
}
ERRORS: dict[str, Callable[[], Exception]] = {
    "raise": lambda: ValueError("the sampler is confused"),
    "refuse": lambda: Unsupported("cannot edit pictures"),
    "fail": lambda: BackendError("out of memory", fix="use a smaller size"),
    "lose the GPU": lambda: AcceleratorError("CUDA error: an illegal memory access was encountered"),
}


def misbehave(prompt: str) -> None:
    """Do what the prompt names; most name nothing."""
    if prompt in ERRORS:
        raise ERRORS[prompt]()
    MISHAPS.get(prompt, lambda: None)()
