"""The same operations in plain torch, on any device and in any dtype, with which the fused kernels are compared.

They have the kernels' arguments and results. Letters in shapes: N rows (tokens), D width of a row, H heads of 128.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-call"
import torch
import torch.nn.functional as F

from streamer.generator.klein.quantize import FP8_MAX, INT8_MAX

MIN_PEAK = 1e-12


def per_row(m: torch.Tensor, rows: int, text_rows: int) -> torch.Tensor:
    """Spread one set of parameters [D], or two (text, image) [2, D], over the rows: [D] or [N, D] float32."""
    if m.dim() == 1:
        return m.float()
    return torch.cat([m[0].expand(text_rows, -1), m[1].expand(rows - text_rows, -1)]).float()


def quantize_rows(x: torch.Tensor, int8: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize each row of x [N, D] by its own largest magnitude: return q [N, D] and scale [N, 1] float32."""
    top = INT8_MAX if int8 else FP8_MAX
    peak = x.float().abs().amax(1, keepdim=True).clamp_min(MIN_PEAK)
    scaled = x.float() * (top / peak)
    q = torch.floor(scaled + 0.5).to(torch.int8) if int8 else scaled.to(torch.float8_e4m3fn)
    return q, peak / top


def norm_modulate(
    x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float, text_rows: int = 0
) -> torch.Tensor:
    """Return LayerNorm(x) * (1 + scale) + shift in float32."""
    a, b = (per_row(m, x.shape[0], text_rows) for m in (scale, shift))
    return F.layer_norm(x.float(), (x.shape[1],), eps=eps) * (1 + a) + b


