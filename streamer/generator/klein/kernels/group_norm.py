"""GroupNorm and SiLU over channels-last pictures in two passes: partial sums, then one affine map per channel.

A picture is a matrix [P, C] here: pixels, channels. A convolution's bias is never added on its own: it travels beside
the picture as ``pending`` and is folded into the sums and into the affine map.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
import torch
import triton
import triton.language as tl

TILE = 4096
PROGRAMS = 528
"""Four per multiprocessor of an H200: 264 to 1056 were within 2 % of each other."""
AFFINE_TILE, AFFINE_WARPS = 8192, 8


@triton.jit
def _sums_kernel(
    x, other, bias, out, sums, pixels, per_program,
    WIDTH: tl.constexpr, BLOCK: tl.constexpr, STRIP: tl.constexpr, ADD: tl.constexpr, SUM: tl.constexpr,
):  # fmt: skip
    program = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    wide = cols < WIDTH
    first = program.to(tl.int64) * per_program
    last = tl.minimum(first + per_program, pixels)
    total = tl.zeros((STRIP, BLOCK), tl.float32)
    squares = tl.zeros((STRIP, BLOCK), tl.float32)
    if ADD:
        b = tl.load(bias + cols, mask=wide, other=0.0).to(tl.float32)
    for start in range(first, last, STRIP):
        rows = start + tl.arange(0, STRIP)
        offsets = rows[:, None] * WIDTH + cols[None, :]
        inside = (rows[:, None] < last) & wide[None, :]
        value = tl.load(x + offsets, mask=inside, other=0.0).to(tl.float32)
        if ADD:
            value += tl.load(other + offsets, mask=inside, other=0.0).to(tl.float32) + b[None, :]
            rounded = value.to(out.dtype.element_ty)
            tl.store(out + offsets, rounded, mask=inside)
            value = tl.where(inside, rounded.to(tl.float32), 0.0)
        if SUM:
            total += value
            squares += value * value
    if SUM:
        tl.store(sums + program * 2 * WIDTH + cols, tl.sum(total, axis=0), mask=wide)
        tl.store(sums + (program * 2 + 1) * WIDTH + cols, tl.sum(squares, axis=0), mask=wide)


@triton.jit
def _affine_kernel(
    sums, pending, weight, bias, affine, programs, pixels, eps,
    WIDTH: tl.constexpr, EACH: tl.constexpr, BLOCK: tl.constexpr, STRIP: tl.constexpr, PENDING: tl.constexpr,
):  # fmt: skip
    inner = tl.arange(0, BLOCK)
    cols = tl.program_id(0) * EACH + inner
    inside = inner < EACH
    total = tl.zeros((STRIP, BLOCK), tl.float32)
    squares = tl.zeros((STRIP, BLOCK), tl.float32)
    for start in range(0, programs, STRIP):
        rows = start + tl.arange(0, STRIP)
        offsets = rows[:, None] * 2 * WIDTH + cols[None, :]
        mask = (rows[:, None] < programs) & inside[None, :]
        total += tl.load(sums + offsets, mask=mask, other=0.0)
        squares += tl.load(sums + offsets + WIDTH, mask=mask, other=0.0)
    mean = tl.sum(total, axis=0) / pixels
    square = tl.sum(squares, axis=0) / pixels
    extra = tl.zeros((BLOCK,), tl.float32)
    if PENDING:
        extra = tl.load(pending + cols, mask=inside, other=0.0).to(tl.float32)
        square += 2.0 * extra * mean + extra * extra
        mean = tl.where(inside, mean + extra, 0.0)
    group_mean = tl.sum(mean) / EACH
    rstd = tl.rsqrt(tl.maximum(tl.sum(square) / EACH - group_mean * group_mean, 0.0) + eps)
    slope = tl.load(weight + cols, mask=inside, other=0.0).to(tl.float32) * rstd
    offset = tl.load(bias + cols, mask=inside, other=0.0).to(tl.float32) + (extra - group_mean) * slope
    tl.store(affine + cols, slope, mask=inside)
    tl.store(affine + WIDTH + cols, offset, mask=inside)


@triton.jit
def _apply_kernel(
    x, affine, out, pixels,
    WIDTH: tl.constexpr, BLOCK: tl.constexpr, STRIP: tl.constexpr, SILU: tl.constexpr,
):  # fmt: skip
    cols = tl.arange(0, BLOCK)
    wide = cols < WIDTH
    rows = tl.program_id(0).to(tl.int64) * STRIP + tl.arange(0, STRIP)
    offsets = rows[:, None] * WIDTH + cols[None, :]
    inside = (rows[:, None] < pixels) & wide[None, :]
    slope = tl.load(affine + cols, mask=wide, other=0.0)
    offset = tl.load(affine + WIDTH + cols, mask=wide, other=0.0)
    value = tl.load(x + offsets, mask=inside, other=0.0).to(tl.float32) * slope[None, :] + offset[None, :]
    if SILU:
        value = value / (1.0 + tl.exp(-value))
    tl.store(out + offsets, value.to(out.dtype.element_ty), mask=inside)


def _tiling(x: torch.Tensor) -> tuple[int, int, int]:
    """Return the padded width, the rows of one tile, and the rows that each program sums; ValueError if not [P, C]."""
    if x.dim() != 2 or not x.is_contiguous():
        raise ValueError(f"a picture must be contiguous [pixels, channels], not {tuple(x.shape)} stride {x.stride()}")
    block = triton.next_power_of_2(x.shape[1])
    strip = max(1, TILE // block)
    return block, strip, strip * triton.cdiv(x.shape[0], strip * PROGRAMS)


def channel_sums(x: torch.Tensor) -> torch.Tensor:
    """Compute partial sums and sums of squares of each channel of x [P, C]: [programs, 2, C] float32."""
    block, strip, each = _tiling(x)
    programs = triton.cdiv(x.shape[0], each)
    sums = torch.empty((programs, 2, x.shape[1]), device=x.device, dtype=torch.float32)
    _sums_kernel[(programs,)](
        x, x, x, x, sums, x.shape[0], each, x.shape[1], block, strip, False, True, num_warps=4
    )  # fmt: skip
    return sums


def add(x: torch.Tensor, other: torch.Tensor, bias: torch.Tensor, sums: bool) -> torch.Tensor | None:
    """Write x + other + bias over x, all [P, C] and bias [C]; with ``sums`` return the result's partial sums."""
    block, strip, each = _tiling(x)
    _tiling(other)
    programs = triton.cdiv(x.shape[0], each)
    partial = torch.empty((programs, 2, x.shape[1]), device=x.device, dtype=torch.float32) if sums else None
    _sums_kernel[(programs,)](
        x, other, bias, x, partial if partial is not None else x, x.shape[0], each, x.shape[1], block, strip, True,
        sums, num_warps=4,
    )  # fmt: skip
    return partial


