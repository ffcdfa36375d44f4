"""The models as a table for people: who may use them, how they draw, and whether they fit on this machine."""

from __future__ import annotations

import subprocess  # nosec B404 - its error alone, nothing is run
from collections.abc import Iterable, Sequence

from streamer.generator import gpus
from streamer.generator.models import Commercial, Model, fit, shipped

_HEAD = ("model", "here", "earning streams", "steps", "size", "edits", "GPU memory", "download", "licence")
_MAY = {Commercial.YES: "yes", Commercial.NO: "no", Commercial.CHECK: "see its licence"}


def memory_here() -> tuple[str, float | None]:
    """Return the largest GPU's name and memory in 10^9 bytes; None where there is none that can be asked."""
    try:
        found = gpus.installed()
    except (OSError, subprocess.SubprocessError):
        found = []
    largest = max(found, key=lambda gpu: gpu.memory_gb, default=None)
    return ("no NVIDIA GPU", None) if largest is None else (largest.name, largest.memory_gb)


def lines(rows: Iterable[Model], memory_gb: float | None) -> list[str]:
    """Return the table, one line a model after the head."""
    cells = [_HEAD, *(_cells(row, memory_gb) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    return [_line(row, widths) for row in cells]


def text() -> str:
    """Return what ``streamer models`` prints."""
    name, memory_gb = memory_here()
    machine = name if memory_gb is None else f"{name}, {memory_gb:.0f} GB"
    return "\n".join(
        [
            f"This machine: {machine}",
            *lines(shipped().values(), memory_gb),
            "One word selects one: generator: {use: sdxl-turbo}. Any other text-to-image pipeline of diffusers:",
            "generator: {use: diffusers, backends: {diffusers: {model: owner/name}}}",
        ]
    )


def _cells(row: Model, memory_gb: float | None) -> tuple[str, ...]:
    memory = ", ".join(f"{size:g} GB {precision}" for precision, size in row.memory.items())
    if row.backend == "openvino":
        memory = f"none; main memory: {memory}"
    return (
        row.name,
        fit(row, memory_gb).value,
        _MAY[row.commercial],
        str(row.steps),
        "x".join(map(str, row.native)),
        "yes" if row.edits else "no",
        memory,
        f"{row.download:g} GB",
        row.licence + (", gated" if row.gated else ""),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
