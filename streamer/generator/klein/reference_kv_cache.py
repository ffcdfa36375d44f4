"""What a KV checkpoint keeps of the picture it edits: keys and values of every block, read once, used by every step.

In these checkpoints a reference attends to itself alone and is always seen as free of noise, so what it gives to a step
depends on neither prompt nor picture. Stock diffusers reads it beside the first step; here it is read before, which is
the same arithmetic, and leaves four equal steps that never carry the reference's tokens.
https://github.com/black-forest-labs/flux2/blob/main/docs/flux2_klein_kv_cache.md
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from diffusers.models.transformers.transformer_flux2 import Flux2KVAttnProcessor, Flux2KVParallelSelfAttnProcessor
from torch import Tensor

from streamer.generator.klein.shapes import Shape

if TYPE_CHECKING:
    from streamer.generator.klein.buffers import StaticBuffers


NO_NOISE = 0.0
"""The time at which a reference is always read."""


@dataclass(frozen=True, slots=True)
class LayerKVCache:
    """One block's share, [tokens, heads, head size] each; stands in for diffusers' cache of one layer."""

    keys: Tensor
    values: Tensor

    def store(self, keys: Tensor, values: Tensor) -> None:
        """Keep [1, tokens, heads, head size], in memory that stays where it is."""
        self.keys.copy_(keys[0])
        self.values.copy_(values[0])

    def get(self) -> tuple[Tensor, Tensor]:
        """Give both as [1, tokens, heads, head size]."""
        return self.keys[None], self.values[None]


@dataclass(slots=True)
class ReferenceKVCache:
    """Every block's share; ``keys`` and ``values`` are [blocks, tokens, heads, head size].

    ``small`` holds both in fp8 as well, by the scales of the schedule, where steps attend in fp8.
    """

    keys: Tensor
    values: Tensor
    small: tuple[Tensor, Tensor] | None = None

    def layer(self, index: int) -> LayerKVCache:
        """Give a block's share, double blocks counted first."""
        return LayerKVCache(self.keys[index], self.values[index])


def attending(memory: ReferenceKVCache | None, index: int, **more: int) -> dict[str, Any]:
    """Give the arguments with which diffusers' block ``index`` attends to what was kept, if anything was."""
    if memory is None:
        return {}
    return {"joint_attention_kwargs": {"kv_cache": memory.layer(index), "kv_cache_mode": "cached", **more}}


def blank_kv_cache(transformer: Any, tokens: int, dtype: torch.dtype, device: torch.device) -> ReferenceKVCache:
    """Allocate the memory for a reference of so many tokens: at 512x512 0.5 GB for the 9B."""
    config = transformer.config
    blocks = len(transformer.transformer_blocks) + len(transformer.single_transformer_blocks)
    shape = (blocks, tokens, config.num_attention_heads, config.attention_head_dim)
    keys, values = (torch.zeros(shape, dtype=dtype, device=device) for _ in range(2))
    return ReferenceKVCache(keys, values)


def attend_to_kv_cache(transformer: Any) -> None:
    """Let diffusers' blocks take a memory; without one they attend as before."""
    for block in transformer.transformer_blocks:
        block.attn.set_processor(Flux2KVAttnProcessor())
    for block in transformer.single_transformer_blocks:
        block.attn.set_processor(Flux2KVParallelSelfAttnProcessor())


def reading_buffers(canvas: StaticBuffers, modulation: Tensor) -> StaticBuffers:
    """Give a canvas on which the reference is the picture, and no text: to be read by the step's own kernels."""
    shape = canvas.shape
    assert shape.reference is not None
    after = shape.text_tokens + shape.image_tokens
    return replace(
        canvas,
        shape=Shape(*shape.reference, text_tokens=0),
        tokens=canvas.tokens[:, shape.image_tokens :],
        context=canvas.context[:, :0],
        modulation=modulation,
        rope=(canvas.rope[0][after:], canvas.rope[1][after:]),
    )


@torch.inference_mode()
def read_reference(canvas: StaticBuffers, transformer: Any) -> None:
    """Fill the canvas's memory from the reference's tokens on it.

    One blank token stands for the text and one for the picture: diffusers' attention takes neither as empty, and in
    this mode the reference does not see them.
    """
    memory, shape = canvas.memory, canvas.shape
    assert memory is not None
    double, single = _modulations(transformer, canvas.tokens)
    blank = torch.zeros_like(canvas.tokens[:, :1])
    tokens = transformer.x_embedder(torch.cat([canvas.tokens[:, shape.image_tokens :], blank], dim=1))
    words = torch.zeros_like(tokens[:, :1])
    first, last = shape.text_tokens, shape.text_tokens + shape.image_tokens
    cosines, sines = (torch.cat([table[:1], table[last:], table[first : first + 1]]) for table in canvas.rope)
    reading = {"kv_cache_mode": "extract", "num_ref_tokens": shape.reference_tokens}
    doubles = len(transformer.transformer_blocks)
    for index, block in enumerate(transformer.transformer_blocks):
        words, tokens = block(
            hidden_states=tokens,
            encoder_hidden_states=words,
            temb_mod_img=double,
            temb_mod_txt=double,
            image_rotary_emb=(cosines, sines),
            joint_attention_kwargs={**reading, "kv_cache": memory.layer(index)},
        )
    tokens = torch.cat([words, tokens], dim=1)
    for index, block in enumerate(transformer.single_transformer_blocks, start=doubles):
        tokens = block(
            hidden_states=tokens,
            encoder_hidden_states=None,
            temb_mod=single,
            image_rotary_emb=(cosines, sines),
            joint_attention_kwargs={**reading, "kv_cache": memory.layer(index), "num_txt_tokens": 1},
        )


def _modulations(transformer: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    time = torch.full((1,), NO_NOISE, dtype=like.dtype, device=like.device)
    embedding = transformer.time_guidance_embed(time, None)
    return transformer.double_stream_modulation_img(embedding), transformer.single_stream_modulation(embedding)
