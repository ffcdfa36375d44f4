"""How fast this machine's processor is: measured once and remembered, so that a real model can be offered on it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from streamer.generator import measured_file, models
from streamer.generator.models import Model

FILE = "processor.json"
FAST_ENOUGH_S = 5.0
"""A picture that takes longer is no answer to a line in chat."""
OFFERED = "sdxs-512"
Floats = npt.NDArray[np.float32]
SIDE, RUNS = 768, 6
"""The product that is timed: 50 ms in all on two cores."""


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor with the rate of its products in float32, in 10^9 operations a second.

    ``pictures`` are the seconds that models really took for a picture of their own size.
    """

    name: str
    cores: int
    rate: float
    pictures: Mapping[str, float] = field(default_factory=dict)


_PROCESSOR = TypeAdapter(Processor)


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a model takes for a picture of its own size; ``measured`` if it really was drawn here."""

    seconds: float
    measured: bool

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s a picture" if self.measured else f"about {self.seconds:.1f} s a picture"


def known(home: Path, *, again: bool = False) -> Processor:
    """Return this processor as it was measured, now or at an earlier start.

    ``again`` measures once more and keeps the higher rate: other programs can only have disturbed the lower one.
    """
    remembered = _read(home)
    is_this = remembered is not None and (remembered.name, remembered.cores) == _identity()
    if remembered is not None and is_this and not again:
        return remembered
    measured = measure()
    if remembered is not None and is_this:
        measured = replace(remembered, rate=max(remembered.rate, measured.rate))
    _write(home, measured)
    return measured


def measure() -> Processor:
    """Time one product of matrices; the best of a few runs, since other programs disturb the rest."""
    left, right = (np.full((SIDE, SIDE), value, dtype=np.float32) for value in (0.5, 2.0))
    product = np.empty_like(left)
    best = min(_seconds_of(left, right, product) for _ in range(RUNS))
    return Processor(*_identity(), rate=2 * SIDE**3 / best / 1e9)


def remember_picture(home: Path, model: str, seconds: float) -> None:
    """Note how long a model really took for a picture of its own size."""
    processor = known(home)
    _write(home, replace(processor, pictures={**processor.pictures, model: round(seconds, 3)}))


def expected(processor: Processor, model: Model) -> Expected:
    """Return how long a model takes: as measured, or else its arithmetic at the processor's rate."""
    if model.name in processor.pictures:
        return Expected(processor.pictures[model.name], measured=True)
    return Expected(model.arithmetic * 1000 / processor.rate, measured=False)


def offer(processor: Processor) -> str:
    """Say that this processor can draw with a real model; nothing if it is too slow for one."""
    time_needed = expected(processor, models.shipped()[OFFERED])
    if time_needed.seconds > FAST_ENOUGH_S:
        return ""
    return f"{OFFERED} would draw on this processor in {time_needed}: streamer doctor says how"


def _seconds_of(left: Floats, right: Floats, product: Floats) -> float:
    began = time.perf_counter()
    np.matmul(left, right, out=product)
    return time.perf_counter() - began


def _identity() -> tuple[str, int]:
    """Return the processor's name and how many of its cores this program may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _name(), usable


def _name(info: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _read(home: Path) -> Processor | None:
    return measured_file.read(home / FILE, _PROCESSOR)


def _write(home: Path, processor: Processor) -> None:
    if home.is_dir():  # a single picture (streamer draw) makes no state folder
        measured_file.write(home / FILE, _PROCESSOR, processor)
