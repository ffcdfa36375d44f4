"""Time the products and the attention of a model on this device: what a denoising step costs in each precision.

Letters in shapes: n rows (tokens), k input features, m output features, H heads.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamer.generator.backend import device_is_lost, one_line
from streamer.generator.klein.fused.linear import QuantizedRows, residual_update
from streamer.generator.klein.fused.ops import attend_with
from streamer.generator.klein.optimizations import Attention, Precision
from streamer.generator.klein.quantize import FP8, EightBitLinear, fuse_qkv, quantize_to_eight_bits
from streamer.generator.klein.shapes import Shape

log = logging.getLogger(__name__)

HEAD = 128
RUNS, WARM_UPS = 7, 2
EIGHT_BIT: dict[Precision, torch.dtype] = {"fp8": FP8, "int8": torch.int8}
WEIGHTS_ONLY: dict[Precision, torch.dtype] = {"fp8-weights": FP8, "int8-weights": torch.int8}

Run = Callable[[], object]
Timer = Callable[[Sequence[Run]], list[float]]
"""Time functions against each other; return the median of each in milliseconds."""


@dataclass(frozen=True, slots=True)
class Product:
    """A matrix product [n, k] x [k, m] that a step computes ``count`` times."""

    rows: int
    inputs: int
    outputs: int
    count: int


PROBE = Product(256, 256, 256, 1)


@dataclass(frozen=True, slots=True)
class Workload:
    """What one denoising step computes: its products, and attention over ``tokens`` in each block."""

    products: tuple[Product, ...]
    tokens: int
    heads: int
    blocks: int


@torch.inference_mode()
def workload_of(transformer: Any, shape: Shape) -> Workload:
    """Run a transformer without weights (on the meta device) once, and note the products of its blocks."""
    seen: Counter[tuple[int, int, int]] = Counter()
    blocks = (*transformer.transformer_blocks, *transformer.single_transformer_blocks)
    for block in blocks:
        fuse_qkv(block)
        for module in block.modules():
            if isinstance(module, nn.Linear):
                module.register_forward_pre_hook(partial(_note, seen))
    config, text, image = transformer.config, shape.text_tokens, shape.image_tokens
    with torch.device("meta"):
        transformer(
            hidden_states=torch.empty(1, image, config.in_channels),
            encoder_hidden_states=torch.empty(1, text, config.joint_attention_dim),
            timestep=torch.empty(1), guidance=None,
            img_ids=torch.empty(1, image, 4), txt_ids=torch.empty(1, text, 4),
        )  # fmt: skip
    products = tuple(Product(*sizes, count) for sizes, count in seen.items())
    return Workload(products, shape.tokens, config.num_attention_heads, len(blocks))


def _note(seen: Counter[tuple[int, int, int]], linear: nn.Linear, inputs: tuple[Tensor, ...]) -> None:
    seen[inputs[0].shape[1], linear.in_features, linear.out_features] += 1


@torch.inference_mode()
def time_products(
    workload: Workload, precisions: Sequence[Precision], device: torch.device, timer: Timer, *, kernels: bool
) -> dict[Precision, float]:
    """Return what a step's products take in each precision, in milliseconds.

    A precision that this device cannot multiply in is left out. With ``kernels`` the rows arrive in eight bits, as our
    fused kernels leave them; otherwise rounding them counts.
    """
    working = [kind for kind in precisions if _works(partial(_probe, kind, device, kernels))]
    totals = dict.fromkeys(working, 0.0)
    for product in workload.products:
        for precision, taken in zip(working, timer(_runs(product, working, device, kernels)), strict=True):
            totals[precision] += product.count * taken
    return totals


def _probe(precision: Precision, device: torch.device, kernels: bool) -> None:
    for run in _runs(PROBE, [precision], device, kernels):
        run()


def _runs(product: Product, precisions: Sequence[Precision], device: torch.device, kernels: bool) -> list[Run]:
    """Return the same product in each precision; values do not matter for the time, but zeros draw less power."""
    seeded = torch.Generator(device).manual_seed(0)
    make = partial(torch.randn, generator=seeded, device=device, dtype=torch.bfloat16)
    x, weight = make(product.rows, product.inputs), make(product.outputs, product.inputs)
    return [_run(x, weight, precision, kernels) for precision in precisions]


def _run(x: Tensor, weight: Tensor, precision: Precision, kernels: bool) -> Run:
    if precision in WEIGHTS_ONLY:
        return partial(EightBitLinear(weight, WEIGHTS_ONLY[precision], True).forward, x)
    if precision not in EIGHT_BIT:
        return partial(F.linear, x, weight)
    layer = EightBitLinear(weight, EIGHT_BIT[precision], False)
    if not kernels:
        return partial(layer.forward, x)
    rows = QuantizedRows(*quantize_to_eight_bits(x, layer.quantized_dtype))
    # Layers that narrow write to the residual stream, whose next kernel can apply their scales.
    if layer.out_features <= layer.in_features:
        return partial(residual_update, layer, rows, x.dtype)
    return partial(layer.matmul, rows.values, rows.scale, x.dtype)


@torch.inference_mode()
def time_attention(
    workload: Workload, kinds: Sequence[Attention], device: torch.device, timer: Timer
) -> dict[Attention, float]:
    """Return what a step's attention takes with each implementation that works here, in milliseconds."""
    runs = {kind: _attention(workload, kind, device) for kind in kinds}
    working = {kind: run for kind, run in runs.items() if _works(run)}
    times = timer(list(working.values()))
    return {kind: workload.blocks * taken for kind, taken in zip(working, times, strict=True)}


def _attention(workload: Workload, kind: Attention, device: torch.device) -> Run:
    seeded = torch.Generator(device).manual_seed(1)
    shape = (workload.tokens, workload.heads, HEAD)
    q, k, v = (torch.randn(shape, generator=seeded, device=device).to(torch.bfloat16) for _ in range(3))
    if kind != "fp8":
        return partial(attend_with(kind), q, k, v)
    from streamer.generator.klein.kernels.attention import attention_fp8

    return partial(attention_fp8, q.to(FP8), k.to(FP8), v.to(FP8), torch.ones(4, device=device))


def _works(run: Run) -> bool:
    """Try an implementation: which ones a card has depends on the versions of torch, Triton and cuDNN."""
    # Each library has errors of its own for this; only a lost device ends the process.
    try:
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    except Exception as error:
        if device_is_lost(error):
            raise
        log.info("not usable on this device: %s", one_line(error))
        return False
    return True


def timer_for(device: torch.device) -> Timer:
    """Return a timer for the device: its own clock on a GPU, the host's otherwise."""
    return _time_on_gpu if device.type == "cuda" else _time_on_host


def _time_on_gpu(runs: Sequence[Run]) -> list[float]:
    taken: list[list[float]] = [[] for _ in runs]
    for number in range(WARM_UPS + RUNS):
        # In turns: a card that gets warm slows all of them down alike.
        events = [(run, torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for run in runs]
        for run, start, end in events:
            start.record()
            run()
            end.record()
        torch.cuda.synchronize()
        if number >= WARM_UPS:
            for times, (_, start, end) in zip(taken, events, strict=True):
                times.append(start.elapsed_time(end))
    return [statistics.median(times) for times in taken]


def _time_on_host(runs: Sequence[Run]) -> list[float]:
    taken: list[list[float]] = [[] for _ in runs]
    for number in range(WARM_UPS + RUNS):
        for times, run in zip(taken, runs, strict=True):
            began = time.perf_counter()
            run()
            if number >= WARM_UPS:
                times.append((time.perf_counter() - began) * 1000)
    return [statistics.median(times) for times in taken]
