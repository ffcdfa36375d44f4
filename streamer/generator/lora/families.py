"""Which model a LoRA was made for, as far as the names and shapes in its file say.

This file imports nothing heavy: a LoRA for another model is named before torch is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from streamer.generator.lora.files import LoraHeader
from streamer.generator.models import Model

_KNOWN = (
    (r"(linear1|to_qkv_mlp_proj)$", 3072, 27648, "FLUX.2-klein-4B"),
    (r"(linear1|to_qkv_mlp_proj)$", 4096, 36864, "FLUX.2-klein-9B"),
    (r"(linear1|to_qkv_mlp_proj)$", 6144, 55296, "FLUX.2-dev"),
    (r"(ff_linear_in|img_mlp_0)$", 3072, 18432, "FLUX.2-klein-4B"),
    (r"(double_blocks|transformer_blocks)_\d+_(img_attn_proj|attn_add_q_proj)$", 4096, 4096, "FLUX.2-klein-9B"),
    (r"(double_blocks|transformer_blocks)_\d+_(img_attn_proj|attn_add_q_proj)$", 6144, 6144, "FLUX.2-dev"),
    (r"single_blocks_\d+_linear1$", 3072, 21504, "FLUX.1"),
    (r"single_transformer_blocks_\d+_attn_to_q$", 3072, 3072, "FLUX.1"),
    (r"transformer_blocks_\d+_img_mlp_net_0_proj$", 3072, 12288, "Qwen-Image"),
    (r"attn2_to_k$", 2048, None, "SDXL"),
    (r"attn2_to_k$", 1024, None, "Stable Diffusion 2"),
    (r"attn2_to_k$", 768, None, "Stable Diffusion 1"),
    (r"layers_\d+_attention_(to_q|qkv)$", 3840, None, "Z-Image"),
    (r"transformer_blocks_\d+_attn_add_q_proj$", 1536, None, "Stable Diffusion 3"),
    (r"transformer_blocks_\d+_attn1_to_q$", 2240, None, "SANA 1.6B"),
    (r"transformer_blocks_\d+_attn1_to_q$", 1152, None, "PixArt"),
)
"""The end of a layer's name with underscores, its inputs, its outputs (None: any), and the model that has it."""
_OF_MODELS = {
    "klein-4b": "FLUX.2-klein-4B", "klein-9b": "FLUX.2-klein-9B", "klein-9b-kv": "FLUX.2-klein-9B",
    "flux2-dev-turbo": "FLUX.2-dev", "sdxl-turbo": "SDXL", "pixart-sigma": "PixArt", "sana-sprint": "SANA 1.6B",
    "z-image-turbo": "Z-Image",
}  # fmt: skip


def family_of(header: LoraHeader) -> str | None:
    """Return the model that a LoRA was made for, or None if nothing in it tells."""
    layers = list(_layers(header))
    for end, inputs, outputs, family in _KNOWN:
        pattern = re.compile(end)
        if any(shape[0] == inputs and outputs in (None, shape[1]) and pattern.search(name) for name, shape in layers):
            return family
    return None


def family_of_model(model: Model) -> str | None:
    """Return the same for a model of the table."""
    return _OF_MODELS.get(model.name)


def _layers(header: LoraHeader) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each layer's name with underscores, and its inputs and outputs."""
    for name, keys in header.layers.items():
        yield name.replace(".", "_"), (header.shapes[keys.down][1], header.shapes[keys.up][0])
