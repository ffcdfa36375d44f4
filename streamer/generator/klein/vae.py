"""The VAE's side of drawing: pictures to tokens, tokens to latents, latents to bytes.

A token packs two by two latents, normalized per channel by the VAE's own batch-norm statistics.
Letters in shapes: C channels of a token, which is 4 x c channels of a latent; h and w count latents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.buffers import StaticBuffers

Decoder = Callable[[Tensor], Tensor]
"""Turn latents [1, c, h, w] into a picture [1, 3, 8h, 8w] in -1 to 1, or at once into bytes [8h, 8w, 3]."""


def stock_decoder(vae: Any) -> Decoder:
    """Run the VAE's decoder as diffusers does."""

    def decoder(latents: Tensor) -> Tensor:
        picture: Tensor = vae.decode(latents, return_dict=False)[0]
        return picture

    return decoder


def encode_picture(vae: Any, picture: Tensor) -> Tensor:
    """Encode a picture [1, 3, height, width] in -1 to 1 into tokens [1, tokens, C]; the mode, not a sample."""
    latents = patchify(vae.encode(picture.to(vae.dtype)).latent_dist.mode())
    mean, deviation = channel_statistics(vae, latents)
    return ((latents - mean) / deviation).flatten(2).permute(0, 2, 1)


@torch.inference_mode()
def decode(buffers: StaticBuffers, vae: Any, decoder: Decoder) -> None:
    """Decode the latents into ``buffers.pixels``, and note in ``all_finite`` whether every number was finite."""
    latents = tokens_to_latents(vae, buffers.latents, buffers.shape.rows, buffers.shape.columns)
    picture = decoder(latents)
    buffers.all_finite.copy_(torch.isfinite(latents).all())
    if picture.dtype == torch.uint8:
        buffers.pixels.copy_(picture)
    else:
        # Bytes hold no NaN; what goes wrong inside a decoder that returns bytes shows as black, and is refused as that.
        buffers.all_finite.logical_and_(torch.isfinite(picture).all())
        buffers.pixels.copy_(to_bytes(picture))


def to_bytes(picture: Tensor) -> Tensor:
    """Turn a picture [1, 3, height, width] in -1 to 1 into bytes [height, width, 3].

    Computed in float32, since bfloat16 would shift levels.
    """
    levels = ((picture[0].float() * 0.5 + 0.5).clamp(0, 1) * 255).round()
    return levels.permute(1, 2, 0).to(torch.uint8)


def tokens_to_latents(vae: Any, tokens: Tensor, rows: int, columns: int) -> Tensor:
    """Turn tokens [1, rows x columns, C] into the latents that the VAE decodes, [1, C / 4, 2 rows, 2 columns]."""
    packed = tokens.permute(0, 2, 1).reshape(1, tokens.shape[2], rows, columns)
    mean, deviation = channel_statistics(vae, packed)
    return unpatchify(packed * deviation + mean)


def channel_statistics(vae: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation per packed channel, each [1, C, 1, 1]; other VAEs have a scaling factor instead."""
    mean = vae.bn.running_mean.view(1, -1, 1, 1).to(like.device, like.dtype)
    deviation = torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1) + vae.config.batch_norm_eps)
    return mean, deviation.to(like.device, like.dtype)


def patchify(latents: Tensor) -> Tensor:
    """Pack [1, c, 2h, 2w] into [1, 4c, h, w]."""
    batch, channels, height, width = latents.shape
    split = latents.view(batch, channels, height // 2, 2, width // 2, 2)
    return split.permute(0, 1, 3, 5, 2, 4).reshape(batch, channels * 4, height // 2, width // 2)


def unpatchify(latents: Tensor) -> Tensor:
    """Unpack [1, 4c, h, w] into [1, c, 2h, 2w]."""
    batch, channels, height, width = latents.shape
    split = latents.reshape(batch, channels // 4, 2, 2, height, width)
    return split.permute(0, 1, 4, 2, 5, 3).reshape(batch, channels // 4, height * 2, width * 2)
