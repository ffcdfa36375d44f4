"""The names of the tensors in a LoRA file, as kohya, diffusers and others write them: which layer, which part of it.

This file imports nothing heavy: a LoRA that cannot be used is named before torch is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamer.errors import BackendUnavailable

DOWN = (".lora_A.weight", ".lora_A.default.weight", ".lora_down.weight", ".lora.down.weight", "_lora.down.weight")
UP = (".lora_B.weight", ".lora_B.default.weight", ".lora_up.weight", ".lora.up.weight", "_lora.up.weight")
ALPHA = (".alpha",)
OTHER_KINDS = {
    "dora_scale": "DoRA", "lokr_": "LoKr", "hada_": "LoHa", "oft_": "OFT", "lora_mid": "LoCon with a middle layer",
    ".diff": "full differences",
}  # fmt: skip
"""What in a name betrays a kind of file that is no plain LoRA."""
NAMED = 3
"""How many names an error lists."""


@dataclass(frozen=True, slots=True)
class LayerKeys:
    """The tensors of one layer: down [rank, inputs], up [outputs, rank], and the scale's numerator, if it has one."""

    down: str
    up: str
    alpha: str | None


def layers_of(names: Iterable[str], file: str) -> dict[str, LayerKeys]:
    """Group a LoRA's tensors by the name that the file gives each layer; raise BackendUnavailable for anything else.

    ``file`` is what errors call the file.
    """
    names = set(names)
    _require_plain(names, file)
    parts = {kind: _without(names, suffixes) for kind, suffixes in (("down", DOWN), ("up", UP), ("alpha", ALPHA))}
    known = {name for found in parts.values() for name in found.values()}
    if not parts["down"] and not parts["up"]:
        raise BackendUnavailable(f"{file} is not a LoRA: it has {some(names)}", fix="give a LoRA's .safetensors file")
    halves = {parts[kind][layer] for kind, other in _PAIRS for layer in parts[kind].keys() - parts[other].keys()}
    if odd := (names - known) | halves:
        raise BackendUnavailable(
            f"{file} has {len(odd)} tensors that belong to no layer of a LoRA: {some(odd)}",
            fix="export it again as a plain LoRA, or use another one",
        )
    return {
        layer: LayerKeys(down, parts["up"][layer], parts["alpha"].get(layer)) for layer, down in parts["down"].items()
    }


_PAIRS = (("down", "up"), ("up", "down"), ("alpha", "down"))


def _without(names: Iterable[str], suffixes: tuple[str, ...]) -> Mapping[str, str]:
    """Map what stands before one of the suffixes to the whole name."""
    found = ((name, next((end for end in suffixes if name.endswith(end)), None)) for name in names)
    return {name.removesuffix(suffix): name for name, suffix in found if suffix is not None}


def _require_plain(names: Iterable[str], file: str) -> None:
    for sign, kind in OTHER_KINDS.items():
        if found := [name for name in names if sign in name]:
            raise BackendUnavailable(
                f"{file} is {kind}, not a plain LoRA: it has {some(found)}", fix="use a plain LoRA in its place"
            )


def some(names: Iterable[str]) -> str:
    """List the first few names."""
    ordered = sorted(names)
    more = f" and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
    return (", ".join(ordered[:NAMED]) or "no tensors") + more
