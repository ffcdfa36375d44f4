"""One denoising step in plain PyTorch, through diffusers' own blocks: every faster implementation is compared with it.

Letters in shapes: C channels of a token, D width of the hidden states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.buffers import StaticBuffers
from streamer.generator.klein.preview import write_preview
from streamer.generator.klein.reference_kv_cache import cached_attention

Velocity = Callable[[StaticBuffers], Tensor]
"""Predict the velocity of the picture's own tokens from what the buffers hold: [1, image tokens, C]."""


def stock_velocity(transformer: Any) -> Velocity:
    """Run the transformer's own blocks with the precomputed tables: the operations of diffusers, in its order."""

    def velocity(buffers: StaticBuffers) -> Tensor:
        text, cache, doubles = buffers.shape.text_tokens, buffers.kv_cache, len(transformer.transformer_blocks)
        text_states, states = buffers.context, transformer.x_embedder(buffers.step_tokens)
        rope = tuple(table[: text + states.shape[1]] for table in buffers.rope)
        for index, block in enumerate(transformer.transformer_blocks):
            text_states, states = block(
                hidden_states=states,
                encoder_hidden_states=text_states,
                temb_mod_img=buffers.image_modulation,
                temb_mod_txt=buffers.text_modulation,
                image_rotary_emb=rope,
                **cached_attention(cache, index),
            )
        states = torch.cat([text_states, states], dim=1)
        for index, block in enumerate(transformer.single_transformer_blocks, start=doubles):
            states = block(
                hidden_states=states,
                encoder_hidden_states=None,
                temb_mod=buffers.single_modulation,
                image_rotary_emb=rope,
                **cached_attention(cache, index, num_txt_tokens=text),
            )
        return project(transformer, states[:, text : text + buffers.shape.image_tokens], buffers.out_modulation)

    return velocity


def project(transformer: Any, states: Tensor, modulation: Tensor) -> Tensor:
    """Turn the last hidden states [1, n, D] into each token's velocity [1, n, C]; ``modulation`` is [1, 2 x D]."""
    scale, shift = torch.chunk(modulation, 2, dim=1)
    states = transformer.norm_out.norm(states) * (1 + scale)[:, None, :] + shift[:, None, :]
    projected: Tensor = transformer.proj_out(states)
    return projected


@torch.inference_mode()
def step(buffers: StaticBuffers, velocity: Velocity) -> None:
    """Move the picture one step towards clean, and write a preview of the picture that the step predicts."""
    predicted = velocity(buffers)
    before = buffers.latents.float()
    write_preview(buffers, before - buffers.sigma * predicted.float())
    # The product is rounded to the model's precision before the sum, as diffusers' scheduler does.
    buffers.latents.copy_((before + buffers.dt * predicted).to(buffers.latents.dtype))
