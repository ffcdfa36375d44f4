"""torch.compile of the repeated blocks alone: seven times faster to build than the whole model, and as fast to run."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from streamer.generator.klein.denoise import Velocity, stock_velocity
from streamer.generator.klein.text_encoder import Layers, stock_layers
from streamer.generator.klein.vae import Decoder

CACHES = {"TORCHINDUCTOR_CACHE_DIR": "inductor", "TRITON_CACHE_DIR": "triton"}


def keep_caches(home: Path) -> None:
    """Keep compiled code under the state directory, so that the second start finds it; call before the first compile.

    Variables that the user has set stay as they are.
    """
    for variable, name in CACHES.items():
        os.environ.setdefault(variable, str(home / "compile-cache" / name))


RECOMPILE_LIMIT = 64
"""One compilation per announced size and precision; beyond its limit torch falls back without a word."""


class _CompiledBlock:
    """A block whose call is compiled for each shape it gets; the block itself stays as it is."""

    def __init__(self, block: Any) -> None:
        torch._dynamo.config.recompile_limit = RECOMPILE_LIMIT
        self._call = torch.compile(block.forward, fullgraph=True, dynamic=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)


def compiled_velocity(transformer: Any) -> Velocity:
    """Return the stock velocity with every repeated block compiled; each new shape costs seconds the first time."""
    shell = copy.copy(transformer)
    shell._modules = dict(transformer._modules)
    shell._modules["transformer_blocks"] = _CompiledBlocks(transformer.transformer_blocks)
    shell._modules["single_transformer_blocks"] = _CompiledBlocks(transformer.single_transformer_blocks)
    return stock_velocity(shell)


def compiled_layers(encoder: Any) -> Layers:
    """Return the text model's layers, each compiled."""
    shell = copy.copy(encoder)
    shell._modules = dict(encoder._modules)
    shell._modules["layers"] = _CompiledBlocks(encoder.layers)
    return stock_layers(shell)


def compiled_decoder(vae: Any) -> Decoder:
    """Return the VAE's decoder compiled in channels-last; its weights change to that layout in place."""
    vae.decoder.to(memory_format=torch.channels_last)
    call = torch.compile(vae.decoder.forward, fullgraph=True, dynamic=False)

    def decoder(latents: Tensor) -> Tensor:
        inputs = latents if vae.post_quant_conv is None else vae.post_quant_conv(latents)
        picture: Tensor = call(inputs.contiguous(memory_format=torch.channels_last))
        return picture

    return decoder


class _CompiledBlocks(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """A list of compiled blocks that stands in for a module list."""

    def __init__(self, blocks: Any) -> None:
        super().__init__()
        self.calls = [_CompiledBlock(block) for block in blocks]

    def __len__(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Any:
        return iter(self.calls)
