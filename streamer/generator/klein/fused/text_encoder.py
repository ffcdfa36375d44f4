"""The Qwen3 text encoder's layers on fused kernels: eight-bit products with one kernel between each two.

For a hundred tokens the stock layers are bound by launches, not by arithmetic; in a CUDA graph of few kernels they are
bound by reading the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from streamer.generator.klein.kernels.quantize_rows import quantize_rows
from streamer.generator.klein.kernels.rms_norm import residual_rms_norm_quantize, rms_norm_quantize
from streamer.generator.klein.kernels.rope import qk_norm_half_rope
from streamer.generator.klein.kernels.swiglu import swiglu_quantize

BACKENDS = [SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


@dataclass(frozen=True, slots=True)
class LinearWeights:
    """An fp8 or int8 weight [out, in] and the scales of its rows [1, out]."""

    q: torch.Tensor
    scale: torch.Tensor


@dataclass(frozen=True, slots=True)
class TextLayer:
    """One layer's weights; projections that read the same rows are one weight."""

    before: torch.Tensor
    qkv: LinearWeights
    query_weight: torch.Tensor
    key_weight: torch.Tensor
    out: LinearWeights
    after: torch.Tensor
    up: LinearWeights
    down: LinearWeights


class TextLayers:
    """Run the encoder's layers; the encoder's own quantised layers become views of the joined weights."""

    def __init__(self, encoder: Any) -> None:
        config = encoder.config
        self._heads, self._eps = int(config.num_attention_heads), float(config.rms_norm_eps)
        self._layers = [_layer(layer) for layer in encoder.layers]
        self._one = torch.ones((), device=self._layers[0].before.device)
        self._int8 = self._layers[0].out.q.dtype == torch.int8

    def __call__(
        self, states: torch.Tensor, rotary: tuple[torch.Tensor, torch.Tensor], mask: torch.Tensor, taps: tuple[int, ...]
    ) -> list[torch.Tensor]:
        """Run embedded tokens [N, D] through the layers; give the states after each layer counted in `taps`.

        `rotary` holds cos and sin [N, 128]; `mask` is True where the row's token may see the column's, [N, N].
        """
        bias = torch.zeros(mask.shape, device=mask.device, dtype=states.dtype).masked_fill_(~mask, float("-inf"))
        kept, x = [], states
        rows = rms_norm_quantize(x, self._layers[0].before, self._eps, self._int8)
        for index, layer in enumerate(self._layers, start=1):
            x, rows = self._add(x, *self._unscaled(self._attention(layer, rows, rotary, bias), layer.out), layer.after)
            down = self._unscaled(swiglu_quantize(self._product(rows, layer.up, x.dtype), self._int8), layer.down)
            following = self._layers[index].before if index < len(self._layers) else layer.before
            x, rows = self._add(x, *down, following)
            if index in taps:
                kept.append(x)
        return kept

    def _attention(
        self, layer: TextLayer, rows: tuple[torch.Tensor, torch.Tensor], rotary: tuple[torch.Tensor, torch.Tensor],
        bias: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        qkv = self._product(rows, layer.qkv, bias.dtype)
        heads = qk_norm_half_rope(qkv, layer.query_weight, layer.key_weight, *rotary, self._eps, self._heads)
        q, k, v = (head.transpose(0, 1)[None] for head in heads)
        with sdpa_kernel(BACKENDS, set_priority=True):
            seen = F.scaled_dot_product_attention(q, k, v, attn_mask=bias[None, None])
        made: tuple[torch.Tensor, torch.Tensor] = quantize_rows(
            seen[0].transpose(0, 1).reshape(qkv.shape[0], -1), self._int8
        )
        return made

    def _add(
        self, x: torch.Tensor, y: torch.Tensor, y_rows: torch.Tensor, y_columns: torch.Tensor, weight: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        x, q, scale = residual_rms_norm_quantize(x, y, weight, self._eps, self._int8, y_rows, y_columns)
        return x, (q, scale)

    def _product(
        self, rows: tuple[torch.Tensor, torch.Tensor], weight: LinearWeights, dtype: torch.dtype
    ) -> torch.Tensor:
        if self._int8 or not rows[0].is_cuda:
            return (_whole(rows[0], weight.q) * rows[1] * weight.scale).to(dtype)
        return torch._scaled_mm(
            rows[0], weight.q.t(), scale_a=rows[1], scale_b=weight.scale, out_dtype=dtype, use_fast_accum=True
        )

    def _unscaled(
        self, rows: tuple[torch.Tensor, torch.Tensor], weight: LinearWeights
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Leave the scales to the next kernel: cuBLAS has faster products of few rows without them."""
        if self._int8 or not rows[0].is_cuda:
            return _whole(rows[0], weight.q), rows[1], weight.scale[0]
        out = torch._scaled_mm(
            rows[0], weight.q.t(), scale_a=self._one, scale_b=self._one, out_dtype=torch.bfloat16, use_fast_accum=True
        )
        return out, rows[1], weight.scale[0]


def _whole(a: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Multiply without scales: int8 into int32, fp8 where the hardware has no product for it in float32."""
    if a.dtype == torch.int8:
        return torch._int_mm(a, weight.t())
    return a.float() @ weight.float().t()


def _layer(layer: Any) -> TextLayer:
    attn, mlp = layer.self_attn, layer.mlp
    return TextLayer(
        before=layer.input_layernorm.weight, qkv=_joined(attn.q_proj, attn.k_proj, attn.v_proj),
        query_weight=attn.q_norm.weight, key_weight=attn.k_norm.weight, out=_joined(attn.o_proj),
        after=layer.post_attention_layernorm.weight, up=_joined(mlp.gate_proj, mlp.up_proj),
        down=_joined(mlp.down_proj),
    )  # fmt: skip


def _joined(*linears: Any) -> LinearWeights:
    """Join quantised layers along their outputs, and let each keep a view: nothing is held twice."""
    if len(linears) == 1:
        return LinearWeights(linears[0].weight, linears[0].scale)
    # Bytes: torch cannot concatenate fp8 everywhere.
    q = torch.cat([linear.weight.view(torch.uint8) for linear in linears]).view(linears[0].weight.dtype)
    scale, start = torch.cat([linear.scale for linear in linears], dim=1), 0
    for linear in linears:
        end = start + linear.weight.shape[0]
        linear.weight, linear.scale, start = q[start:end], scale[:, start:end], end
    return LinearWeights(q, scale)
