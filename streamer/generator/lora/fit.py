"""Whether a LoRA was made for the model that draws: every layer that it changes must be there, in its shape.

This file imports nothing heavy: a LoRA for another model is named before torch is imported.
"""

from __future__ import annotations

from collections.abc import Collection

from streamer.errors import BackendUnavailable
from streamer.generator import models
from streamer.generator.lora.families import family_of, family_of_model
from streamer.generator.lora.files import LoraHeader
from streamer.generator.lora.flux2 import Flux2Layers
from streamer.generator.lora.keys import some


def require_family(header: LoraHeader, model: str) -> None:
    """Raise BackendUnavailable for a LoRA that was certainly made for another model than a listed one."""
    row, family = models.find(model), family_of(header)
    ours = None if row is None else family_of_model(row)
    if ours is not None and family is not None and family != ours:
        raise misfit(header, model)


def require_flux2_fit(header: LoraHeader, layers: Flux2Layers, model: str) -> None:
    """Raise BackendUnavailable unless a FLUX.2 transformer has every layer that a LoRA changes, in its shape."""
    missing = [name for name in header.layers if layers.find(name) is None]
    if missing:
        raise misfit(header, model, f"{model} has none of these layers of it: {some(missing)}")
    for name, keys in header.layers.items():
        rows = layers.find(name) or ()
        ours = [sum(part.count for part in rows), layers.inputs_of(rows)]
        theirs = [header.shapes[keys.up][0], *header.shapes[keys.down][1:]]
        if ours != theirs:
            raise misfit(header, model, f"it changes {name} as {theirs}, and that layer of {model} is {ours}")


def misfit(header: LoraHeader, model: str, detail: str = "") -> BackendUnavailable:
    """Say that a LoRA belongs to another model: to which, as far as its shapes tell, and why it cannot be this one."""
    family = family_of(header)
    made_for = f"was made for {family}, not for {model}" if family else f"was not made for {model}"
    return BackendUnavailable(
        f"{header.path} {made_for}{f': {detail}' if detail else ''}",
        fix=f"use a LoRA for {model}" + (f", or draw with {family}" if family else ""),
    )


def require_all_used(header: LoraHeader, unused: Collection[str], model: str) -> None:
    """Raise BackendUnavailable if the model has no layer for some of what a LoRA holds."""
    if unused:
        raise misfit(header, model, f"{model} has none of these layers of it: {some(unused)}")
