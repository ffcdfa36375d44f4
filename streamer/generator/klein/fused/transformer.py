"""One denoising step on fused kernels: eight-bit products with one kernel between each two, and nothing else.

Text and picture are one matrix [tokens, hidden], text first, from the first block to the last. Where the two have
weights of their own a product is made of two, and the kernels pick the modulation by row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.buffers import StaticBuffers
from streamer.generator.klein.denoise import project
from streamer.generator.klein.fused.linear import FEW_ROWS, QuantizedRows, ResidualUpdate, TwoStreamLinear, alone
from streamer.generator.klein.fused.ops import Attend, Ops
from streamer.generator.klein.quantize import FP8, FP8_MAX, EightBitLinear, all_eight_bit
from streamer.generator.klein.reference_kv_cache import ReferenceKVCache, reading_buffers
from streamer.generator.klein.schedule import modulation_of

SHIFT, SCALE, GATE = 0, 1, 2

Gather = Callable[..., tuple[Tensor, Tensor | None]]


@dataclass(frozen=True, slots=True)
class DoubleBlock:
    """A double block, its pairs stacked (text, image)."""

    qkv: TwoStreamLinear
    out: TwoStreamLinear
    up: TwoStreamLinear
    down: TwoStreamLinear
    query_weight: Tensor
    key_weight: Tensor


@dataclass(frozen=True, slots=True)
class SingleBlock:
    """A single block."""

    into: EightBitLinear
    out: EightBitLinear
    query_weight: Tensor
    key_weight: Tensor


class FusedTransformer:
    """Predict the velocity; holds views of the transformer's weights, no copies of the large ones.

    With ``fp8_attention`` large pictures attend in fp8, whose scales ``bounds`` computes ahead for each step of a
    schedule; small ones would gain nothing by it.
    """

    def __init__(self, transformer: Any, ops: Ops, attend: Attend, fp8_attention: bool = False) -> None:
        self._transformer, self._ops, self._attend, self._fp8 = transformer, ops, attend, fp8_attention
        self._doubles = [_double(block) for block in transformer.transformer_blocks]
        self._singles = [_single(block) for block in transformer.single_transformer_blocks]
        self._eps = float(transformer.config.eps)
        self._int8 = self._singles[0].into.kind == torch.int8
        self._hidden = int(transformer.inner_dim)

    def __call__(self, canvas: StaticBuffers) -> Tensor:
        """Run all blocks; see the module's docstring for the layout."""
        text = canvas.shape.text_tokens
        x = torch.cat([canvas.context[0], self._transformer.x_embedder(canvas.seen)[0]])
        x, branch, gate = self._blocks(canvas, x, self._attention)
        picture = slice(text, text + canvas.shape.image_tokens)
        x = self._ops.gate_residual(x[picture], branch.values[picture], gate, 0, *branch.scales_of(picture))
        return project(self._transformer, x[None], canvas.out_modulation)

    @torch.inference_mode()
    def read(self, canvas: StaticBuffers) -> None:
        """Fill the canvas's memory from the reference on it, as reference_memory.read_reference does."""
        no_noise = torch.zeros((), device=canvas.tokens.device, dtype=canvas.tokens.dtype)
        reading = reading_buffers(canvas, modulation_of(self._transformer, no_noise))
        self._blocks(reading, self._transformer.x_embedder(reading.tokens)[0], self._kept_attention)
        if self._fp8 and canvas.memory is not None:
            self._shrink(canvas.memory, canvas.attention)

    def _blocks(self, canvas: StaticBuffers, x: Tensor, attention: Gather) -> tuple[Tensor, ResidualUpdate, Tensor]:
        """Run all blocks; give the residual stream, the last block's branch, and the gate that joins them."""
        text, dtype = canvas.shape.text_tokens, x.dtype
        pairs = torch.stack([canvas.text_modulation.view(6, -1), canvas.image_modulation.view(6, -1)], dim=1)
        first, second = pairs[:3], pairs[3:]
        single = canvas.single_modulation.view(3, -1)
        both = single[:, None].expand(3, 2, self._hidden).contiguous()
        rows = QuantizedRows(
            *self._ops.norm_modulate_quantize(x, first[SCALE], first[SHIFT], self._eps, text, self._int8)
        )
        for index, block in enumerate(self._doubles):
            gathered = attention(canvas, block.qkv.scaled(rows, text, dtype), block, text, index)
            x, rows = self._between(x, block.out.branch(self._rows(*gathered), text, dtype), first[GATE], second, text)
            up = QuantizedRows(*self._ops.swiglu_quantize(block.up.scaled(rows, text, dtype), self._int8))
            following = first if index + 1 < len(self._doubles) else both
            x, rows = self._between(x, block.down.branch(up, text, dtype), second[GATE], following, text)
        for index, layer in enumerate(self._singles, start=len(self._doubles)):
            branch = self._single(canvas, layer, rows, attention, index)
            if layer is not self._singles[-1]:
                x, rows = self._between(x, branch, single[GATE], single, 0)
        return x, branch, single[GATE]

    def _between(
        self, x: Tensor, branch: ResidualUpdate, gate: Tensor, modulation: Tensor, text: int
    ) -> tuple[Tensor, QuantizedRows]:
        """End one half of a block and begin the next."""
        x, values, scale = self._ops.gate_residual_norm_modulate_quantize(
            x, branch.values, gate, modulation[SCALE], modulation[SHIFT], self._eps, text, self._int8,
            branch.rows, branch.columns,
        )  # fmt: skip
        return x, QuantizedRows(values, scale)

    def _single(
        self, canvas: StaticBuffers, layer: SingleBlock, rows: QuantizedRows, attention: Gather, index: int
    ) -> ResidualUpdate:
        dtype = canvas.tokens.dtype
        wide = layer.into.product(rows.values, rows.scale, dtype)
        qkv, up = wide[:, : 3 * self._hidden], wide[:, 3 * self._hidden :]
        gathered, scale = attention(canvas, qkv, layer, 0, index)
        return alone(
            layer.out, QuantizedRows(*self._ops.concat_swiglu_quantize(gathered, up, scale, self._int8)), dtype
        )

    def _rows(self, gathered: Tensor, scale: Tensor | None) -> QuantizedRows:
        if scale is None:
            return QuantizedRows(*self._ops.quantize_rows(gathered, self._int8))
        return QuantizedRows(gathered, scale.expand(gathered.shape[0], 1).contiguous())

    def _attention(
        self, canvas: StaticBuffers, qkv: Tensor, block: DoubleBlock | SingleBlock, text: int, index: int
    ) -> tuple[Tensor, Tensor | None]:
        """Attend; from fp8 attention the result is in fp8, with the one scale it must be multiplied by."""
        head = (block.query_weight, block.key_weight, *(table[: qkv.shape[0]] for table in canvas.rope), self._eps)
        memory = canvas.memory
        if self._fp8 and qkv.shape[0] > FEW_ROWS:
            scales = canvas.attention[index]
            q, k, v = self._ops.qk_norm_rope_fp8(qkv, *head, scales, text)
            if memory is not None and memory.small is not None:
                k, v = (_joined(new, kept[index]) for new, kept in zip((k, v), memory.small, strict=True))
            return self._ops.attention_fp8(q, k, v, scales), scales[2:3]
        q, k = self._ops.qk_norm_rope(qkv, *head, text)
        v = qkv[:, 2 * self._hidden :].unflatten(1, (-1, q.shape[2]))
        if memory is not None:
            k, v = torch.cat([k, memory.keys[index]]), torch.cat([v, memory.values[index]])
        return self._attend(q, k, v), None

    def _kept_attention(
        self, canvas: StaticBuffers, qkv: Tensor, block: DoubleBlock | SingleBlock, text: int, index: int
    ) -> tuple[Tensor, Tensor | None]:
        """Attend to the reference alone, and keep its keys and values."""
        q, k = self._ops.qk_norm_rope(qkv, block.query_weight, block.key_weight, *canvas.rope, self._eps, text)
        v = qkv[:, 2 * self._hidden :].unflatten(1, (-1, q.shape[2]))
        assert canvas.memory is not None
        canvas.memory.keys[index].copy_(k)
        canvas.memory.values[index].copy_(v)
        return self._attend(q, k, v), None

    def _shrink(self, memory: ReferenceKVCache, scales: Tensor) -> None:
        """Keep what was read in fp8 too, by each block's scales, which hold for every step and for the reading."""
        wide = (memory.keys, memory.values)
        if memory.small is None:
            keys, values = (torch.empty_like(kept, dtype=FP8) for kept in wide)
            memory.small = (keys, values)
        for kept, small, scale in zip(wide, memory.small, (scales[:, 1], scales[:, 2]), strict=True):
            for block in range(len(kept)):
                small[block].copy_((kept[block] / scale[block]).clamp_(-FP8_MAX, FP8_MAX))

    @torch.inference_mode()
    def bounds(self, modulation: Tensor) -> Tensor | None:
        """Give the scales that keep queries, keys and values inside fp8 in a step of this modulation: [blocks, 4]."""
        if not self._fp8:
            return None
        text, image, single = (modulation[0, 6 * i * self._hidden :][: 3 * self._hidden].view(3, -1) for i in (1, 0, 2))
        scales = [self._scales_of(block, (block.qkv.text, text), (block.qkv.image, image)) for block in self._doubles]
        scales += [self._scales_of(layer, (layer.into, single)) for layer in self._singles]
        return torch.stack(scales)

    def _scales_of(self, block: DoubleBlock | SingleBlock, *streams: tuple[EightBitLinear, Tensor]) -> Tensor:
        values = slice(2 * self._hidden, 3 * self._hidden)
        each = [
            self._ops.attention_scales(
                block.query_weight, block.key_weight, layer.wide_rows(values), modulation[SCALE], modulation[SHIFT]
            )
            for layer, modulation in streams
        ]
        largest = torch.stack(each).amax(0)
        return torch.cat([largest[:3], 1 / largest[2:3]])


def _joined(new: Tensor, kept: Tensor) -> Tensor:
    # As bytes: a concatenation of fp8 is not there on every device.
    return torch.cat([new.view(torch.uint8), kept.view(torch.uint8)]).view(new.dtype)


def can_fuse(transformer: Any) -> bool:
    """Tell whether every block can be run on fused kernels."""
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
