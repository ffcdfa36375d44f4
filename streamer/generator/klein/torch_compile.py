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
    """Keep what is compiled under the state directory, so that the second start finds it; before the first compile."""
    for variable, name in CACHES.items():
        os.environ.setdefault(variable, str(home / "compile-cache" / name))


SHAPES = 64


class _CompiledTransformer:
    """A block whose call is compiled for the shapes it meets; the block itself stays as it is."""

    def __init__(self, block: Any) -> None:
        # One compilation per announced size and precision; beyond the limit torch would fall back without a word.
        torch._dynamo.config.recompile_limit = SHAPES
        self._call = torch.compile(block.forward, fullgraph=True, dynamic=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)


def compiled_velocity(transformer: Any) -> Velocity:
    """Give the stock step with every repeated block compiled; unknown shapes cost seconds, so give it known ones."""
    shell = copy.copy(transformer)
    shell._modules = dict(transformer._modules)
    shell._modules["transformer_blocks"] = _Blocks(transformer.transformer_blocks)
    shell._modules["single_transformer_blocks"] = _Blocks(transformer.single_transformer_blocks)
    return stock_velocity(shell)


def compiled_layers(encoder: Any) -> Layers:
    """Give the text model's layers, each compiled."""
    shell = copy.copy(encoder)
    shell._modules = dict(encoder._modules)
    shell._modules["layers"] = _Blocks(encoder.layers)
    return stock_layers(shell)


def compiled_decoder(vae: Any) -> Decoder:
    """Give the VAE's decoder compiled in channels-last, its weights laid out so in place."""
    vae.decoder.to(memory_format=torch.channels_last)
    call = torch.compile(vae.decoder.forward, fullgraph=True, dynamic=False)

    def decoder(latents: Tensor) -> Tensor:
        before = latents if vae.post_quant_conv is None else vae.post_quant_conv(latents)
        picture: Tensor = call(before.contiguous(memory_format=torch.channels_last))
        return picture

    return decoder


class _Blocks(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """A list of compiled blocks that passes for a module list."""

    def __init__(self, blocks: Any) -> None:
        super().__init__()
        self.calls = [_CompiledTransformer(block) for block in blocks]

    def __len__(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Any:
        return iter(self.calls)
