"""The least time that a picture can take on a device: its products at peak rate, its weights at full bandwidth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from streamer.generator.benchmark import cards
from streamer.generator.benchmark.cards import Card
from streamer.generator.benchmark.results import Floor
from streamer.generator.benchmark.work import Kind, Work
from streamer.generator.klein.quantize import FP8

REPEATS = 10
GPU_SIDE, CPU_SIDE = 8192, 1024
GPU_COPY, CPU_COPY = 2**30, 2**27
"""How many bytes are copied to measure bandwidth: far more than any cache holds."""
EIGHT_BITS = ("fp8", "int8")


@dataclass(frozen=True, slots=True)
class Peak:
    """What a device can do at most: operations a second by type in 10^12, bytes a second in 10^9, and who says so."""

    tflops: Mapping[str, float]
    gb_s: float
    source: str
    measured: bool


def peak_of(device: torch.device, dtypes: Iterable[str]) -> Peak:
    """Return the published peak of a device; whatever the table does not know is measured."""
    card = None
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        card = cards.find(properties.name, properties.total_memory / 1e9)
    published = {} if card is None else card.tflops
    missing = {dtype: measured_tflops(device, dtype) for dtype in sorted(set(dtypes) - set(published))}
    source = "peak published for this card" if card else "peak measured here by one large product and one large copy"
    if card and missing:
        source += f", that of {', '.join(missing)} measured here"
    return Peak({**published, **missing}, card.gb_s if card else measured_gb_s(device), source, card is None)


def floor_of(work: Work, peak: Peak, *, attention: str | None = None) -> Floor:
    """Return the floor of one picture: each product takes its arithmetic or the reading of its weights.

    ``attention`` is the type in which attention is multiplied, where that is not the type that was counted.
    """
    seconds = 0.0
    for product, count in work.items():
        dtype = attention if attention and product.kind is Kind.ATTENTION else product.dtype
        arithmetic = product.flops / (peak.tflops[dtype] * 1e12)
        seconds += count * max(arithmetic, product.weight_bytes / (peak.gb_s * 1e9))
    return Floor(seconds * 1000, peak.source, peak.measured)


def floor_on(card: Card, work: Work, *, attention: str | None = None) -> Floor | None:
    """Return the floor on a card that is not here, in the types that it has; None where it lacks one altogether."""
    wanted = {product.dtype for product in work}
    rates = {dtype: rate for dtype in wanted if (rate := card.rate(dtype)) is not None}
    if set(rates) != wanted:
        return None
    replaced = sorted(f"{dtype} as {name}" for dtype, (name, _) in rates.items() if name != dtype)
    source = ", ".join(["peak published for that card", *replaced])
    tflops = {**card.tflops, **{dtype: rate for dtype, (_, rate) in rates.items()}}
    fast = attention if attention in card.tflops else None
    return floor_of(work, Peak(tflops, card.gb_s, source, measured=False), attention=fast)


def measured_tflops(device: torch.device, dtype: str) -> float:
    """Measure a large product; on the CPU eight bits are multiplied as float32, which is then the rate."""
    side = CPU_SIDE if device.type == "cpu" else GPU_SIDE
    return 2 * side**3 / 1e12 / _fastest(_multiplication(device, dtype, side), device)


def measured_gb_s(device: torch.device) -> float:
    """Measure a large copy, which reads and writes every byte once."""
    count = CPU_COPY if device.type == "cpu" else GPU_COPY
    source = torch.zeros(count, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * count / 1e9 / _fastest(lambda: target.copy_(source), device)


def _multiplication(device: torch.device, dtype: str, side: int) -> Callable[[], Tensor]:
    if device.type == "cuda" and dtype == "int8":
        a, b = (torch.randint(-127, 127, (side, side), device=device, dtype=torch.int8) for _ in range(2))
        return lambda: torch._int_mm(a, b.t())
    wide = torch.float32 if dtype in EIGHT_BITS else getattr(torch, dtype)
    a, b = (torch.randn(side, side, device=device).to(wide) for _ in range(2))
    if device.type == "cuda" and dtype == "fp8":
        one, a8, b8 = torch.ones((), device=device), a.to(FP8), b.to(FP8)
        return lambda: torch._scaled_mm(
            a8, b8.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16, use_fast_accum=True
        )
    return lambda: a @ b


def _fastest(work: Callable[[], object], device: torch.device) -> float:
    """Return the shortest of several runs in seconds: a peak is what is possible once."""
    shortest = float("inf")
    for _ in range(REPEATS):
        _settle(device)
        began = time.perf_counter()
        work()
        _settle(device)
        shortest = min(shortest, time.perf_counter() - began)
    return shortest


def _settle(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize()
