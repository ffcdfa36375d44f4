"""The operations between the matrix products, as one value: Triton kernels on a GPU, plain torch anywhere.

Letters in shapes: n tokens, H heads, D = H x 128 width of the hidden states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from streamer.generator.klein.optimizations import Attention

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Attend over q, k, v [n, H, 128] of any strides; return [n, D] in their dtype."""

TensorPair = Callable[..., tuple[Tensor, Tensor]]
"""An operation that returns two tensors: quantized rows and their scales, or q and k."""


@dataclass(frozen=True, slots=True)
class Ops:
    """What a transformer block consists of besides its products; kernels/reference.py says what each computes."""

    norm_modulate_quantize: TensorPair
    gate_residual_norm_modulate_quantize: Callable[..., tuple[Tensor, Tensor, Tensor]]
    gate_residual: Callable[..., Tensor]
    qk_norm_rope: TensorPair
    qk_norm_rope_fp8: Callable[..., tuple[Tensor, Tensor, Tensor]]
    swiglu_quantize: TensorPair
    concat_swiglu_quantize: TensorPair
    quantize_rows: TensorPair
    attention_fp8: Callable[..., Tensor]
    """Return fp8 rows [n, D], to be multiplied by the third of the scales."""
    attention_scales: Callable[..., Tensor]
    """Bound q, k and v from the weights: return their scales and 1 / the last, [4]."""


def reference_ops() -> Ops:
    """Return the plain torch versions: slow, for any device."""
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
        attention_scales=reference.attention_scales,
    )


def triton_ops() -> Ops:
    """Return the fused kernels; raises ImportError without Triton."""
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
    """Return a wide-precision attention by name; fp8 attention has other inputs and is chosen in transformer.py."""
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
    """Round the plain result to fp8, as the fused kernel returns it."""
    from streamer.generator.klein.kernels import reference

    return (reference.attention_fp8(q, k, v, scales) / scales[2]).to(q.dtype)
