"""One denoising step on fused kernels: eight-bit products with one kernel between each two, and nothing else.

Text and picture are one matrix [n, D], text first, from the first block to the last. Where the two have weights of
their own, a product consists of two, and the kernels pick the modulation by row.
Letters in shapes: n tokens, D width of the hidden states, H heads, R reference tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.buffers import StaticBuffers
from streamer.generator.klein.denoise import project
from streamer.generator.klein.fused.linear import (
    FEW_ROWS,
    QuantizedRows,
    ResidualUpdate,
    TwoStreamLinear,
    residual_update,
)
from streamer.generator.klein.fused.ops import Attend, Ops
from streamer.generator.klein.quantize import FP8, FP8_MAX, EightBitLinear, all_eight_bit
from streamer.generator.klein.reference_kv_cache import ReferenceKVCache, reference_buffers
from streamer.generator.klein.schedule import modulation_of

SHIFT, SCALE, GATE = 0, 1, 2

BlockAttention = Callable[..., tuple[Tensor, Tensor | None]]
"""One block's attention: rows [n, D], and the one scale they must be multiplied by if they are in fp8."""


@dataclass(frozen=True, slots=True)
class DoubleBlock:
    """The weights of a double block; those of the norms are stacked (text, image), [2, head size]."""

    qkv: TwoStreamLinear
    out: TwoStreamLinear
    up: TwoStreamLinear
    down: TwoStreamLinear
    query_weight: Tensor
    key_weight: Tensor


@dataclass(frozen=True, slots=True)
class SingleBlock:
    """The weights of a single block; ``into`` is query, key, value and the gate and up projections in one."""

    into: EightBitLinear
    out: EightBitLinear
    query_weight: Tensor
    key_weight: Tensor


