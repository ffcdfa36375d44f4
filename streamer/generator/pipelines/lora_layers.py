"""The layers of a pipeline by every name that LoRA files give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from streamer.generator.lora.keys import DOWN

PREFIXES = {
    "unet": ("unet.", "lora_unet_", "base_model.model.", ""),
    "transformer": (
        "transformer.", "diffusion_model.", "base_model.model.", "lora_unet_", "lora_transformer_", "lycoris_", "",
    ),
    "text_encoder": ("text_encoder.", "lora_te_", "lora_te1_"),
    "text_encoder_2": ("text_encoder_2.", "lora_te2_"),
    "text_encoder_3": ("text_encoder_3.", "lora_te3_"),
}  # fmt: skip
"""What stands before the layers of each network, by the program that wrote the file."""
TEXT_MODEL = "text_model."
"""What some versions of transformers have before the layers of a text encoder, and some have not."""
_OF_TEXT = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}
_ENDS = (*DOWN, ".lora_linear_layer.down.weight")


def networks_of(pipeline: Any) -> Iterator[tuple[str, nn.Module]]:
    """Yield the networks of a pipeline by their names."""
    return ((name, part) for name, part in pipeline.components.items() if isinstance(part, nn.Module))


class LayerNames:
    """Find the layer that a name in a file means; layers are called "network.layer", as in diffusers."""

    def __init__(self, pipeline: Any) -> None:
        self._layers: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, int]] = {}
        """[outputs, inputs] of each layer's weight, flattened to a matrix."""
        for network, path, weight in _weights(pipeline):
            layer = f"{network}.{path}"
            self.shapes[layer] = (weight.shape[0], weight[0].numel())
            for name in _paths(network, path):
                for prefix in PREFIXES[network]:
                    self._layers |= {prefix + name: layer, prefix + name.replace(".", "_"): layer}

    def find(self, name: str) -> str | None:
        """Return the layer of a name; None if the pipeline has no such layer."""
        return self._layers.get(name)


def layer_of(name: str) -> str:
    """Return the name of a layer that diffusers' converters have named in one of their older ways."""
    name = name.replace(".processor.", ".")
    path, _, leaf = name.rpartition(".")
    if name.startswith("text_encoder"):
        return f"{path}.{_OF_TEXT.get(leaf, leaf)}"
    return f"{name}.0" if leaf == "to_out" and name.startswith("unet.") else name


def alphas_of(network_alphas: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the alphas that diffusers' converters give beside the tensors, by layer."""
    alphas = {}
    for key, alpha in (network_alphas or {}).items():
        name = key.removesuffix(".alpha")
        end = next((end for end in _ENDS if name.endswith(end)), "")
        alphas[layer_of(name.removesuffix(end))] = float(alpha)
    return alphas


def _weights(pipeline: Any) -> Iterator[tuple[str, str, Tensor]]:
    """Yield network, path and weight of every layer that a LoRA can change."""
    for network, module in networks_of(pipeline):
        if network in PREFIXES:
            for path, layer in module.named_modules():
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    yield network, path, layer.weight


def _paths(network: str, path: str) -> tuple[str, ...]:
    if not network.startswith("text_encoder"):
        return (path,)
    short = path.removeprefix(TEXT_MODEL)
    return (short, TEXT_MODEL + short)
