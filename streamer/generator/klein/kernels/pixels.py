"""Two small passes of the VAE decoder: softmax over long rows, and pixels to bytes."""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
import torch
import triton
import triton.language as tl


@triton.jit
def _softmax_kernel(x, out, sharpness, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK)
    inside = cols < WIDTH
    value = tl.load(x + row * WIDTH + cols, mask=inside, other=float("-inf"))
    power = tl.exp((value - tl.max(value)) * sharpness)
    tl.store(out + row * WIDTH + cols, (power / tl.sum(power)).to(out.dtype.element_ty), mask=inside)


def softmax_rows(x: torch.Tensor, sharpness: float, dtype: torch.dtype) -> torch.Tensor:
    """Return the softmax of each row of x [N, D] float32 times ``sharpness``, in ``dtype``."""
    # One program holds a whole row in registers, so the row is read once.
    out = torch.empty_like(x, dtype=dtype)
    block = triton.next_power_of_2(x.shape[1])
    _softmax_kernel[(x.shape[0],)](x, out, sharpness, x.shape[1], block, num_warps=max(1, min(32, block // 1024)))
    return out


@triton.jit
def _bytes_kernel(x, bias, out, total, CHANNELS: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = index < total
    value = tl.load(x + index, mask=inside, other=0.0).to(tl.float32)
    value += tl.load(bias + index % CHANNELS, mask=inside, other=0.0).to(tl.float32)
    level = tl.floor(value * 127.5 + 128.0)
    tl.store(out + index, tl.minimum(tl.maximum(level, 0.0), 255.0).to(tl.uint8), mask=inside)


def to_bytes(x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Turn pixels [..., C] in -1 to 1, plus their pending bias [C], into uint8; clamp what lies outside."""
    out = torch.empty_like(x, dtype=torch.uint8)
    _bytes_kernel[(triton.cdiv(x.numel(), 4096),)](x, bias, out, x.numel(), x.shape[-1], 4096, num_warps=4)
    return out
