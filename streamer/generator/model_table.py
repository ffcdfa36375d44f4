"""The models as a table for people: who may use them, how they draw, and whether they fit on this machine."""

from __future__ import annotations

import subprocess  # nosec B404 - its error alone, nothing is run
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.generator import gpus, measured_times
from streamer.generator.models import Commercial, Fit, Model, fit, shipped

_HEAD = ("model", "here", "a picture", "earning streams", "steps", "size", "edits", "memory", "download", "licence")
_MAY = {Commercial.YES: "yes", Commercial.NO: "no", Commercial.CHECK: "see its licence"}


def memory_here() -> tuple[str, float | None]:
    """Return the largest GPU's name and memory in 10^9 bytes; None where there is none that can be asked."""
    try:
        found = gpus.installed()
    except (OSError, subprocess.SubprocessError):
        found = []
    largest = max(found, key=lambda gpu: gpu.memory_gb, default=None)
    return ("no NVIDIA GPU", None) if largest is None else (largest.name, largest.memory_gb)


@dataclass(frozen=True, slots=True)
class ModelHere:
    """A model, whether it fits on this machine, and how long a picture took here; None until it was measured."""

    model: Model
    fit: Fit
    seconds: float | None

    @property
    def may(self) -> str:
        """Say whether a stream that earns money may show its pictures."""
        return _MAY[self.model.commercial]

    @property
    def memory(self) -> str:
        """Say what it needs by precision."""
        memory = ", ".join(f"{size:g} GB {precision}" for precision, size in self.model.memory.items())
        return f"none; main memory: {memory}" if self.model.backend == "openvino" else memory

    @property
    def licence(self) -> str:
        """Name its licence, and say whether its download needs an account."""
        return self.model.licence + (", gated" if self.model.gated else "")


def models_here(home: Path, device: str, memory_gb: float | None) -> list[ModelHere]:
    """Return every listed model; ``home`` is the state folder, ``device`` the GPU that has ``memory_gb``."""
    times = measured_times.remembered(home)
    processors = [name for name in times if name != device]

    def seconds(model: Model) -> float | None:
        names = processors if model.backend == "openvino" else [device]
        return next((times[name][model.name] for name in names if model.name in times.get(name, {})), None)

    return [ModelHere(model, fit(model, memory_gb), seconds(model)) for model in shipped().values()]


def lines(rows: Iterable[ModelHere]) -> list[str]:
    """Return the table, one line a model after the head."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    return [_line(row, widths) for row in cells]


def machine_in_words(name: str, memory_gb: float | None) -> str:
    """Name the machine as far as its GPU goes."""
    return name if memory_gb is None else f"{name}, {memory_gb:.0f} GB"


def text(home: Path) -> str:
    """Return what ``streamer models`` prints; ``home`` is the state folder."""
    name, memory_gb = memory_here()
    return "\n".join(
        [
            f"This machine: {machine_in_words(name, memory_gb)}",
            *lines(models_here(home, name, memory_gb)),
            "How long a picture takes is known once it was measured: streamer bench NAME (--random needs no download).",
            "One word selects one: generator: {use: sdxl-turbo}. Any other text-to-image pipeline of diffusers:",
            "generator: {use: diffusers, backends: {diffusers: {model: owner/name}}}",
        ]
    )


def _cells(row: ModelHere) -> tuple[str, ...]:
    model = row.model
    return (
        model.name,
        row.fit.value,
        "?" if row.seconds is None else f"{row.seconds:.2f} s",
        row.may,
        str(model.steps),
        "x".join(map(str, model.native)),
        "yes" if model.edits else "no",
        row.memory,
        f"{model.download:g} GB",
        row.licence,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
