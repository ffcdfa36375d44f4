"""One denoising step in plain PyTorch, through the blocks of diffusers: the truth that every faster way is held to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.buffers import StaticBuffers
from streamer.generator.klein.preview import small_picture
from streamer.generator.klein.reference_kv_cache import attending

Velocity = Callable[[StaticBuffers], Tensor]
"""Predict, from what is on the canvas, the change of the picture's own tokens: [1, image tokens, channels]."""


def stock_velocity(transformer: Any) -> Velocity:
    """Run the transformer's own blocks with the precomputed tables; the same operations as diffusers, in its order."""

    def velocity(canvas: StaticBuffers) -> Tensor:
        text, memory, doubles = canvas.shape.text_tokens, canvas.memory, len(transformer.transformer_blocks)
        words, tokens = canvas.context, transformer.x_embedder(canvas.seen)
        rope = tuple(table[: text + tokens.shape[1]] for table in canvas.rope)
        for index, block in enumerate(transformer.transformer_blocks):
            words, tokens = block(
                hidden_states=tokens,
                encoder_hidden_states=words,
                temb_mod_img=canvas.image_modulation,
                temb_mod_txt=canvas.text_modulation,
                image_rotary_emb=rope,
                **attending(memory, index),
            )
        tokens = torch.cat([words, tokens], dim=1)
        for index, block in enumerate(transformer.single_transformer_blocks, start=doubles):
            tokens = block(
                hidden_states=tokens,
                encoder_hidden_states=None,
                temb_mod=canvas.single_modulation,
                image_rotary_emb=rope,
                **attending(memory, index, num_txt_tokens=text),
            )
        return project(transformer, tokens[:, text : text + canvas.shape.image_tokens], canvas.out_modulation)

    return velocity


def project(transformer: Any, tokens: Tensor, modulation: Tensor) -> Tensor:
    """Turn the last hidden states into the velocity of each token."""
    scale, shift = torch.chunk(modulation, 2, dim=1)
    tokens = transformer.norm_out.norm(tokens) * (1 + scale)[:, None, :] + shift[:, None, :]
    projected: Tensor = transformer.proj_out(tokens)
    return projected


@torch.inference_mode()
def step(canvas: StaticBuffers, velocity: Velocity) -> None:
    """Move the picture on the canvas one step towards clean, and leave a small preview of where it is heading."""
    change = velocity(canvas)
    before = canvas.latents.float()
    small_picture(canvas, before - canvas.sigma * change.float())
    # The product is rounded to the model's precision before the sum, as diffusers' scheduler does.
    canvas.latents.copy_((before + canvas.change * change).to(canvas.latents.dtype))
