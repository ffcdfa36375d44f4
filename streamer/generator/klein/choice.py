"""Choose what makes a model fast on this device: by what was asked for, and else by measuring."""

from __future__ import annotations

import logging
import subprocess  # nosec B404 - only its errors are named here
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from streamer import __version__
from streamer.generator import gpus
from streamer.generator.backend import Report
from streamer.generator.backends.klein import Options
from streamer.generator.klein.loading import blank_transformer
from streamer.generator.klein.measured_choice import (
    Measurement,
    attentions,
    remember,
    remembered,
    use_fastest_attention,
)
from streamer.generator.klein.optimizations import (
    DeviceInfo,
    MemoryMode,
    Optimizations,
    Precision,
    RequestedPrecision,
    candidates,
    choose_optimizations,
    plain_precision,
)
from streamer.generator.klein.product_timing import time_attention, time_products, timer_for, workload_of
from streamer.generator.klein.quantize import FP8, eight_bit_matmul_works
from streamer.generator.klein.shapes import Shape
from streamer.generator.klein.vram import choose_memory, require_memory, weights_gb

log = logging.getLogger(__name__)

MEASURED_SHAPE = Shape(1024, 1024, text_tokens=512)


@dataclass(frozen=True, slots=True)
class Choice:
    """The optimizations for a model on a device, and the measurement behind them, if there is one."""

    optimizations: Optimizations
    memory: MemoryMode
    measured: Measurement | None = None


@dataclass(frozen=True, slots=True)
class Chooser:
    """Choose for one device; ``home`` is the folder in which measurements are kept, None for none."""

    options: Options
    device: torch.device
    info: DeviceInfo
    home: Path | None

    def choose(self, folder: Path, report: Report) -> Choice:
        """Choose for the model in a folder; raises BackendUnavailable if the device has too little memory for it."""
        options = self.options
        if options.optimize == "off":
            plain = Optimizations(precision=plain_precision(self.info, options.precision))
            return Choice(plain, self._memory(plain.precision, folder))
        size_gb = weights_gb(folder)
        measured = self._measurement(folder, size_gb, report)
        precision: RequestedPrecision = options.precision
        if precision == "auto" and measured is not None:
            precision = measured.best_precision()
        chosen = self._working(precision, size_gb)
        if measured is not None:
            chosen = use_fastest_attention(measured, chosen, options.without)
        memory = self._memory(chosen.precision, folder)
        require_memory(self.info, chosen.precision, folder, memory, options.model)
        return Choice(chosen, memory, measured)

    def _memory(self, precision: Precision, folder: Path) -> MemoryMode:
        if not self.info.is_measured:
            return "full"
        if self.options.memory != "auto":
            return self.options.memory
        # The policy judge reads the embedding and the last layers, on the GPU.
        return "full" if self.options.policy_judge else choose_memory(self.info, precision, folder)

    def _working(self, precision: RequestedPrecision, size_gb: float) -> Optimizations:
        """Choose for the device; if a product in eight bits fails on it, choose a wider type."""
        chosen = choose_optimizations(self.info, precision=precision, weights_gb=size_gb, without=self.options.without)
        dtype = eight_bit_dtype(chosen.precision)
        if dtype is None or chosen.precision.endswith("-weights") or eight_bit_matmul_works(dtype, self.device):
            return chosen
        log.warning("%s cannot multiply in %s", self.info.name, chosen.precision)
        return self._working("int8" if chosen.precision == "fp8" else "bfloat16", size_gb)

    def _measurement(self, folder: Path, size_gb: float, report: Report) -> Measurement | None:
        """Return what was measured on this device for this model, now or at an earlier start."""
        if self.info.kind != "cuda":
            return None
        key = f"{self.info.name}, driver {_driver()}, torch {torch.__version__}, {self.options.model}, {__version__}"
        known = None if self.home is None else remembered(self.home).get(key)
        if known is not None:
            return known
        report("measuring what is fastest on this GPU", 0.0)
        precisions = candidates(self.info, size_gb)
        kernels = self.info.triton and "kernels" not in self.options.without
        measured = measure(folder, precisions, self.info, self.device, kernels=kernels)
        if measured is not None and self.home is not None:
            remember(self.home, key, measured)
        return measured


def measure(
    folder: Path, precisions: Sequence[Precision], info: DeviceInfo, device: torch.device, *, kernels: bool,
    shape: Shape = MEASURED_SHAPE,
) -> Measurement | None:  # fmt: skip
    """Time the products of a model in each precision; None if not even one works."""
    workload = workload_of(blank_transformer(folder), shape)
    timer = timer_for(device)
    products = time_products(workload, precisions, device, timer, kernels=kernels)
    attention = time_attention(workload, attentions(info), device, timer)
    if device.type == "cuda":
        torch.cuda.empty_cache()
    if not products or not attention:
        return None
    measured = Measurement(products, attention)
    log.info("measured: %s", measured.in_words())
    return measured


def eight_bit_dtype(precision: Precision) -> torch.dtype | None:
    """Return the eight-bit type of a precision, or None where weights stay wide."""
    return FP8 if precision.startswith("fp8") else torch.int8 if precision.startswith("int8") else None


def _driver() -> str:
    with suppress(OSError, subprocess.SubprocessError):
        return ", ".join(sorted({gpu.driver for gpu in gpus.installed()}))
    return "unknown"
