"""RMSNorm, residual and row quantization in one pass, for the text encoder."""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
import torch
import triton
import triton.language as tl

from streamer.generator.klein.kernels.quantize_rows import empty_rows, limit, quantized, require_rows, warps


@triton.jit
def _rms_kernel(
    x, y, y_rows, y_columns, weight, out, q, q_scale, x_stride, y_stride, eps,
    WIDTH: tl.constexpr, BLOCK: tl.constexpr, LIMIT: tl.constexpr, RESIDUAL: tl.constexpr, RAW: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    cols = tl.arange(0, BLOCK)
    inside = cols < WIDTH
    value = tl.load(x + row * x_stride + cols, mask=inside, other=0.0).to(tl.float32)
    if RESIDUAL:
        branch = tl.load(y + row * y_stride + cols, mask=inside, other=0.0).to(tl.float32)
        if RAW:
            branch *= tl.load(y_columns + cols, mask=inside, other=0.0) * tl.load(y_rows + row)
        stored = (value + branch).to(out.dtype.element_ty)
        tl.store(out + row * WIDTH + cols, stored, mask=inside)
        value = stored.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(value * value) / WIDTH + eps)
    result = value * rstd * tl.load(weight + cols, mask=inside, other=0.0).to(tl.float32)
    peak = tl.maximum(tl.max(tl.abs(result)), 1e-12)
    tl.store(q_scale + row, peak / LIMIT)
    tl.store(q + row * WIDTH + cols, quantized(result, LIMIT / peak, LIMIT == 127.0), mask=inside)


def _launch(
    x: torch.Tensor, y: torch.Tensor | None, weight: torch.Tensor, eps: float, int8: bool,
    y_rows: torch.Tensor | None, y_columns: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    require_rows("x", x)
    n, width = x.shape
    if weight.shape != (width,):
        raise ValueError(f"weight must be [{width}], not {tuple(weight.shape)}")
    if (y_rows is None) != (y_columns is None):
        raise ValueError("y_rows and y_columns come together or not at all")
    out = x
    if y is not None:
        require_rows("y", y, width)
        out = torch.empty((n, width), device=x.device, dtype=x.dtype)
    q, q_scale = empty_rows(x, width, int8)
    block = triton.next_power_of_2(width)
    _rms_kernel[(n,)](
        x, y if y is not None else x, y_rows if y_rows is not None else x, y_columns if y_columns is not None else x,
        weight, out, q, q_scale, x.stride(0), y.stride(0) if y is not None else 0, eps, width, block, limit(int8),
        y is not None, y_rows is not None, num_warps=warps(block),
    )  # fmt: skip
    return out, q, q_scale


@torch.library.custom_op("streamer_klein::rms_norm_quantize", mutates_args=())
def rms_norm_quantize(
    x: torch.Tensor, weight: torch.Tensor, eps: float, int8: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize RMSNorm(x) * weight by rows: x [N, D], weight [D]; return q [N, D] and scales [N, 1] float32."""
    _, q, q_scale = _launch(x, None, weight, eps, int8, None, None)
    return q, q_scale


@rms_norm_quantize.register_fake
def _(x: torch.Tensor, weight: torch.Tensor, eps: float, int8: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    return empty_rows(x, x.shape[1], int8)


@torch.library.custom_op("streamer_klein::residual_rms_norm_quantize", mutates_args=())
def residual_rms_norm_quantize(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, eps: float, int8: bool = False,
    y_rows: torch.Tensor | None = None, y_columns: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Return x + y [N, D], and its RMSNorm quantized by rows: q [N, D] and scales [N, 1] float32.

    y may be a product that is not scaled yet: then ``y_rows`` [N, 1] and ``y_columns`` [D] are its scales.
    """
    return _launch(x, y, weight, eps, int8, y_rows, y_columns)


@residual_rms_norm_quantize.register_fake
def _(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, eps: float, int8: bool = False,
    y_rows: torch.Tensor | None = None, y_columns: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    return (x.new_empty(x.shape), *empty_rows(x, x.shape[1], int8))
