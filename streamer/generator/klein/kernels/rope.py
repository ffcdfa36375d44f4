"""Query and key RMSNorm and rotary embedding in one pass, in bf16 or straight to fp8.

The transformer rotates pairs of neighbours, the text encoder pairs that lie half a head apart.
"""

from __future__ import annotations

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
import torch
import triton
import triton.language as tl

from streamer.generator.klein.kernels.quantize_rows import require_rows

HEAD = 128
HEADS_AT_ONCE = 8
WARPS = 4


@triton.jit
def _rotated(x, weight, cos, sin, eps, inverse, HEADS: tl.constexpr, DIM: tl.constexpr):
    rstd = tl.rsqrt(tl.sum(x * x, axis=1) / DIM + eps)
    x = x * rstd[:, None] * weight[None, :] * inverse
    even, odd = tl.split(tl.reshape(x, (HEADS, DIM // 2, 2)))
    turned = tl.join(even * cos[None, :] - odd * sin[None, :], odd * cos[None, :] + even * sin[None, :])
    return tl.reshape(turned, (HEADS, DIM))


@triton.jit
def _rope_kernel(
    qkv, wq, wk, cos, sin, scales, q, k, v, qkv_stride, text_rows, set_stride, eps,
    TOTAL: tl.constexpr, HEADS: tl.constexpr, DIM: tl.constexpr, FP8: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    heads = tl.program_id(1) * HEADS + tl.arange(0, HEADS)
    cols = tl.arange(0, DIM)
    tile = heads[:, None] * DIM + cols[None, :]
    inside = heads[:, None] < TOTAL
    stream = tl.where(row >= text_rows, set_stride, 0)
    # cos and sin hold each value twice, once per member of a pair.
    pairs = row * DIM + 2 * tl.arange(0, DIM // 2)
    c = tl.load(cos + pairs)
    s = tl.load(sin + pairs)
    source = qkv + row * qkv_stride + tile
    target = row * TOTAL * DIM + tile
    q_inverse, k_inverse = 1.0, 1.0
    if FP8:
        q_inverse = 1.0 / tl.load(scales)
        k_inverse = 1.0 / tl.load(scales + 1)
    xq = tl.load(source, mask=inside, other=0.0).to(tl.float32)
    xk = tl.load(source + TOTAL * DIM, mask=inside, other=0.0).to(tl.float32)
    weight_q = tl.load(wq + stream + cols).to(tl.float32)
    weight_k = tl.load(wk + stream + cols).to(tl.float32)
    kind = q.dtype.element_ty
    tl.store(q + target, _rotated(xq, weight_q, c, s, eps, q_inverse, HEADS, DIM).to(kind), mask=inside)
    tl.store(k + target, _rotated(xk, weight_k, c, s, eps, k_inverse, HEADS, DIM).to(kind), mask=inside)
    if FP8:
        xv = tl.load(source + 2 * TOTAL * DIM, mask=inside, other=0.0).to(tl.float32) / tl.load(scales + 2)
        tl.store(v + target, tl.clamp(xv, -448.0, 448.0).to(kind), mask=inside)


def _require_tables(rows: int, cos: torch.Tensor, sin: torch.Tensor) -> None:
    """Raise ValueError unless both tables are contiguous [N, 128]."""
    for name, table in (("cos", cos), ("sin", sin)):
        if table.shape != (rows, HEAD) or not table.is_contiguous():
            raise ValueError(f"{name} must be contiguous {(rows, HEAD)}, not {tuple(table.shape)}")


def _require_layout(qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> int:
    """Raise ValueError for a layout that the kernel cannot read; return the number of heads."""
    require_rows("qkv", qkv)
    if qkv.shape[1] % (3 * HEAD):
        raise ValueError(f"qkv must be 3 * heads * {HEAD} wide, not {qkv.shape[1]}")
    _require_tables(qkv.shape[0], cos, sin)
    if wq.shape != wk.shape or wq.shape not in ((HEAD,), (2, HEAD)) or not (wq.is_contiguous() and wk.is_contiguous()):
        raise ValueError(f"wq and wk must both be contiguous [{HEAD}] or [2, {HEAD}] (text, image)")
    return int(qkv.shape[1]) // (3 * HEAD)


def _launch(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    text_rows: int, scales: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    total = _require_layout(qkv, wq, wk, cos, sin)
    n = qkv.shape[0]
    dtype = qkv.dtype if scales is None else torch.float8_e4m3fn
    q, k = (torch.empty((n, total, HEAD), device=qkv.device, dtype=dtype) for _ in range(2))
    v = torch.empty_like(q) if scales is not None else q
    _rope_kernel[(n, triton.cdiv(total, HEADS_AT_ONCE))](
        qkv, wq, wk, cos, sin, scales if scales is not None else cos, q, k, v, qkv.stride(0), text_rows,
        HEAD if wq.dim() == 2 else 0, eps, total, HEADS_AT_ONCE, HEAD, scales is not None, num_warps=WARPS,
    )  # fmt: skip
    return q, k, v


@torch.library.custom_op("streamer_klein::qk_norm_rope", mutates_args=())
def qk_norm_rope(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    text_rows: int = 0,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Normalize and rotate the q and k parts of qkv [N, 3 * H * 128]; return both as [N, H, 128].

    wq and wk are [128], or [2, 128]: then the first ``text_rows`` rows use set 0 and the others set 1. cos and sin are
    [N, 128]. The caller views the v part itself. Raises ValueError for a layout that the kernel cannot read.
    """
    q, k, _ = _launch(qkv, wq, wk, cos, sin, eps, text_rows, None)
    return q, k


@qk_norm_rope.register_fake
def _(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    text_rows: int = 0,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    shape = (qkv.shape[0], qkv.shape[1] // (3 * HEAD), HEAD)
    return qkv.new_empty(shape), qkv.new_empty(shape)


@torch.library.custom_op("streamer_klein::qk_norm_rope_fp8", mutates_args=())
def qk_norm_rope_fp8(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    scales: torch.Tensor, text_rows: int = 0,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Do the same as ``qk_norm_rope``, and return q, k and v as fp8 [N, H, 128], divided by ``scales`` (q, k, v)."""
    return _launch(qkv, wq, wk, cos, sin, eps, text_rows, scales)


@qk_norm_rope_fp8.register_fake
def _(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    scales: torch.Tensor, text_rows: int = 0,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    shape = (qkv.shape[0], qkv.shape[1] // (3 * HEAD), HEAD)
    q, k, v = (qkv.new_empty(shape, dtype=torch.float8_e4m3fn) for _ in range(3))
    return q, k, v


@triton.jit
def _turned_halves(source, weight, cos, sin, eps, inside, DIM: tl.constexpr):
    half = tl.arange(0, DIM // 2)
    low = tl.load(source + half[None, :], mask=inside, other=0.0).to(tl.float32)
    high = tl.load(source + DIM // 2 + half[None, :], mask=inside, other=0.0).to(tl.float32)
    rstd = tl.rsqrt((tl.sum(low * low, axis=1) + tl.sum(high * high, axis=1)) / DIM + eps)[:, None]
    low = low * rstd * tl.load(weight + half).to(tl.float32)[None, :]
    high = high * rstd * tl.load(weight + DIM // 2 + half).to(tl.float32)[None, :]
    return low * cos - high * sin, high * cos + low * sin


@triton.jit
def _half_rope_kernel(
    qkv, wq, wk, cos, sin, q, k, v, qkv_stride, eps,
    TOTAL: tl.constexpr, GROUP: tl.constexpr, HEADS: tl.constexpr, DIM: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    heads = tl.program_id(1) * HEADS + tl.arange(0, HEADS)
    inside = heads[:, None] < TOTAL
    half = tl.arange(0, DIM // 2)
    c = tl.load(cos + row * DIM + half).to(tl.float32)[None, :]
    s = tl.load(sin + row * DIM + half).to(tl.float32)[None, :]
    source = qkv + row * qkv_stride
    shared = (heads // GROUP)[:, None] * DIM
    target = row * TOTAL * DIM + heads[:, None] * DIM + half[None, :]
    kind = q.dtype.element_ty
    low, high = _turned_halves(source + heads[:, None] * DIM, wq, c, s, eps, inside, DIM)
    tl.store(q + target, low.to(kind), mask=inside)
    tl.store(q + target + DIM // 2, high.to(kind), mask=inside)
    low, high = _turned_halves(source + TOTAL * DIM + shared, wk, c, s, eps, inside, DIM)
    tl.store(k + target, low.to(kind), mask=inside)
    tl.store(k + target + DIM // 2, high.to(kind), mask=inside)
    values = source + (TOTAL + TOTAL // GROUP) * DIM + shared + half[None, :]
    tl.store(v + target, tl.load(values, mask=inside), mask=inside)
    tl.store(v + target + DIM // 2, tl.load(values + DIM // 2, mask=inside), mask=inside)


@torch.library.custom_op("streamer_klein::qk_norm_half_rope", mutates_args=())
def qk_norm_half_rope(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    heads: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Normalize and rotate q and k in qkv [N, (heads + 2 * shared) * 128]; return q, k and v as [N, heads, 128].

    wq and wk are [128], cos and sin [N, 128]. Each shared key and value head is written once per query head that reads
    it. Raises ValueError for a layout that the kernel cannot read.
    """
    require_rows("qkv", qkv)
    rest = qkv.shape[1] - heads * HEAD
    if rest <= 0 or rest % (2 * HEAD) or heads % (rest // (2 * HEAD)):
        raise ValueError(f"qkv of width {qkv.shape[1]} does not hold {heads} heads of {HEAD} and their keys and values")
    _require_tables(qkv.shape[0], cos, sin)
    q, k, v = (torch.empty((qkv.shape[0], heads, HEAD), device=qkv.device, dtype=qkv.dtype) for _ in range(3))
    _half_rope_kernel[(qkv.shape[0], triton.cdiv(heads, HEADS_AT_ONCE))](
        qkv, wq, wk, cos, sin, q, k, v, qkv.stride(0), eps, heads, heads // (rest // (2 * HEAD)), HEADS_AT_ONCE, HEAD,
        num_warps=WARPS,
    )  # fmt: skip
    return q, k, v


@qk_norm_half_rope.register_fake
def _(
    qkv: torch.Tensor, wq: torch.Tensor, wk: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, eps: float,
    heads: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    shape = (qkv.shape[0], heads, HEAD)
    return qkv.new_empty(shape), qkv.new_empty(shape), qkv.new_empty(shape)