def norm_modulate_quantize(
    x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float, text_rows: int = 0, int8: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize LayerNorm(x) * (1 + scale) + shift by rows."""
    return quantize_rows(norm_modulate(x, scale, shift, eps, text_rows), int8)


def gate_residual(
    x: torch.Tensor, y: torch.Tensor, gate: torch.Tensor, text_rows: int = 0, y_rows: torch.Tensor | None = None,
    y_columns: torch.Tensor | None = None,
) -> torch.Tensor:  # fmt: skip
    """Return x + gate * y; y may be a product that is not scaled yet, with ``y_rows`` and ``y_columns``."""
    branch = y.float()
    if y_rows is not None and y_columns is not None:
        branch = branch * y_rows * per_row(y_columns, x.shape[0], text_rows)
    return (x.float() + per_row(gate, x.shape[0], text_rows) * branch).to(x.dtype)


def gate_residual_norm_modulate_quantize(
    x: torch.Tensor, y: torch.Tensor, gate: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, eps: float,
    text_rows: int = 0, int8: bool = False, y_rows: torch.Tensor | None = None, y_columns: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Return x + gate * y, and its modulated LayerNorm quantized by rows."""
    out = gate_residual(x, y, gate, text_rows, y_rows, y_columns)
    return (out, *norm_modulate_quantize(out, scale, shift, eps, text_rows, int8))


def swiglu(gate_up: torch.Tensor) -> torch.Tensor:
    """Return silu(first half) * second half in float32."""
    gate, up = gate_up.float().chunk(2, dim=1)
    return F.silu(gate) * up


def swiglu_quantize(gate_up: torch.Tensor, int8: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize silu(first half) * second half by rows."""
    return quantize_rows(swiglu(gate_up), int8)


def concat_swiglu_quantize(
    attention: torch.Tensor, gate_up: torch.Tensor, attention_scale: torch.Tensor | None = None, int8: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize the rows of (attention, silu(first half) * second half)."""
    front = attention.float() if attention_scale is None else attention.float() * attention_scale
    return quantize_rows(torch.cat([front, swiglu(gate_up)], 1), int8)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotate the pairs of x [N, H, 128] by the angles of their row."""
    even, odd = x.unflatten(2, (-1, 2)).unbind(3)
    rotated = torch.stack([-odd, even], dim=3).flatten(2)
    return x * cos[:, None] + rotated * sin[:, None]


def qk_norm_rope(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    text_rows: int = 0,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Normalize and rotate the q and k parts of qkv [N, 3 * H * 128]; return both as [N, H, 128]."""
    q, k = (
        rotate(F.rms_norm(part.float(), part.shape[2:], eps=eps) * _head_weight(w, part.shape[0], text_rows), cos, sin)
        for part, w in zip(qkv.unflatten(1, (3, -1, wq.shape[-1])).unbind(1)[:2], (wq, wk), strict=True)
    )
    return q.to(qkv.dtype), k.to(qkv.dtype)


def _head_weight(w: torch.Tensor, rows: int, text_rows: int) -> torch.Tensor:
    spread = per_row(w, rows, text_rows)
    return spread if spread.dim() == 1 else spread[:, None]


def qk_norm_rope_fp8(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    scales: torch.Tensor, text_rows: int = 0,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Do the same, and return q, k and v as fp8 [N, H, 128], divided by ``scales`` (q, k, v)."""
    q, k = qk_norm_rope(qkv.float(), wq, wk, cos, sin, eps, text_rows)
    v = qkv.float().unflatten(1, (3, -1, wq.shape[-1]))[:, 2]
    a, b, c = (
        (x / s).clamp(-FP8_MAX, FP8_MAX).to(torch.float8_e4m3fn) for x, s in zip((q, k, v), scales[:3], strict=True)
    )
    return a, b, c


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Attend over all rows of q, k, v [N, H, 128]; return [N, H * 128] in float32."""
    a, b, c = (x.float().transpose(0, 1) for x in (q, k, v))
    return F.scaled_dot_product_attention(a, b, c).transpose(0, 1).flatten(1)


def attention_fp8(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Attend over fp8 q, k, v times their ``scales``; return [N, H * 128] in float32."""
    return attention(*(x.float() * s for x, s in zip((q, k, v), scales[:3], strict=True)))


def attention_scales(
    wq: torch.Tensor, wk: torch.Tensor, wv: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor
) -> torch.Tensor:
    """Bound what normalized rows can become as q, k and v: return their fp8 scales and 1 / the last, [4] float32."""
    largest = [wq.shape[-1] ** 0.5 * weight.float().abs().max() for weight in (wq, wk)]
    longest = wv.shape[1] ** 0.5 * (wv * (1 + scale.float())).norm(dim=1) + (wv @ shift.float()).abs()
    scales = torch.stack([*largest, longest.max()]).clamp_min(1e-6) / FP8_MAX
    return torch.cat([scales, 1 / scales[2:]])


def group_norm_silu(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, groups: int, eps: float) -> torch.Tensor:
    """Return silu(GroupNorm(x)) of [1, C, height, width]."""
    return F.silu(F.group_norm(x.float(), groups, weight.float(), bias.float(), eps)).to(x.dtype)


def rms_norm_quantize(
    x: torch.Tensor, weight: torch.Tensor, eps: float, int8: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize RMSNorm(x) * weight by rows."""
    return quantize_rows(F.rms_norm(x.float(), (x.shape[1],), weight.float(), eps), int8)


def residual_rms_norm_quantize(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, eps: float, int8: bool = False,
    y_rows: torch.Tensor | None = None, y_columns: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Return x + y, and its RMSNorm quantized by rows; y may be unscaled, with ``y_rows`` and ``y_columns``."""
    branch = y.float() if y_rows is None or y_columns is None else y.float() * y_rows * y_columns
    out = (x.float() + branch).to(x.dtype)
    return (out, *rms_norm_quantize(out, weight, eps, int8))


def qk_norm_half_rope(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    heads: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Normalize and rotate q and k by halves; return q, k, v as [N, heads, 128], shared heads repeated."""
    size = wq.shape[0]
    split = qkv.unflatten(1, (-1, size))
    shared = (split.shape[1] - heads) // 2
    q, k, v = split.split([heads, shared, shared], dim=1)
    q, k = (_turned_halves(F.rms_norm(x.float(), (size,), w.float(), eps), cos, sin) for x, w in ((q, wq), (k, wk)))
    k, v = (x.repeat_interleave(heads // shared, dim=1) for x in (k, v))
    return q.to(qkv.dtype), k.to(qkv.dtype), v


def _turned_halves(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    low, high = x.chunk(2, dim=2)
    return x * cos[:, None] + torch.cat([-high, low], dim=2) * sin[:, None]
