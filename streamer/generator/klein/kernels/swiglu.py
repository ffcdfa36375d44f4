"""SwiGLU and row quantization in one pass, with or without the attention output in front."""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
import torch
import triton
import triton.language as tl

from streamer.generator.klein.kernels.quantize_rows import empty_rows, limit, quantized, require_rows


@triton.jit
def _swiglu(gate_up, cols, inside, WIDTH: tl.constexpr):
    gate = tl.load(gate_up + cols, mask=inside, other=0.0, eviction_policy="evict_first").to(tl.float32)
    up = tl.load(gate_up + WIDTH + cols, mask=inside, other=0.0, eviction_policy="evict_first").to(tl.float32)
    return gate / (1.0 + tl.exp(-gate)) * up


@triton.jit
def _swiglu_kernel(
    attention, attention_scale, gate_up, q, q_scale, attention_stride, gate_stride,
    FRONT: tl.constexpr, WIDTH: tl.constexpr, BLOCK_FRONT: tl.constexpr, BLOCK: tl.constexpr, REST: tl.constexpr,
    LIMIT: tl.constexpr, FP8_FRONT: tl.constexpr,
):  # fmt: skip
    # Widths such as 9216 and 12288 are sums of two powers of two: two tiles waste no lanes and stay in registers.
    row = tl.program_id(0).to(tl.int64)
    gate_up += row * gate_stride
    q += row * (FRONT + WIDTH)
    cols = tl.arange(0, BLOCK)
    value = _swiglu(gate_up, cols, cols < WIDTH, WIDTH)
    peak = tl.max(tl.abs(value))
    if REST > 0:
        rest_cols = BLOCK + tl.arange(0, REST)
        rest = _swiglu(gate_up, rest_cols, rest_cols < WIDTH, WIDTH)
        peak = tl.maximum(peak, tl.max(tl.abs(rest)))
    if FRONT > 0:
        front_cols = tl.arange(0, BLOCK_FRONT)
        inside = front_cols < FRONT
        front = tl.load(attention + row * attention_stride + front_cols, mask=inside, other=0.0).to(tl.float32)
        if FP8_FRONT:
            front *= tl.load(attention_scale)
        peak = tl.maximum(peak, tl.max(tl.abs(front)))
    peak = tl.maximum(peak, 1e-12)
    tl.store(q_scale + row, peak / LIMIT)
    inverse = LIMIT / peak
    tl.store(q + FRONT + cols, quantized(value, inverse, LIMIT == 127.0), mask=cols < WIDTH)
    if REST > 0:
        tl.store(q + FRONT + rest_cols, quantized(rest, inverse, LIMIT == 127.0), mask=rest_cols < WIDTH)
    if FRONT > 0:
        tl.store(q + front_cols, quantized(front, inverse, LIMIT == 127.0), mask=inside)


def warps(block: int) -> int:
    """Choose the number of warps so that a thread keeps 32 values of the larger tile."""
    return max(1, min(8, block // 1024))


def two_tiles(width: int) -> tuple[int, int]:
    """Split a width into the largest power of two that fits and a power of two that covers the rest."""
    first = triton.next_power_of_2(width + 1) // 2
    return first, triton.next_power_of_2(width - first) if width > first else 0


def _launch(
    attention: torch.Tensor | None, attention_scale: torch.Tensor | None, gate_up: torch.Tensor, int8: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    require_rows("gate_up", gate_up)
    if gate_up.shape[1] % 2:
        raise ValueError(f"gate_up must be of even width, not {gate_up.shape[1]}")
    width, front = gate_up.shape[1] // 2, 0
    if attention is not None:
        require_rows("attention", attention)
        front = attention.shape[1]
        if attention.shape[0] != gate_up.shape[0]:
            raise ValueError(f"attention has {attention.shape[0]} rows and gate_up {gate_up.shape[0]}")
    q, q_scale = empty_rows(gate_up, front + width, int8)
    block, rest = two_tiles(width)
    _swiglu_kernel[(gate_up.shape[0],)](
        attention if attention is not None else gate_up,
        attention_scale if attention_scale is not None else q_scale,
        gate_up, q, q_scale, attention.stride(0) if attention is not None else 0, gate_up.stride(0),
        front, width, triton.next_power_of_2(max(front, 1)), block, rest, limit(int8), attention_scale is not None,
        num_warps=warps(block),
    )  # fmt: skip
    return q, q_scale


@torch.library.custom_op("streamer_klein::swiglu_quantize", mutates_args=())
def swiglu_quantize(gate_up: torch.Tensor, int8: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize silu(first half) * second half by rows: [N, 2 * D] to q [N, D] and scales [N, 1] float32.

    Raises ValueError for an odd width, or rows that are not contiguous.
    """
    return _launch(None, None, gate_up, int8)


@swiglu_quantize.register_fake
def _(gate_up: torch.Tensor, int8: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    return empty_rows(gate_up, gate_up.shape[1] // 2, int8)


@torch.library.custom_op("streamer_klein::concat_swiglu_quantize", mutates_args=())
def concat_swiglu_quantize(
    attention: torch.Tensor, gate_up: torch.Tensor, attention_scale: torch.Tensor | None = None, int8: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize the rows of (attention, silu(first half) * second half): [N, D1] and [N, 2 * D2] to q [N, D1 + D2].

    Returns q and scales [N, 1] float32. An fp8 attention output comes with its one-element ``attention_scale``.
    """
    return _launch(attention, attention_scale, gate_up, int8)


@concat_swiglu_quantize.register_fake
def _(
    attention: torch.Tensor, gate_up: torch.Tensor, attention_scale: torch.Tensor | None = None, int8: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    return empty_rows(gate_up, attention.shape[1] + gate_up.shape[1] // 2, int8)
