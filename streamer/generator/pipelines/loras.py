"""The LoRAs of a diffusers pipeline, merged into its weights in place.

diffusers computes a LoRA beside each layer and adds modules for it, which neither captured graphs nor compiled code
know. Here its converters only translate the names of files that do not name layers as diffusers does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from streamer.generator.backend import Report, one_line
from streamer.generator.lora.download import find_lora
from streamer.generator.lora.files import LoraHeader, named
from streamer.generator.lora.fit import misfit, require_all_used, require_family
from streamer.generator.lora.keys import layers_of
from streamer.generator.lora.places import places_of
from streamer.generator.lora.switch import LoraSwitch, Masters
from streamer.generator.lora.weights import LoraWeights, LowRank, merged_rows
from streamer.generator.pipelines.lora_layers import LayerNames, alphas_of, layer_of, networks_of
from streamer.types import Lora

Headers = Mapping[Lora, LoraHeader]


def find_loras(model: str, loras: Iterable[Lora], report: Report) -> Headers:
    """Find every LoRA, and refuse those for another model, as far as headers tell.

    Raises BackendUnavailable that names the option of the first one that cannot be used.
    """
    headers = {}
    for lora in loras:
        headers[lora] = find_lora(lora, report)
        with named(lora):
            require_family(headers[lora], model)
    return headers


@torch.inference_mode()
def merge_loras(
    pipeline: Any, device: torch.device, model: str, headers: Headers, session: Iterable[Lora], styles: Iterable[Lora]
) -> LoraSwitch | None:
    """Merge the LoRAs of the session for good; return what changes those of styles in place, None if there are none.

    ``headers`` has all of them; ``device`` computes. Raises BackendUnavailable that names the option of one that does
    not fit.
    """
    network, names = nn.ModuleDict(dict(networks_of(pipeline))), LayerNames(pipeline)
    weights = {lora: _read(pipeline, names, lora, header, model) for lora, header in headers.items()}
    for lora in session:
        for layer, changes in weights[lora].items():
            _merge(network, device, layer, [change.weighted(lora.weight) for change in changes])
    switched = {lora: weights[lora] for lora in styles}
    if not switched:
        return None
    masters = Masters(frozenset(layer for changes in switched.values() for layer in changes))
    for layer in masters.layers:
        masters.keep(layer, network.get_submodule(layer).weight.data)
    return LoraSwitch(network, masters, switched, device)


def read_lora(pipeline: Any, names: LayerNames, header: LoraHeader, model: str) -> LoraWeights:
    """Return what a LoRA changes, by "network.layer"; raise BackendUnavailable unless all of it is used."""
    tensors = load_file(header.path)
    if all(names.find(name) for name in header.layers):
        scales = {name: header.scale_of(name, _alpha(tensors, keys.alpha)) for name, keys in header.layers.items()}
        found = {name: (tensors[keys.up], tensors[keys.down]) for name, keys in header.layers.items()}
    else:
        found, scales = _converted(pipeline, header, model)
        require_all_used(header, [name for name in found if not names.find(name)], model)
    weights: dict[str, tuple[LowRank, ...]] = {}
    for name, (up, down) in found.items():
        layer = names.find(name) or name
        if names.shapes[layer] != (theirs := (up.shape[0], down[0].numel())):
            ours = list(names.shapes[layer])
            raise misfit(header, model, f"it changes {name} as {list(theirs)}, and that layer of {model} is {ours}")
        change = LowRank(0, up.flatten(1), down.flatten(1), scales[name])
        weights[layer] = (*weights.get(layer, ()), change)
    return weights


def _converted(
    pipeline: Any, header: LoraHeader, model: str
) -> tuple[dict[str, tuple[Tensor, Tensor]], dict[str, float]]:
    """Let diffusers translate a file; return the halves of each layer's change, and their scales."""
    if not hasattr(pipeline, "lora_state_dict"):
        raise misfit(
            header, model, f"diffusers knows no LoRAs for a {type(pipeline).__name__} but those in its own names"
        )
    how = {"unet_config": pipeline.unet.config} if hasattr(pipeline, "unet") else {}
    try:
        translated = pipeline.lora_state_dict(header.path.parent, weight_name=header.path.name, **how)
    except (ValueError, RuntimeError, LookupError, TypeError, AttributeError) as error:
        # Whatever a converter finds in a file that is not for its model.
        raise misfit(header, model, one_line(error)) from error
    tensors, alphas = translated if isinstance(translated, tuple) else (translated, None)
    tensors = {name.replace(".lora_linear_layer.", ".lora."): tensor for name, tensor in tensors.items()}
    layers = layers_of(tensors, str(header.path))
    found = {layer_of(name): (tensors[keys.up], tensors[keys.down]) for name, keys in layers.items()}
    expected = sum(header.shapes[keys.up][0] for keys in header.layers.values())
    if sum(len(up) for up, _ in found.values()) != expected:
        raise misfit(header, model, "diffusers leaves out some of its layers")
    known = alphas_of(alphas)
    return found, {name: known.get(name, len(down)) / len(down) for name, (_, down) in found.items()}


def _read(pipeline: Any, names: LayerNames, lora: Lora, header: LoraHeader, model: str) -> LoraWeights:
    with named(lora):
        return read_lora(pipeline, names, header, model)


def _alpha(tensors: Mapping[str, Tensor], name: str | None) -> float | None:
    return None if name is None else float(tensors[name])


def _merge(network: nn.Module, device: torch.device, layer: str, changes: list[LowRank]) -> None:
    weight = network.get_submodule(layer).weight.data.flatten(1)
    for place in places_of(network, layer, len(weight)):
        for first, rows in merged_rows(weight, changes, device):
            place.write(rows, first)
