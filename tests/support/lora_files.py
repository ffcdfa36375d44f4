"""Files of LoRAs with given names and shapes, full of zeros, written without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path

Shapes = Mapping[str, tuple[int, ...]]


def write_tensors(path: Path, shapes: Shapes, metadata: Mapping[str, str] | None = None) -> Path:
    """Write a safetensors file of these tensors in 16 bits; as a sparse file, so that large ones take no room."""
    entries: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * prod(shape)
        entries[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [start, end]}
    header = json.dumps(entries).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + end)
    return path


def layer(name: str, outputs: int, inputs: int, rank: int = 2) -> dict[str, tuple[int, ...]]:
    """Return the two tensors of one layer, as diffusers names them."""
    return {f"{name}.lora_A.weight": (rank, inputs), f"{name}.lora_B.weight": (outputs, rank)}


def kohya_layer(name: str, outputs: int, inputs: int, rank: int = 2) -> dict[str, tuple[int, ...]]:
    """Return the three tensors of one layer, as kohya's scripts name them."""
    return {
        f"{name}.lora_down.weight": (rank, inputs), f"{name}.lora_up.weight": (outputs, rank), f"{name}.alpha": (),
    }  # fmt: skip


FLUX2_4B = layer("transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj", 27648, 3072)
FLUX2_9B = kohya_layer("lora_unet_single_blocks_0_linear1", 36864, 4096)
SDXL = kohya_layer("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k", 640, 2048)
