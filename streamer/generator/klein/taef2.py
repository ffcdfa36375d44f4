"""TAEF2, a decoder of 64 channels for FLUX.2's latents: some twenty times less arithmetic, and softer pictures.

The weights are one file, https://huggingface.co/madebyollin/taef2; diffusers has no class for its first three blocks,
which look at the whole picture through a GroupNorm. It was trained on latents as the transformer leaves them, before
the VAE's statistics are put back, and returns colours from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from streamer.generator.klein.vae import channel_statistics, patchify, unpatchify
from streamer.generator.klein.weights import fill

WIDTH, LATENTS = 64, 32
POOLED, GROUPS = 4, 4
SOFT_LIMIT = 3.0


class TinyBlock(nn.Module):  # type: ignore[misc, unused-ignore]
    """Three convolutions beside a shortcut; ``pool`` lets a block weight its channels by the whole picture."""

    def __init__(self, pool: bool) -> None:
        super().__init__()
        self.conv = nn.Sequential(_conv(), nn.ReLU(), _conv(), nn.ReLU(), _conv())
        wide = WIDTH * POOLED
        self.pool = (
            nn.Sequential(
                nn.Conv2d(WIDTH, wide, 1, bias=False),
                nn.GroupNorm(GROUPS, wide),
                nn.ReLU(),
                nn.Conv2d(wide, WIDTH, 1, bias=False),
            )
            if pool
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, 64, h, w] to the same shape."""
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class TinyDecoder(nn.Module):  # type: ignore[misc, unused-ignore]
    """Stand in for a VAE's decoder: latents [1, 32, h, w] to a picture [1, 3, 8h, 8w] in -1 to 1."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        # A function holds the VAE, because the VAE owns this decoder and must not become a submodule of it.
        self._statistics: Callable[[Tensor], tuple[Tensor, Tensor]] = lambda like: channel_statistics(vae, like)
        self.layers = nn.Sequential(
            _conv(LATENTS), nn.ReLU(), *_blocks(3, pool=True), *_doubled(), *_blocks(3), *_doubled(), *_blocks(3),
            *_doubled(), *_blocks(1), _conv(WIDTH, 3),
        )  # fmt: skip

    def forward(self, latents: Tensor) -> Tensor:
        """Undo the VAE's statistics, bound the latents softly, and decode."""
        packed = patchify(latents)
        mean, deviation = self._statistics(packed)
        latents = unpatchify((packed - mean) / deviation)
        colours: Tensor = self.layers(torch.tanh(latents / SOFT_LIMIT) * SOFT_LIMIT)
        return colours * 2 - 1


def is_tiny(folder: Path) -> bool:
    """Tell whether a folder holds TAEF2 rather than a VAE: weights alone, no config."""
    return not (folder / "config.json").exists() and not (folder / "vae").is_dir() and any(folder.glob("*.safetensors"))


def use_tiny(vae: Any, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
    """Put TAEF2 in place of a VAE's decoder; the encoder and the statistics stay."""
    with torch.device("meta"):
        decoder = TinyDecoder(vae).eval().requires_grad_(False)
    fill(decoder, folder, device=device, dtype=dtype, prefix="decoder.")
    vae.decoder, vae.post_quant_conv = decoder, None


def _conv(width: int = WIDTH, out: int = WIDTH, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(width, out, 3, padding=1, bias=bias)


def _blocks(count: int, pool: bool = False) -> list[nn.Module]:
    return [TinyBlock(pool) for _ in range(count)]


def _doubled() -> tuple[nn.Module, nn.Module]:
    return nn.Upsample(scale_factor=2), _conv(bias=False)
