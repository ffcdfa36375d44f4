"""The KV cache of the picture being edited: keys and values of every block, read once and used by every step.

Only KV checkpoints have one. In these a reference attends to itself alone and always counts as free of noise, so its
keys and values depend on neither the prompt nor the step. Stock diffusers reads it beside the first step; here it is
read before the first step. That is the same arithmetic, and leaves four equal steps without the reference's tokens.
https://github.com/black-forest-labs/flux2/blob/main/docs/flux2_klein_kv_cache.md

Letters in shapes: R reference tokens, H heads, E head size.
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
"""The time step at which a reference is always read."""


@dataclass(frozen=True, slots=True)
class LayerKVCache:
    """One block's keys and values, each [R, H, E]; stands in for diffusers' cache of one layer."""

    keys: Tensor
    values: Tensor

    def store(self, keys: Tensor, values: Tensor) -> None:
        """Copy keys and values [1, R, H, E] into memory that never moves."""
        self.keys.copy_(keys[0])
        self.values.copy_(values[0])

    def get(self) -> tuple[Tensor, Tensor]:
        """Return keys and values as [1, R, H, E]."""
        return self.keys[None], self.values[None]


@dataclass(slots=True)
class ReferenceKVCache:
    """The keys and values of all blocks, each [blocks, R, H, E] in the model's dtype; double blocks come first."""

    keys: Tensor
    values: Tensor
    fp8: tuple[Tensor, Tensor] | None = None
    """Both in fp8 as well, divided by the schedule's scales, where steps attend in fp8."""

    def layer(self, index: int) -> LayerKVCache:
        """Return a view of one block's keys and values."""
        return LayerKVCache(self.keys[index], self.values[index])


def cached_attention(cache: ReferenceKVCache | None, index: int, **more: int) -> dict[str, Any]:
    """Return the arguments with which diffusers' block ``index`` attends to the cache; none without a cache."""
    if cache is None:
        return {}
    return {"joint_attention_kwargs": {"kv_cache": cache.layer(index), "kv_cache_mode": "cached", **more}}


def blank_kv_cache(transformer: Any, tokens: int, dtype: torch.dtype, device: torch.device) -> ReferenceKVCache:
    """Allocate the cache for a reference of this many tokens: 0.5 GB for the 9B and a reference of 512x512 pixels."""
    config = transformer.config
    blocks = len(transformer.transformer_blocks) + len(transformer.single_transformer_blocks)
    shape = (blocks, tokens, config.num_attention_heads, config.attention_head_dim)
    keys, values = (torch.zeros(shape, dtype=dtype, device=device) for _ in range(2))
    return ReferenceKVCache(keys, values)


def attend_to_kv_cache(transformer: Any) -> None:
    """Let diffusers' blocks accept a KV cache; without one they attend as before."""
    for block in transformer.transformer_blocks:
        block.attn.set_processor(Flux2KVAttnProcessor())
    for block in transformer.single_transformer_blocks:
        block.attn.set_processor(Flux2KVParallelSelfAttnProcessor())


def reference_buffers(buffers: StaticBuffers, modulation: Tensor) -> StaticBuffers:
    """Return buffers on which the reference is the picture and there is no text, for the step's own kernels to read.

    ``modulation`` is [1, 17 x D]. The tensors are views of the originals.
    """
    shape = buffers.shape
    assert shape.reference is not None
    after = shape.text_tokens + shape.image_tokens
    return replace(
        buffers,
        shape=Shape(*shape.reference, text_tokens=0),
        tokens=buffers.tokens[:, shape.image_tokens :],
        context=buffers.context[:, :0],
        modulation=modulation,
        rope=(buffers.rope[0][after:], buffers.rope[1][after:]),
    )


@torch.inference_mode()
def read_reference(buffers: StaticBuffers, transformer: Any) -> None:
    """Fill the KV cache from the reference's tokens in the buffers, with diffusers' own blocks.

    One blank token stands for the text and one for the picture: diffusers' attention accepts neither as empty, and in
    this mode the reference does not attend to them.
    """
    cache, shape = buffers.kv_cache, buffers.shape
    assert cache is not None
    double, single = _modulations(transformer, buffers.tokens)
    blank = torch.zeros_like(buffers.tokens[:, :1])
    states = transformer.x_embedder(torch.cat([buffers.tokens[:, shape.image_tokens :], blank], dim=1))
    text_states = torch.zeros_like(states[:, :1])
    first, last = shape.text_tokens, shape.text_tokens + shape.image_tokens
    cosines, sines = (torch.cat([table[:1], table[last:], table[first : first + 1]]) for table in buffers.rope)
    reading = {"kv_cache_mode": "extract", "num_ref_tokens": shape.reference_tokens}
    doubles = len(transformer.transformer_blocks)
    for index, block in enumerate(transformer.transformer_blocks):
        text_states, states = block(
            hidden_states=states,
            encoder_hidden_states=text_states,
            temb_mod_img=double,
            temb_mod_txt=double,
            image_rotary_emb=(cosines, sines),
            joint_attention_kwargs={**reading, "kv_cache": cache.layer(index)},
        )
    states = torch.cat([text_states, states], dim=1)
    for index, block in enumerate(transformer.single_transformer_blocks, start=doubles):
        states = block(
            hidden_states=states,
            encoder_hidden_states=None,
            temb_mod=single,
            image_rotary_emb=(cosines, sines),
            joint_attention_kwargs={**reading, "kv_cache": cache.layer(index), "num_txt_tokens": 1},
        )


def _modulations(transformer: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    time = torch.full((1,), NO_NOISE, dtype=like.dtype, device=like.device)
    embedding = transformer.time_guidance_embed(time, None)
    return transformer.double_stream_modulation_img(embedding), transformer.single_stream_modulation(embedding)
