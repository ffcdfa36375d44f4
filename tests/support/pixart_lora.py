"""A LoRA for the tiny PixArt that the tests draw with; it needs torch."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file


def pixart_lora(path: Path, seed: int) -> Path:
    """Write random weights for both blocks of the tiny PixArt."""
    seeded, tensors = torch.Generator().manual_seed(seed), {}
    for block in range(2):
        for leaf in ("to_q", "to_v"):
            name = f"transformer.transformer_blocks.{block}.attn1.{leaf}"
            tensors[f"{name}.lora_A.weight"] = torch.randn(2, 32, generator=seeded)
            tensors[f"{name}.lora_B.weight"] = torch.randn(32, 2, generator=seeded)
    save_file(tensors, path)
    return path
