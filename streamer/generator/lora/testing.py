"""Random LoRAs for a FLUX.2 transformer, as the usual programs write them, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor

from streamer.generator.lora.flux2 import Flux2Layers, flux2_layers

Spelling = Literal["diffusers", "authors", "kohya"]
STRENGTH = 1.0
"""How large a change is beside the weight that it changes, roughly: pictures differ visibly."""
_AUTHORS = ("double_blocks.", "single_blocks.")
_PARTS = {"kohya": ("lora_down", "lora_up")}
_PREFIX = {"diffusers": "transformer.", "authors": "diffusion_model.", "kohya": "lora_unet_"}


def make_lora(
    path: Path, config: Mapping[str, Any], *, spelling: Spelling = "diffusers", rank: int = 4, seed: int = 0,
    alpha: float | None = None, only: Callable[[str], bool] = lambda name: True, dtype: torch.dtype = torch.float32,
) -> Path:  # fmt: skip
    """Write a LoRA for every block of a transformer by its config.json, or for the names that ``only`` takes."""
    layers = flux2_layers(config)
    seeded = torch.Generator("cpu").manual_seed(seed)
    tensors: dict[str, Tensor] = {}
    for name in _names(layers, spelling):
        if not only(name):
            continue
        rows = layers.names[name]
        outputs, inputs = sum(part.count for part in rows), layers.inputs_of(rows)
        written = _PREFIX[spelling] + (name.replace(".", "_") if spelling == "kohya" else name)
        down, up = _PARTS.get(spelling, ("lora_A", "lora_B"))
        tensors[f"{written}.{down}.weight"] = torch.randn(rank, inputs, generator=seeded).mul_(inputs**-0.5).to(dtype)
        tensors[f"{written}.{up}.weight"] = (
            torch.randn(outputs, rank, generator=seeded).mul_(STRENGTH * rank**-0.5).to(dtype)
        )
        if alpha is not None:
            tensors[f"{written}.alpha"] = torch.tensor(alpha)
    save_file(tensors, path)
    return path


def _names(layers: Flux2Layers, spelling: Spelling) -> list[str]:
    if spelling == "diffusers":
        return [name for name in layers.shapes if "blocks." in name]
    return [name for name in layers.names if name.startswith(_AUTHORS)]