class FusedTransformer:
    """Predict the velocity [1, image tokens, C]; holds views of the transformer's weights, no copies of large ones.

    With ``fp8_attention`` large pictures attend in fp8, with scales that ``attention_scales`` computes ahead for each
    step of a schedule; small pictures would gain nothing.
    """

    def __init__(self, transformer: Any, ops: Ops, attend: Attend, fp8_attention: bool = False) -> None:
        self._transformer, self._ops = transformer, ops
        self._attend, self._fp8_attention = attend, fp8_attention
        self._doubles = [_double(block) for block in transformer.transformer_blocks]
        self._singles = [_single(block) for block in transformer.single_transformer_blocks]
        self._eps = float(transformer.config.eps)
        self._int8 = self._singles[0].into.quantized_dtype == torch.int8
        self._hidden = int(transformer.inner_dim)

    def __call__(self, buffers: StaticBuffers) -> Tensor:
        """Run all blocks on what the buffers hold; see the module's docstring for the layout."""
        text = buffers.shape.text_tokens
        x = torch.cat([buffers.context[0], self._transformer.x_embedder(buffers.step_tokens)[0]])
        x, update, gate = self._blocks(buffers, x, self._attention)
        picture = slice(text, text + buffers.shape.image_tokens)
        x = self._ops.gate_residual(x[picture], update.values[picture], gate, 0, *update.scales_of(picture))
        return project(self._transformer, x[None], buffers.out_modulation)

    @torch.inference_mode()
    def weights_changed(self) -> None:
        """Take over what was overwritten in the transformer's layers."""
        for block in self._doubles:
            for layer in (block.qkv, block.out, block.up, block.down):
                layer.weights_changed()

    @torch.inference_mode()
    def read_reference(self, buffers: StaticBuffers) -> None:
        """Fill the KV cache from the reference's tokens, as ``reference_kv_cache.read_reference`` does."""
        no_noise = torch.zeros((), device=buffers.tokens.device, dtype=buffers.tokens.dtype)
        reading = reference_buffers(buffers, modulation_of(self._transformer, no_noise))
        self._blocks(reading, self._transformer.x_embedder(reading.tokens)[0], self._caching_attention)
        if self._fp8_attention and buffers.kv_cache is not None:
            self._quantize_cache(buffers.kv_cache, buffers.attention_scales)

    def _blocks(
        self, buffers: StaticBuffers, x: Tensor, attention: BlockAttention
    ) -> tuple[Tensor, ResidualUpdate, Tensor]:
        """Run all blocks; return the residual stream [n, D], the last block's update, and the gate [D] that adds it."""
        text, dtype = buffers.shape.text_tokens, x.dtype
        # [3, 2, D] each: shift, scale and gate by (text, image), of the attention and of the feed-forward half.
        both_streams = torch.stack([buffers.text_modulation.view(6, -1), buffers.image_modulation.view(6, -1)], dim=1)
        first, second = both_streams[:3], both_streams[3:]
        single = buffers.single_modulation.view(3, -1)
        single_of_both = single[:, None].expand(3, 2, self._hidden).contiguous()
        rows = QuantizedRows(
            *self._ops.norm_modulate_quantize(x, first[SCALE], first[SHIFT], self._eps, text, self._int8)
        )
        for index, block in enumerate(self._doubles):
            attended = attention(buffers, block.qkv.matmul(rows, text, dtype), block, text, index)
            update = block.out.residual_update(self._quantized_rows(*attended), text, dtype)
            x, rows = self._add_and_norm(x, update, first[GATE], second, text)
            up = QuantizedRows(*self._ops.swiglu_quantize(block.up.matmul(rows, text, dtype), self._int8))
            following = first if index + 1 < len(self._doubles) else single_of_both
            update = block.down.residual_update(up, text, dtype)
            x, rows = self._add_and_norm(x, update, second[GATE], following, text)
        for index, layer in enumerate(self._singles, start=len(self._doubles)):
            update = self._single_block(buffers, layer, rows, attention, index)
            if layer is not self._singles[-1]:
                x, rows = self._add_and_norm(x, update, single[GATE], single, 0)
        return x, update, single[GATE]

    def _add_and_norm(
        self, x: Tensor, update: ResidualUpdate, gate: Tensor, modulation: Tensor, text: int
    ) -> tuple[Tensor, QuantizedRows]:
        """End one half of a block and begin the next: add the gated update, then norm, modulate and quantize."""
        x, values, scale = self._ops.gate_residual_norm_modulate_quantize(
            x, update.values, gate, modulation[SCALE], modulation[SHIFT], self._eps, text, self._int8,
            update.row_scale, update.column_scale,
        )  # fmt: skip
        return x, QuantizedRows(values, scale)

    def _single_block(
        self, buffers: StaticBuffers, layer: SingleBlock, rows: QuantizedRows, attention: BlockAttention, index: int
    ) -> ResidualUpdate:
        dtype = buffers.tokens.dtype
        wide = layer.into.matmul(rows.values, rows.scale, dtype)
        qkv, up = wide[:, : 3 * self._hidden], wide[:, 3 * self._hidden :]
        attended, scale = attention(buffers, qkv, layer, 0, index)
        joined = QuantizedRows(*self._ops.concat_swiglu_quantize(attended, up, scale, self._int8))
        return residual_update(layer.out, joined, dtype)

    def _quantized_rows(self, attended: Tensor, scale: Tensor | None) -> QuantizedRows:
        if scale is None:
            return QuantizedRows(*self._ops.quantize_rows(attended, self._int8))
        return QuantizedRows(attended, scale.expand(attended.shape[0], 1).contiguous())

    def _attention(
        self, buffers: StaticBuffers, qkv: Tensor, block: DoubleBlock | SingleBlock, text: int, index: int
    ) -> tuple[Tensor, Tensor | None]:
        """Attend with qkv [n, 3 x D]; fp8 attention returns fp8, with the one scale it must be multiplied by."""
        head = (block.query_weight, block.key_weight, *(table[: qkv.shape[0]] for table in buffers.rope), self._eps)
        cache = buffers.kv_cache
        if self._fp8_attention and qkv.shape[0] > FEW_ROWS:
            scales = buffers.attention_scales[index]
            q, k, v = self._ops.qk_norm_rope_fp8(qkv, *head, scales, text)
            if cache is not None and cache.fp8 is not None:
                k, v = (_concatenate(new, cached[index]) for new, cached in zip((k, v), cache.fp8, strict=True))
            return self._ops.attention_fp8(q, k, v, scales), scales[2:3]
        q, k = self._ops.qk_norm_rope(qkv, *head, text)
        v = qkv[:, 2 * self._hidden :].unflatten(1, (-1, q.shape[2]))
        if cache is not None:
            k, v = torch.cat([k, cache.keys[index]]), torch.cat([v, cache.values[index]])
        return self._attend(q, k, v), None

    def _caching_attention(
        self, buffers: StaticBuffers, qkv: Tensor, block: DoubleBlock | SingleBlock, text: int, index: int
    ) -> tuple[Tensor, Tensor | None]:
        """Attend to the reference alone, and store its keys and values in the KV cache."""
        q, k = self._ops.qk_norm_rope(qkv, block.query_weight, block.key_weight, *buffers.rope, self._eps, text)
        v = qkv[:, 2 * self._hidden :].unflatten(1, (-1, q.shape[2]))
        assert buffers.kv_cache is not None
        buffers.kv_cache.keys[index].copy_(k)
        buffers.kv_cache.values[index].copy_(v)
        return self._attend(q, k, v), None

    def _quantize_cache(self, cache: ReferenceKVCache, scales: Tensor) -> None:
        """Store the KV cache in fp8 too, by each block's scales [blocks, 4], which hold for every step."""
        wide = (cache.keys, cache.values)
        if cache.fp8 is None:
            keys, values = (torch.empty_like(tensor, dtype=FP8) for tensor in wide)
            cache.fp8 = (keys, values)
        for tensor, quantized, scale in zip(wide, cache.fp8, (scales[:, 1], scales[:, 2]), strict=True):
            for block in range(len(tensor)):
                quantized[block].copy_((tensor[block] / scale[block]).clamp_(-FP8_MAX, FP8_MAX))

    @torch.inference_mode()
    def attention_scales(self, modulation: Tensor) -> Tensor | None:
        """Compute the scales that keep q, k and v inside fp8 in a step of this modulation [1, 17 x D].

        Returns [blocks, 4] float32 (q, k, v, and 1 / v), or None where attention is wide.
        """
        if not self._fp8_attention:
            return None
        text, image, single = (modulation[0, 6 * i * self._hidden :][: 3 * self._hidden].view(3, -1) for i in (1, 0, 2))
        scales = [self._scales_of(block, (block.qkv.text, text), (block.qkv.image, image)) for block in self._doubles]
        scales += [self._scales_of(layer, (layer.into, single)) for layer in self._singles]
        return torch.stack(scales)

    def _scales_of(self, block: DoubleBlock | SingleBlock, *streams: tuple[EightBitLinear, Tensor]) -> Tensor:
        values = slice(2 * self._hidden, 3 * self._hidden)
        each = [
            self._ops.attention_scales(
                block.query_weight,
                block.key_weight,
                layer.dequantize_rows(values),
                modulation[SCALE],
                modulation[SHIFT],
            )
            for layer, modulation in streams
        ]
        largest = torch.stack(each).amax(0)
        return torch.cat([largest[:3], 1 / largest[2:3]])