def affine_of(
    sums: torch.Tensor, pixels: int, weight: torch.Tensor, bias: torch.Tensor, groups: int, eps: float,
    pending: torch.Tensor | None = None,
) -> torch.Tensor:  # fmt: skip
    """Turn the partial sums of P pixels into GroupNorm's slope and offset per channel, [2, C] float32.

    ``pending`` [C] is a bias that the summed picture still lacks.
    """
    width = weight.shape[0]
    each = width // groups
    affine = torch.empty((2, width), device=sums.device, dtype=torch.float32)
    block = triton.next_power_of_2(each)
    _affine_kernel[(groups,)](
        sums, pending if pending is not None else bias, weight, bias, affine, sums.shape[0], pixels, eps,
        width, each, block, max(1, AFFINE_TILE // block), pending is not None, num_warps=AFFINE_WARPS,
    )  # fmt: skip
    return affine


def apply(x: torch.Tensor, affine: torch.Tensor, silu: bool) -> torch.Tensor:
    """Return x * slope + offset [P, C], passed through SiLU if asked; ``affine`` is [2, C]."""
    block, strip, _ = _tiling(x)
    out = torch.empty_like(x)
    _apply_kernel[(triton.cdiv(x.shape[0], strip),)](
        x, affine, out, x.shape[0], x.shape[1], block, strip, silu, num_warps=4
    )  # fmt: skip
    return out


def group_norm_silu(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, groups: int, eps: float) -> torch.Tensor:
    """Return silu(GroupNorm(x)) of one channels-last picture [1, C, height, width]; ValueError for anything else."""
    if x.dim() != 4 or x.shape[0] != 1 or not x.is_contiguous(memory_format=torch.channels_last):
        raise ValueError(f"x must be one channels-last picture, not {tuple(x.shape)} stride {x.stride()}")
    flat = x[0].permute(1, 2, 0).flatten(0, 1)
    out = apply(flat, affine_of(channel_sums(flat), flat.shape[0], weight, bias, groups, eps), silu=True)
    return out.view(1, x.shape[2], x.shape[3], x.shape[1]).permute(0, 3, 1, 2)
