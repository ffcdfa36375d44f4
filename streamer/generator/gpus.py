"""Which NVIDIA GPUs this machine has and how busy they are, asked of the driver's own tool, without torch."""

from __future__ import annotations

import asyncio
import logging
import math
import shutil
import subprocess  # nosec B404 - runs nvidia-smi alone
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
USE_TIMEOUT_S = 3.0
"""Prometheus gives up a scrape after ten seconds, and wants the other metrics all the same."""
FRESH_S = 5.0
"""The driver's tool takes about 50 ms of a core; two programs that scrape cost no more than one."""
_FIELDS = "name,memory.total,memory.free,driver_version,compute_cap"
_USE_FIELDS = "index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as nvidia-smi describes it; memory with its unit, such as "24564 MiB"."""

    name: str
    total: str
    free: str
    driver: str
    capability: str

    @property
    def memory_gb(self) -> float:
        """Return the whole memory in 10^9 bytes."""
        return float(self.total.split()[0]) * 2**20 / 1e9


def tool() -> str | None:
    """Return where the driver's tool is; None on a machine without the driver."""
    return shutil.which("nvidia-smi")


def installed() -> list[Gpu]:
    """List the GPUs; empty without the driver. Raises OSError or SubprocessError if its tool fails."""
    return [Gpu(*cells) for cells in _query(_FIELDS, TIMEOUT_S, "csv,noheader")]


def _query(fields: str, timeout_s: float, layout: str) -> list[list[str]]:
    """Ask the driver's tool for these fields of every GPU; nothing without the driver."""
    found = tool()
    if found is None:
        return []
    query = [found, f"--query-gpu={fields}", f"--format={layout}"]
    asked = subprocess.run(query, capture_output=True, timeout=timeout_s, check=True)  # nosec B603
    lines = asked.stdout.decode(errors="replace").strip().splitlines()
    return [[cell.strip() for cell in line.split(",")] for line in lines]


@dataclass(frozen=True, slots=True)
class GpuUse:
    """How busy one GPU is; None for what the driver does not tell. ``utilization`` is from 0 to 1."""

    index: str
    name: str
    utilization: float | None
    memory_used_bytes: float | None
    memory_total_bytes: float | None
    temperature_celsius: float | None
    power_watts: float | None


class GpuMonitor:
    """Say how busy the GPUs are. The driver is asked when somebody wants to know, and not again for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._now = clock
        self._asked_at = -math.inf
        self._answer: asyncio.Task[list[GpuUse]] | None = None
        self._complained = False

    async def usage(self) -> list[GpuUse]:
        """Return the last answer, or ask the driver; empty without one, or when it does not answer."""
        if tool() is None:
            return []
        if self._answer is None or (self._answer.done() and self._now() - self._asked_at >= FRESH_S):
            self._asked_at = self._now()
            self._answer = asyncio.create_task(self._ask())
        # Whoever asked first may go away; the next one gets the answer.
        return await asyncio.shield(self._answer)

    async def _ask(self) -> list[GpuUse]:
        try:
            cells = await asyncio.to_thread(_query, _USE_FIELDS, USE_TIMEOUT_S, "csv,noheader,nounits")
            return [_gpu_use(each) for each in cells]
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            if not self._complained:
                log.warning("how busy the GPU is cannot be said: %s", error)
            self._complained = True
            return []


def _gpu_use(cells: Sequence[str]) -> GpuUse:
    index, name, *figures = cells
    percent, used_mib, total_mib, celsius, watts = map(_number, figures)
    return GpuUse(index, name, _times(percent, 0.01), _times(used_mib, 2**20), _times(total_mib, 2**20), celsius, watts)


def _number(text: str) -> float | None:
    """Read a figure; old cards and virtual ones say [N/A] instead of some."""
    try:
        return float(text)
    except ValueError:
        return None


def _times(figure: float | None, factor: float) -> float | None:
    return None if figure is None else figure * factor
