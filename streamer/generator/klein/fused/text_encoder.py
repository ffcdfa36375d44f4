"""The Qwen3 text encoder's layers on fused kernels: eight-bit products with one kernel between each two.

For a hundred tokens the stock layers are bound by launches, not by arithmetic. In a CUDA graph of few kernels they are
bound by reading the weights. Letters in shapes: N tokens, D width of the hidden states.
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
from streamer.generator.klein.streamed_layers import adjacent, fetch_of

BACKENDS = [SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


@dataclass(frozen=True, slots=True)
class LinearWeights:
    """An fp8 or int8 weight ``q`` [out, in], and the scales of its rows [1, out] float32."""

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
    """Run the encoder's layers; the encoder's own quantized layers become views of the joined weights."""

    def __init__(self, encoder: Any) -> None:
        config = encoder.config
        self._heads, self._eps = int(config.num_attention_heads), float(config.rms_norm_eps)
        self._layers = [_layer(layer) for layer in encoder.layers]
        self._fetch = [fetch_of(layer) for layer in encoder.layers]
        self._unit_scale = torch.ones((), device=self._layers[0].before.device)
        self._int8 = self._layers[0].out.q.dtype == torch.int8

    def __call__(
        self, states: torch.Tensor, rotary: tuple[torch.Tensor, torch.Tensor], mask: torch.Tensor, taps: tuple[int, ...]
    ) -> list[torch.Tensor]:
        """Run embedded tokens [N, D] through the layers; return the states after each layer named in ``taps``.

        ``rotary`` holds cos and sin [N, 128]; ``mask`` [N, N] is True where the row's token attends to the column's;
        ``taps`` counts layers from one.
        """
        bias = torch.zeros(mask.shape, device=mask.device, dtype=states.dtype).masked_fill_(~mask, float("-inf"))
        tapped, x = [], states
        rows = rms_norm_quantize(x, self._layers[0].before, self._eps, self._int8)
        for index, layer in enumerate(self._layers, start=1):
            self._fetch[index - 1]()
            attended = self._matmul_unscaled(self._attention(layer, rows, rotary, bias), layer.out)
            x, rows = self._add_and_norm(x, *attended, layer.after)
            activated = swiglu_quantize(self._matmul(rows, layer.up, x.dtype), self._int8)
            down = self._matmul_unscaled(activated, layer.down)
            following = self._layers[index].before if index < len(self._layers) else layer.before
            x, rows = self._add_and_norm(x, *down, following)
            if index in taps:
                tapped.append(x)
        return tapped

    def _attention(
        self, layer: TextLayer, rows: tuple[torch.Tensor, torch.Tensor], rotary: tuple[torch.Tensor, torch.Tensor],
        bias: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
        qkv = self._matmul(rows, layer.qkv, bias.dtype)
        heads = qk_norm_half_rope(qkv, layer.query_weight, layer.key_weight, *rotary, self._eps, self._heads)
        q, k, v = (head.transpose(0, 1)[None] for head in heads)
        with sdpa_kernel(BACKENDS, set_priority=True):
            attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias[None, None])
        quantized: tuple[torch.Tensor, torch.Tensor] = quantize_rows(
            attended[0].transpose(0, 1).reshape(qkv.shape[0], -1), self._int8
        )
        return quantized

    def _add_and_norm(
        self, x: torch.Tensor, y: torch.Tensor, y_rows: torch.Tensor, y_columns: torch.Tensor, weight: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        x, q, scale = residual_rms_norm_quantize(x, y, weight, self._eps, self._int8, y_rows, y_columns)
        return x, (q, scale)

    def _matmul(
        self, rows: tuple[torch.Tensor, torch.Tensor], weight: LinearWeights, dtype: torch.dtype
    ) -> torch.Tensor:
        if self._int8 or not rows[0].is_cuda:
            return (_raw_matmul(rows[0], weight.q) * rows[1] * weight.scale).to(dtype)
        return torch._scaled_mm(
            rows[0], weight.q.t(), scale_a=rows[1], scale_b=weight.scale, out_dtype=dtype, use_fast_accum=True
        )

    def _matmul_unscaled(
        self, rows: tuple[torch.Tensor, torch.Tensor], weight: LinearWeights
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Multiply without scales; return the product, row scales and column scales for the next kernel.

        cuBLAS has faster products of few rows without scales.
        """
        if self._int8 or not rows[0].is_cuda:
            return _raw_matmul(rows[0], weight.q), rows[1], weight.scale[0]
        out = torch._scaled_mm(
            rows[0],
            weight.q.t(),
            scale_a=self._unit_scale,
            scale_b=self._unit_scale,
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
        )
        return out, rows[1], weight.scale[0]


def _raw_matmul(a: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Multiply without scales: int8 into int32, or fp8 in float32 where the hardware cannot multiply it."""
    if a.dtype == torch.int8:
        return torch._int_mm(a, weight.t())
    return a.float() @ weight.float().t()


def _layer(layer: Any) -> TextLayer:
    attn, mlp = layer.self_attn, layer.mlp
    return TextLayer(
        before=layer.input_layernorm.weight, qkv=_join(attn.q_proj, attn.k_proj, attn.v_proj),
        query_weight=attn.q_norm.weight, key_weight=attn.k_norm.weight, out=_join(attn.o_proj),
        after=layer.post_attention_layernorm.weight, up=_join(mlp.gate_proj, mlp.up_proj),
        down=_join(mlp.down_proj),
    )  # fmt: skip


def _join(*linears: Any) -> LinearWeights:
    """Join quantized layers along their outputs, and make each a view of the result: nothing is stored twice."""
    if len(linears) == 1:
        return LinearWeights(linears[0].weight, linears[0].scale)
    q = _rows_behind_one_another([linear.weight for linear in linears])
    scale, start = torch.cat([linear.scale for linear in linears], dim=1), 0
    for linear in linears:
        end = start + linear.weight.shape[0]
        linear.weight, linear.scale, start = q[start:end], scale[:, start:end], end
    return LinearWeights(q, scale)


def _rows_behind_one_another(weights: list[torch.Tensor]) -> torch.Tensor:
    """Join weights [m, k] along m; those that are neighbours in memory already are not copied."""
    if adjacent(weights):
        rows, inputs = sum(weight.shape[0] for weight in weights), weights[0].shape[1]
        return weights[0].as_strided((rows, inputs), (inputs, 1))
    # Bytes: torch cannot concatenate fp8 everywhere.
    return torch.cat([weight.view(torch.uint8) for weight in weights]).view(weights[0].dtype)
