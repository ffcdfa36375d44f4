"""Between the VAE's latents and the transformer's tokens: packing two by two, and the VAE's own normalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.buffers import StaticBuffers


def encode_picture(vae: Any, picture: Tensor) -> Tensor:
    """Turn a picture [1, 3, height, width] in -1 to 1 into tokens [1, tokens, channels]; the mode, not a sample."""
    latents = patchify(vae.encode(picture.to(vae.dtype)).latent_dist.mode())
    mean, deviation = statistics(vae, latents)
    return ((latents - mean) / deviation).flatten(2).permute(0, 2, 1)


def tokens_to_latents(vae: Any, tokens: Tensor, rows: int, columns: int) -> Tensor:
    """Turn tokens [1, tokens, channels] into what the VAE decodes: [1, channels / 4, 2 rows, 2 columns]."""
    packed = tokens.permute(0, 2, 1).reshape(1, tokens.shape[2], rows, columns)
    mean, deviation = statistics(vae, packed)
    return unpatchify(packed * deviation + mean)


def statistics(vae: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    """Give mean and deviation per packed channel; batch-norm statistics stand where others have a scaling factor."""
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


Decoder = Callable[[Tensor], Tensor]
"""Turn latents [1, c, h, w] into a picture [1, 3, 8h, 8w] in -1 to 1, or at once into bytes [8h, 8w, 3]."""


def stock_decoder(vae: Any) -> Decoder:
    """Run the VAE's decoder as diffusers does."""

    def decoder(latents: Tensor) -> Tensor:
        picture: Tensor = vae.decode(latents, return_dict=False)[0]
        return picture

    return decoder


@torch.inference_mode()
def decode(canvas: StaticBuffers, vae: Any, decoder: Decoder) -> None:
    """Paint the finished picture into the canvas, and note whether every number on the way was finite."""
    latents = tokens_to_latents(vae, canvas.latents, canvas.shape.rows, canvas.shape.columns)
    picture = decoder(latents)
    canvas.finite.copy_(torch.isfinite(latents).all())
    if picture.dtype == torch.uint8:
        canvas.pixels.copy_(picture)
    else:
        # Bytes hold no NaN; what went wrong inside a decoder that gives bytes shows as black, and is refused as that.
        canvas.finite.logical_and_(torch.isfinite(picture).all())
        canvas.pixels.copy_(to_bytes(picture))


def to_bytes(picture: Tensor) -> Tensor:
    """Turn [1, 3, height, width] in -1 to 1 into bytes [height, width, 3]; in float32, since bfloat16 moves levels."""
    levels = ((picture[0].float() * 0.5 + 0.5).clamp(0, 1) * 255).round()
    return levels.permute(1, 2, 0).to(torch.uint8)
