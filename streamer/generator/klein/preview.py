"""Previews: a linear map from tokens to colours, fitted to the checkpoint's own VAE so that it suits every decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from streamer.generator.klein.shapes import PATCH
from streamer.generator.klein.vae import encode_picture

if TYPE_CHECKING:
    from streamer.generator.klein.buffers import StaticBuffers


SAMPLE_PX = 256
SAMPLES = 4
RIDGE = 1e-2
"""Keeps the map small where the samples say nothing about a channel; in units of the latents' own variance."""


def write_preview(buffers: StaticBuffers, clean: Tensor) -> None:
    """Write the predicted clean picture [1, image tokens, C] into ``buffers.preview``, one pixel per token.

    The latents themselves would show noise. Does nothing where previews are off.
    """
    if buffers.preview_colours is None:
        return
    colours = clean[0] @ buffers.preview_colours[:-1] + buffers.preview_colours[-1]
    rows, columns = buffers.shape.rows, buffers.shape.columns
    buffers.preview.copy_(((colours * 0.5 + 0.5).clamp(0, 1) * 255).round().view(rows, columns, 3))


@torch.inference_mode()
def fit_preview_colours(vae: Any) -> Tensor:
    """Fit tokens to their mean colours by least squares over smooth random pictures; return [C + 1, 3] float32."""
    pictures = smooth_pictures().to(vae.device, vae.dtype)
    tokens = torch.cat([encode_picture(vae, picture[None])[0] for picture in pictures]).float()
    colours = F.avg_pool2d(pictures.float(), PATCH).permute(0, 2, 3, 1).reshape(-1, 3)
    ones = torch.ones_like(tokens[:, :1])
    inputs = torch.cat([tokens, ones], dim=1)
    damping = RIDGE * len(inputs) * torch.eye(inputs.shape[1], device=inputs.device)
    return torch.linalg.solve(inputs.T @ inputs + damping, inputs.T @ colours)


def smooth_pictures() -> Tensor:
    """Draw blurred colour noise at several scales from a fixed seed: [4, 3, 256, 256] float32 in -1 to 1."""
    seeded = torch.Generator("cpu").manual_seed(1)
    pictures = []
    for index in range(SAMPLES):
        coarse = torch.rand(1, 3, 3 + 4 * index, 3 + 4 * index, generator=seeded) * 2.4 - 1.2
        size = (SAMPLE_PX, SAMPLE_PX)
        pictures.append(F.interpolate(coarse, size, mode="bicubic", align_corners=False).clamp(-1, 1))
    return torch.cat(pictures)
