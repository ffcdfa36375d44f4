"""The parts of one loaded checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class KleinModel:
    """The modules of diffusers and transformers that the engine uses, without the parts that it does not."""

    transformer: Any
    encoder: Any
    """The inner text model: embedding, the first 27 layers and the rotary tables; no head."""
    vae: Any
    tokenizer: Any
    scheduler: Any
    device: torch.device
    dtype: torch.dtype
    """The type of weights and activations that are not quantized: bfloat16 on a GPU, float32 on the CPU."""
    caches_references: bool = False
    """Whether it is a KV checkpoint, which reads the picture to edit once; see reference_kv_cache.py."""

    host_embedding: bool = False
    """Whether the text model's embedding stays on the host, to save GPU memory."""

    @property
    def embedded_width(self) -> int | None:
        """The width d of the text model's hidden states where the host embeds the tokens, else None."""
        return int(self.encoder.config.hidden_size) if self.host_embedding else None

    @property
    def hidden(self) -> int:
        """The width D of the transformer's hidden states."""
        return int(self.transformer.inner_dim)

    @property
    def channels(self) -> int:
        """The channels C of one token: the VAE's latents, packed two by two."""
        return int(self.transformer.config.in_channels)

    @property
    def blocks(self) -> int:
        """The number of double and single blocks together."""
        return len(self.transformer.transformer_blocks) + len(self.transformer.single_transformer_blocks)
