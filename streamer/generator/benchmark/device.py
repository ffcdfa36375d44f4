"""The device that draws a case: its name, its memory, and how much of that was used at most."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import BackendUnavailable

TORCH_BACKENDS = ("klein", "diffusers")
MODEL_BACKENDS = (*TORCH_BACKENDS, "openvino")
"""The backends that draw with a model of the table."""
CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class DrawingDevice:
    """One device; ``torch`` is PyTorch's name for it, None where something else draws. Memory is in 10^9 bytes."""

    name: str
    torch: Any = None
    memory_gb: float | None = None

    @property
    def is_gpu(self) -> bool:
        """Whether a GPU draws."""
        return self.memory_gb is not None

    def peak_gb(self) -> float | None:
        """Return the most that this process reserved on the GPU, or used of main memory where no GPU draws."""
        if not self.is_gpu:
            return peak_of_process()
        import torch

        if self.torch.type == "mps":
            return float(torch.mps.driver_allocated_memory() / 1e9)  # what it holds now, since it keeps no peak
        return float(getattr(torch, self.torch.type).max_memory_reserved(self.torch) / 1e9)


def device_of(backend: str) -> DrawingDevice:
    """Return the device on which a backend draws; this imports PyTorch for the backends that use it."""
    if backend not in TORCH_BACKENDS:
        return DrawingDevice(processor())
    import torch

    from streamer.generator.klein.device import describe_device, find_device

    try:
        found = find_device("auto")
    except BackendUnavailable:
        return DrawingDevice(processor(), torch.device("cpu"))
    info = describe_device(found)
    return DrawingDevice(info.name, found, info.memory_gb)


def processor() -> str:
    """Name the processor."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine() or "CPU"


def peak_of_process() -> float | None:
    """Return the most main memory that this process used; None on Windows, where Python cannot tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9
