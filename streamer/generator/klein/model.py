"""The parts of one loaded checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Model:
    """What the engine draws with; diffusers' and transformers' own modules, reduced to what is used."""

    transformer: Any
    encoder: Any
    """The inner text model: embedding, the first 27 layers, rotary tables; no head."""
    vae: Any
    tokenizer: Any
    scheduler: Any
    device: torch.device
    dtype: torch.dtype
    keeps_references: bool = False
    """A KV checkpoint: it reads the picture to edit once, see reference_memory.py."""

    @property
    def hidden(self) -> int:
        return int(self.transformer.inner_dim)

    @property
    def channels(self) -> int:
        return int(self.transformer.config.in_channels)

    @property
    def blocks(self) -> int:
        return len(self.transformer.transformer_blocks) + len(self.transformer.single_transformer_blocks)
