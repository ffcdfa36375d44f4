"""From finished tokens to eight-bit pixels, all on the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.canvas import Canvas
from streamer.generator.klein.latents import tokens_to_latents

Decoder = Callable[[Tensor], Tensor]
"""Turn latents [1, c, h, w] into a picture [1, 3, 8h, 8w] in -1 to 1, or at once into bytes [8h, 8w, 3]."""


def stock_decoder(vae: Any) -> Decoder:
    """Run the VAE's decoder as diffusers does."""

    def decoder(latents: Tensor) -> Tensor:
        picture: Tensor = vae.decode(latents, return_dict=False)[0]
        return picture

    return decoder


@torch.inference_mode()
def decode(canvas: Canvas, vae: Any, decoder: Decoder) -> None:
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
