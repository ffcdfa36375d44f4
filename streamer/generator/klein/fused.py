"""One denoising step on fused kernels: eight-bit products with one kernel between each two, and nothing else.

Text and picture are one matrix [tokens, hidden], text first, from the first block to the last. Where the two have
weights of their own a product is made of two, and the kernels pick the modulation by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.canvas import Canvas
from streamer.generator.klein.denoise import Velocity, project
from streamer.generator.klein.ops import Attend, Ops
from streamer.generator.klein.quantise import EightBitLinear

SHIFT, SCALE, GATE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Rows:
    """Quantised rows and their scales."""

    values: Tensor
    scale: Tensor


@dataclass(frozen=True, slots=True)
class Pair:
    """The text's and the picture's layer of the same purpose."""

    text: EightBitLinear
    image: EightBitLinear

    def __call__(self, rows: Rows, text: int, dtype: torch.dtype) -> Tensor:
        """Multiply the first ``text`` rows by one, the others by the other, into one matrix."""
        out = torch.empty(rows.values.shape[0], self.text.out_features, dtype=dtype, device=rows.values.device)
        self.text.product(rows.values[:text], rows.scale[:text], dtype, out[:text])
        self.image.product(rows.values[text:], rows.scale[text:], dtype, out[text:])
        return out


@dataclass(frozen=True, slots=True)
class Double:
    """A double block, its pairs stacked (text, image)."""

    qkv: Pair
    out: Pair
    up: Pair
    down: Pair
    query_weight: Tensor
    key_weight: Tensor


@dataclass(frozen=True, slots=True)
class Single:
    """A single block."""

    into: EightBitLinear
    out: EightBitLinear
    query_weight: Tensor
    key_weight: Tensor


class Fused:
    """Predict the velocity; holds views of the transformer's weights, no copies of the large ones."""

    def __init__(self, transformer: Any, ops: Ops, attend: Attend) -> None:
        self._transformer, self._ops, self._attend = transformer, ops, attend
        self._doubles = [_double(block) for block in transformer.transformer_blocks]
        self._singles = [_single(block) for block in transformer.single_transformer_blocks]
        self._eps = float(transformer.config.eps)
        self._int8 = self._singles[0].into.kind == torch.int8
        self._hidden = int(transformer.inner_dim)

    def __call__(self, canvas: Canvas) -> Tensor:
        """Run all blocks; see the module's docstring for the layout."""
        text, dtype = canvas.shape.text_tokens, canvas.tokens.dtype
        picture = self._transformer.x_embedder(canvas.tokens)
        x = torch.cat([canvas.context[0], picture[0]])
        pairs = torch.stack([canvas.text_modulation.view(6, -1), canvas.image_modulation.view(6, -1)], dim=1)
        first, second = pairs[:3], pairs[3:]
        single = canvas.single_modulation.view(3, -1)
        both = single[:, None].expand(3, 2, self._hidden).contiguous()
        rows = Rows(*self._ops.norm_modulate_quantize(x, first[SCALE], first[SHIFT], self._eps, text, self._int8))
        for index, block in enumerate(self._doubles):
            y = block.out(self._attention_rows(canvas, block.qkv(rows, text, dtype), block, text), text, dtype)
            x, rows = self._between(x, y, first[GATE], second, text)
            up = block.up(rows, text, dtype)
            y = block.down(Rows(*self._ops.swiglu_quantize(up, self._int8)), text, dtype)
            x, rows = self._between(x, y, second[GATE], first if index + 1 < len(self._doubles) else both, text)
        for index, layer in enumerate(self._singles):
            y = self._single(canvas, layer, rows, dtype)
            if index + 1 < len(self._singles):
                x, rows = self._between(x, y, single[GATE], single, 0)
        picture = slice(text, text + canvas.shape.image_tokens)
        x = self._ops.gate_residual(x[picture], y[picture], single[GATE])
        return project(self._transformer, x[None], canvas.out_modulation)

    def _between(self, x: Tensor, y: Tensor, gate: Tensor, modulation: Tensor, text: int) -> tuple[Tensor, Rows]:
        """End one half of a block and begin the next."""
        x, values, scale = self._ops.gate_residual_norm_modulate_quantize(
            x, y, gate, modulation[SCALE], modulation[SHIFT], self._eps, text, self._int8
        )
        return x, Rows(values, scale)

    def _single(self, canvas: Canvas, layer: Single, rows: Rows, dtype: torch.dtype) -> Tensor:
        wide = layer.into.product(rows.values, rows.scale, dtype)
        qkv, up = wide[:, : 3 * self._hidden], wide[:, 3 * self._hidden :]
        gathered = self._attention(canvas, qkv, layer.query_weight, layer.key_weight, 0)
        values, scale = self._ops.concat_swiglu_quantize(gathered, up, None, self._int8)
        return layer.out.product(values, scale, dtype)

    def _attention_rows(self, canvas: Canvas, qkv: Tensor, block: Double, text: int) -> Rows:
        gathered = self._attention(canvas, qkv, block.query_weight, block.key_weight, text)
        return Rows(*self._ops.quantize_rows(gathered, self._int8))

    def _attention(self, canvas: Canvas, qkv: Tensor, query_weight: Tensor, key_weight: Tensor, text: int) -> Tensor:
        q, k = self._ops.qk_norm_rope(qkv, query_weight, key_weight, *canvas.rope, self._eps, text)
        v = qkv[:, 2 * self._hidden :].unflatten(1, (-1, q.shape[2]))
        return self._attend(q, k, v)


def can_fuse(transformer: Any) -> bool:
    """Tell whether every large layer of every block is in eight bits: one that was kept wide breaks the chain."""
    blocks = [*transformer.transformer_blocks, *transformer.single_transformer_blocks]
    wide = [m for block in blocks for m in block.modules() if isinstance(m, torch.nn.Linear)]
    weight_only = [m for block in blocks for m in block.modules() if isinstance(m, EightBitLinear) and m.weight_only]
    return not wide and not weight_only and bool(blocks)


def fused_velocity(transformer: Any, ops: Ops, attend: Attend) -> Velocity:
    """Build the fused step of a quantised transformer with fused projections."""
    return Fused(transformer, ops, attend)


def _double(block: Any) -> Double:
    attn = block.attn
    return Double(
        qkv=Pair(attn.to_added_qkv, attn.to_qkv),
        out=Pair(attn.to_add_out, attn.to_out[0]),
        up=Pair(block.ff_context.linear_in, block.ff.linear_in),
        down=Pair(block.ff_context.linear_out, block.ff.linear_out),
        query_weight=torch.stack([attn.norm_added_q.weight, attn.norm_q.weight]).contiguous(),
        key_weight=torch.stack([attn.norm_added_k.weight, attn.norm_k.weight]).contiguous(),
    )


def _single(block: Any) -> Single:
    attn = block.attn
    return Single(attn.to_qkv_mlp_proj, attn.to_out, attn.norm_q.weight, attn.norm_k.weight)
