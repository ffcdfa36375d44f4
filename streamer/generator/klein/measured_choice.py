"""Choose precision and attention by what was measured on this GPU, and remember it until card, driver or model change.

This module imports nothing heavy: the doctor reads what is remembered without torch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from streamer.generator import measured_file
from streamer.generator.klein.optimizations import (
    AMPERE_SERVER,
    HOPPER,
    Attention,
    DeviceInfo,
    OptimizationName,
    Optimizations,
    Precision,
)

FILE = "measured.json"
CLEARLY = 0.97
"""A precision must need less than this share of a better one's time to be preferred: smaller differences are noise."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one denoising step at 1024x1024 costs on a card, in milliseconds."""

    products: Mapping[Precision, float]
    attention: Mapping[Attention, float]

    def step_ms(self, precision: Precision) -> float:
        """Return what a step takes in a precision with the best attention that goes with it."""
        return self.products[precision] + self.attention[self.best_attention(fp8=precision == "fp8")]

    def best_attention(self, *, fp8: bool) -> Attention:
        """Return the fastest attention; the one in fp8 reads what our fp8 kernels leave."""
        allowed = [kind for kind in self.attention if fp8 or kind != "fp8"]
        return min(allowed, key=lambda kind: self.attention[kind])

    def best_precision(self) -> Precision:
        """Return the fastest precision; one that is listed later must be clearly faster."""
        best, *others = self.products
        for other in others:
            if self.step_ms(other) < CLEARLY * self.step_ms(best):
                best = other
        return best

    def in_words(self) -> str:
        """Name the times, the fastest first."""
        steps = sorted((self.step_ms(precision), precision) for precision in self.products)
        attention = sorted((taken, kind) for kind, taken in self.attention.items())
        named = ", ".join(f"{precision} {taken:.1f}" for taken, precision in steps)
        return f"{named} ms a step; attention: {', '.join(f'{kind} {taken:.1f}' for taken, kind in attention)}"


_MEASUREMENTS: TypeAdapter[Mapping[str, Measurement]] = TypeAdapter(dict[str, Measurement])


def attentions(device: DeviceInfo) -> list[Attention]:
    """List the implementations of attention worth measuring on a device."""
    flash: list[Attention] = ["flash", "cudnn"] if device.capability >= AMPERE_SERVER else []
    fp8: list[Attention] = ["fp8"] if device.fp8_attention and device.capability >= HOPPER else []
    return ["sdpa", *flash, *fp8]


def use_fastest_attention(
    measured: Measurement, chosen: Optimizations, without: Collection[OptimizationName]
) -> Optimizations:
    """Return the optimizations with the attention that was fastest for their precision."""
    if "attention" in without:
        return chosen
    return replace(chosen, attention=measured.best_attention(fp8=chosen.kernels and chosen.precision == "fp8"))


def remembered(home: Path) -> Mapping[str, Measurement]:
    """Read what was measured on this machine, by card and model; a damaged file counts as none."""
    return measured_file.read(home / FILE, _MEASUREMENTS) or {}


def remember(home: Path, key: str, measured: Measurement) -> None:
    """Add a measurement to the file; one that cannot be written is made again at the next start."""
    with suppress(OSError):  # said when the file is written
        home.mkdir(parents=True, exist_ok=True)
    measured_file.write(home / FILE, _MEASUREMENTS, {**remembered(home), key: measured})
