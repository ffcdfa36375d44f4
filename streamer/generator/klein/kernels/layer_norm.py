"""LayerNorm, modulation, gated residual and row quantization in one pass over the rows."""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
import torch
import triton
import triton.language as tl

from streamer.generator.klein.kernels.quantize_rows import empty_rows, limit, quantized, require_rows, warps


@triton.jit
def _norm_kernel(
    x, y, y_rows, y_columns, gate, scale, shift, out, q, q_scale, x_stride, y_stride, text_rows, set_stride, eps,
    WIDTH: tl.constexpr, BLOCK: tl.constexpr, LIMIT: tl.constexpr, RESIDUAL: tl.constexpr, RAW: tl.constexpr,
    QUANTIZE: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    stream = tl.where(row >= text_rows, set_stride, 0)
    cols = tl.arange(0, BLOCK)
    inside = cols < WIDTH
    value = tl.load(x + row * x_stride + cols, mask=inside, other=0.0, eviction_policy="evict_first").to(tl.float32)
    if RESIDUAL:
        branch = tl.load(y + row * y_stride + cols, mask=inside, other=0.0, eviction_policy="evict_first")
        g = tl.load(gate + stream + cols, mask=inside, other=0.0, eviction_policy="evict_last").to(tl.float32)
        if RAW:
            g *= tl.load(y_columns + stream + cols, mask=inside, other=0.0, eviction_policy="evict_last")
            g *= tl.load(y_rows + row)
        stored = (value + g * branch.to(tl.float32)).to(out.dtype.element_ty)
        tl.store(out + row * WIDTH + cols, stored, mask=inside)
        value = stored.to(tl.float32)
    if QUANTIZE:
        a = tl.load(scale + stream + cols, mask=inside, other=0.0, eviction_policy="evict_last").to(tl.float32)
        b = tl.load(shift + stream + cols, mask=inside, other=0.0, eviction_policy="evict_last").to(tl.float32)
        centred = tl.where(inside, value - tl.sum(value) / WIDTH, 0.0)
        rstd = tl.rsqrt(tl.sum(centred * centred) / WIDTH + eps)
        result = centred * rstd * (1.0 + a) + b
        peak = tl.maximum(tl.max(tl.abs(result)), 1e-12)
        tl.store(q_scale + row, peak / LIMIT)
        tl.store(q + row * WIDTH + cols, quantized(result, LIMIT / peak, LIMIT == 127.0), mask=inside)


def _stream_stride(name: str, m: torch.Tensor, width: int) -> int:
    """Return the distance between the text's and the image's modulation, or 0 where one serves both."""
    if m.shape not in ((width,), (2, width)) or not m.is_contiguous():
        raise ValueError(f"{name} must be contiguous [{width}] or [2, {width}] (text, image), not {tuple(m.shape)}")
    return width if m.dim() == 2 else 0


def _launch(
    x: torch.Tensor, y: torch.Tensor | None, gate: torch.Tensor | None, scale: torch.Tensor | None,
    shift: torch.Tensor | None, eps: float, text_rows: int, int8: bool, y_rows: torch.Tensor | None = None,
    y_columns: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    require_rows("x", x)
    n, width = x.shape
    block = triton.next_power_of_2(width)
    given = [
        (name, m)
        for name, m in (("gate", gate), ("scale", scale), ("shift", shift), ("y_columns", y_columns))
        if m is not None
    ]
    strides = {_stream_stride(name, m, width) for name, m in given}
    if len(strides) != 1:
        raise ValueError("gate, scale and shift must all be [width] or all be [2, width], and so must y_columns")
    if (y_rows is None) != (y_columns is None):
        raise ValueError("y_rows and y_columns come together or not at all")
    out = x
    if y is not None:
        require_rows("y", y, width)
        out = torch.empty((n, width), device=x.device, dtype=x.dtype)
    q, q_scale = empty_rows(x, width, int8) if scale is not None else (x, x)
    _norm_kernel[(n,)](
        x, y if y is not None else x, y_rows if y_rows is not None else x, y_columns if y_columns is not None else x,
        gate if gate is not None else x, scale if scale is not None else x,
        shift if shift is not None else x, out, q, q_scale, x.stride(0), y.stride(0) if y is not None else 0,
        text_rows, strides.pop(), eps, width, block, limit(int8), y is not None, y_rows is not None, scale is not None,
        num_warps=warps(block),
    )  # fmt: skip
    return out, q, q_scale


@torch.library.custom_op("streamer_klein::norm_modulate_quantize", mutates_args=())
def norm_modulate_quantize(
    x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float, text_rows: int = 0, int8: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize LayerNorm(x) * (1 + scale) + shift by rows; return q [N, D] and scales [N, 1] float32.

    x is [N, D]; scale and shift are [D], or [2, D]: then the first ``text_rows`` rows use set 0 and the others set 1.
    Raises ValueError for a layout that the kernel cannot read.
    """
    _, q, q_scale = _launch(x, None, None, scale, shift, eps, text_rows, int8)
    return q, q_scale


@norm_modulate_quantize.register_fake
def _(
    x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float, text_rows: int = 0, int8: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    return empty_rows(x, x.shape[1], int8)


@torch.library.custom_op("streamer_klein::gate_residual_norm_modulate_quantize", mutates_args=())
def gate_residual_norm_modulate_quantize(
    x: torch.Tensor, y: torch.Tensor, gate: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float,
    text_rows: int = 0, int8: bool = False, y_rows: torch.Tensor | None = None, y_columns: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Return x + gate * y [N, D], and its modulated LayerNorm quantized by rows: q [N, D] and scales [N, 1] float32.

    y may be an eight-bit product that is not scaled yet: then ``y_rows`` [N, 1] and ``y_columns`` ([D] or [2, D]) are
    the scales of its two sides. Products of few rows are faster without scales.
    """
    return _launch(x, y, gate, scale, shift, eps, text_rows, int8, y_rows, y_columns)


@gate_residual_norm_modulate_quantize.register_fake
def _(
    x: torch.Tensor, y: torch.Tensor, gate: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float,
    text_rows: int = 0, int8: bool = False, y_rows: torch.Tensor | None = None, y_columns: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    return (x.new_empty(x.shape), *empty_rows(x, x.shape[1], int8))


@torch.library.custom_op("streamer_klein::gate_residual", mutates_args=())
def gate_residual(
    x: torch.Tensor, y: torch.Tensor, gate: torch.Tensor, text_rows: int = 0, y_rows: torch.Tensor | None = None,
    y_columns: torch.Tensor | None = None,
) -> torch.Tensor:  # fmt: skip
    """Return x + gate * y [N, D]; y may be a product that is not scaled yet, with ``y_rows`` and ``y_columns``."""
    return _launch(x, y, gate, None, None, 0.0, text_rows, False, y_rows, y_columns)[0]


@gate_residual.register_fake
def _(
    x: torch.Tensor, y: torch.Tensor, gate: torch.Tensor, text_rows: int = 0, y_rows: torch.Tensor | None = None,
    y_columns: torch.Tensor | None = None,
) -> torch.Tensor:  # fmt: skip
    return x.new_empty(x.shape)
