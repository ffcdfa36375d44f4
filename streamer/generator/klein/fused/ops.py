"""The fused operations between the matrix products, as one value: Triton's on a GPU, plain torch anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from streamer.generator.klein.optimizations import Attention

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Attend over q, k, v [tokens, heads, 128], any strides; give [tokens, hidden]."""

Made = Callable[..., tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class Ops:
    """What a transformer block is made of besides its products; signatures as in kernels/reference.py."""

    norm_modulate_quantize: Made
    gate_residual_norm_modulate_quantize: Callable[..., tuple[Tensor, Tensor, Tensor]]
    gate_residual: Callable[..., Tensor]
    qk_norm_rope: Made
    qk_norm_rope_fp8: Callable[..., tuple[Tensor, Tensor, Tensor]]
    swiglu_quantize: Made
    concat_swiglu_quantize: Made
    quantize_rows: Made
    attention_fp8: Callable[..., Tensor]
    """Give fp8 rows, to be multiplied by the third of the scales."""
    attention_scales: Callable[..., Tensor]


def reference_ops() -> Ops:
    """Give the plain versions: slow, for any device."""
    from streamer.generator.klein.kernels import reference

    return Ops(
        norm_modulate_quantize=reference.norm_modulate_quantize,
        gate_residual_norm_modulate_quantize=reference.gate_residual_norm_modulate_quantize,
        gate_residual=reference.gate_residual,
        qk_norm_rope=reference.qk_norm_rope,
        qk_norm_rope_fp8=reference.qk_norm_rope_fp8,
        swiglu_quantize=reference.swiglu_quantize,
        concat_swiglu_quantize=reference.concat_swiglu_quantize,
        quantize_rows=reference.quantize_rows,
        attention_fp8=_attention_fp8,
        attention_scales=_attention_scales,
    )


def triton_ops() -> Ops:
    """Give the fused kernels; importing them needs Triton."""
    from streamer.generator.klein.kernels import attention, layer_norm, quantize_rows, rope, swiglu

    return Ops(
        norm_modulate_quantize=layer_norm.norm_modulate_quantize,
        gate_residual_norm_modulate_quantize=layer_norm.gate_residual_norm_modulate_quantize,
        gate_residual=layer_norm.gate_residual,
        qk_norm_rope=rope.qk_norm_rope,
        qk_norm_rope_fp8=rope.qk_norm_rope_fp8,
        swiglu_quantize=swiglu.swiglu_quantize,
        concat_swiglu_quantize=swiglu.concat_swiglu_quantize,
        quantize_rows=quantize_rows.quantize_rows,
        attention_fp8=attention.attention_fp8,
        attention_scales=attention.attention_scales,
    )


def attend_with(attention: Attention) -> Attend:
    """Give the wide-precision attention of a name; fp8 attention takes other inputs and is chosen in fused.py."""
    backends = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION}
    return partial(_attend, backends.get(attention))


def _attend(backend: SDPBackend | None, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    heads_first = [x.transpose(0, 1)[None] for x in (q, k, v)]
    if backend is None:
        out = F.scaled_dot_product_attention(*heads_first)
    else:
        with sdpa_kernel(backend):
            out = F.scaled_dot_product_attention(*heads_first)
    return out[0].transpose(0, 1).reshape(q.shape[0], -1)


def _attention_fp8(q: Tensor, k: Tensor, v: Tensor, scales: Tensor) -> Tensor:
    """Round the plain result as the fused one comes."""
    from streamer.generator.klein.kernels import reference

    return (reference.attention_fp8(q, k, v, scales) / scales[2]).to(q.dtype)


def _attention_scales(query: Tensor, key: Tensor, values: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Bound what a normalised row can become, as kernels/attention.py does; that module needs Triton to import."""
    from streamer.generator.klein.kernels.reference import FP8_LIMIT

    largest = [query.shape[-1] ** 0.5 * weight.float().abs().max() for weight in (query, key)]
    longest = values.shape[1] ** 0.5 * (values * (1 + scale.float())).norm(dim=1) + (values @ shift.float()).abs()
    scales = torch.stack([*largest, longest.max()]).clamp_min(1e-6) / FP8_LIMIT
    return torch.cat([scales, 1 / scales[2:]])
