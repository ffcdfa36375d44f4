"""Quantize rows to fp8 or int8: the layout that ``torch._scaled_mm`` takes with one scale per row.

Letters in shapes of all kernels: N rows (tokens), D width of a row, H heads of 128.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
import torch
import triton
import triton.language as tl

from streamer.generator.klein.quantize import FP8_MAX, INT8_MAX


@triton.jit
def quantized(value, inverse, INT8: tl.constexpr):
    """Return ``value * inverse`` in the 8-bit type asked for, rounded to nearest."""
    if INT8:  # noqa: SIM108 (Triton drops the branch not taken; both sides of an expression must agree in type)
        result = tl.floor(value * inverse + 0.5).to(tl.int8)
    else:
        result = (value * inverse).to(tl.float8e4nv)
    return result


@triton.jit
def _rows_kernel(x, q, scale, x_stride, WIDTH: tl.constexpr, BLOCK: tl.constexpr, LIMIT: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK)
    inside = cols < WIDTH
    value = tl.load(x + row * x_stride + cols, mask=inside, other=0.0).to(tl.float32)
    peak = tl.maximum(tl.max(tl.abs(value)), 1e-12)
    tl.store(scale + row, peak / LIMIT)
    tl.store(q + row * WIDTH + cols, quantized(value, LIMIT / peak, LIMIT == 127.0), mask=inside)


def empty_rows(like: torch.Tensor, width: int, int8: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Allocate quantized rows [N, width] and their scales [N, 1] float32 for the N rows of ``like``."""
    q = torch.empty((like.shape[0], width), device=like.device, dtype=torch.int8 if int8 else torch.float8_e4m3fn)
    return q, torch.empty((like.shape[0], 1), device=like.device, dtype=torch.float32)


def require_rows(name: str, x: torch.Tensor, width: int | None = None) -> None:
    """Raise ValueError unless ``x`` is [N, width] with contiguous rows; the row stride may be larger."""
    if x.dim() != 2 or x.stride(1) != 1:
        raise ValueError(f"{name} must be [rows, width] with contiguous rows, not {tuple(x.shape)} stride {x.stride()}")
    if width is not None and x.shape[1] != width:
        raise ValueError(f"{name} must be {width} wide, not {x.shape[1]}")


def limit(int8: bool) -> float:
    """Return the largest magnitude that the 8-bit type holds."""
    return INT8_MAX if int8 else FP8_MAX


@torch.library.custom_op("streamer_klein::quantize_rows", mutates_args=())
def quantize_rows(x: torch.Tensor, int8: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize each row of x [N, D] by its own largest magnitude, so that x is close to q * scale.

    Returns q [N, D] in fp8 or int8, and scale [N, 1] float32. Raises ValueError for a layout that it cannot read.
    """
    require_rows("x", x)
    q, scale = empty_rows(x, x.shape[1], int8)
    block = triton.next_power_of_2(x.shape[1])
    _rows_kernel[(x.shape[0],)](x, q, scale, x.stride(0), x.shape[1], block, limit(int8), num_warps=warps(block))
    return q, scale


@quantize_rows.register_fake
def _(x: torch.Tensor, int8: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    return empty_rows(x, x.shape[1], int8)


def warps(block: int) -> int:
    """Choose the number of warps so that each thread keeps 32 values: four 16-byte loads in flight."""
    return max(1, min(16, block // 1024))