def _concatenate(new: Tensor, cached: Tensor) -> Tensor:
    # As bytes: not every device can concatenate fp8.
    return torch.cat([new.view(torch.uint8), cached.view(torch.uint8)]).view(new.dtype)


def can_fuse(transformer: Any) -> bool:
    """Tell whether every block can run on fused kernels: all its linear layers multiply in eight bits."""
    return all_eight_bit(*transformer.transformer_blocks, *transformer.single_transformer_blocks)


def _double(block: Any) -> DoubleBlock:
    attn = block.attn
    return DoubleBlock(
        qkv=TwoStreamLinear(attn.to_added_qkv, attn.to_qkv),
        out=TwoStreamLinear(attn.to_add_out, attn.to_out[0]),
        up=TwoStreamLinear(block.ff_context.linear_in, block.ff.linear_in),
        down=TwoStreamLinear(block.ff_context.linear_out, block.ff.linear_out),
        query_weight=torch.stack([attn.norm_added_q.weight, attn.norm_q.weight]).contiguous(),
        key_weight=torch.stack([attn.norm_added_k.weight, attn.norm_k.weight]).contiguous(),
    )


def _single(block: Any) -> SingleBlock:
    attn = block.attn
    return SingleBlock(attn.to_qkv_mlp_proj, attn.to_out, attn.norm_q.weight, attn.norm_k.weight)
