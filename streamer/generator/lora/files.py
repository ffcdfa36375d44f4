"""Where a LoRA is, and what its file says of itself: names and shapes, read from the header alone.

This file imports nothing heavy: a LoRA that cannot be used is named before torch is imported.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import BackendUnavailable
from streamer.generator.checkpoint_check import check_file
from streamer.generator.lora.keys import LayerKeys, layers_of
from streamer.generator.model_name import HUB_ID, hub_id
from streamer.types import Lora

WHAT_TO_GIVE = "give a .safetensors file, or a hub id: owner/name, or owner/name/file.safetensors"
USUAL_NAME = "pytorch_lora_weights.safetensors"
"""How diffusers calls the file."""
SUFFIX = ".safetensors"
_ON_THE_HUB = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([^/?#]+/[^/?#]+)/(?:blob|resolve)/[^/]+/([^?#]+)(?:[?#].*)?"
)
_METADATA = "lora_adapter_metadata"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in a repository of the hub; without a name it is the only one there."""

    repository: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class LoraHeader:
    """The tensors' shapes by their names, grouped by layer, and the settings that diffusers writes beside them."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    layers: Mapping[str, LayerKeys]
    settings: Mapping[str, Any]

    def rank_of(self, layer: str) -> int:
        """Return the rank of one layer's change."""
        return self.shapes[self.layers[layer].down][0]

    def scale_of(self, layer: str, alpha: float | None) -> float:
        """Return what one layer's change is multiplied by; ``alpha`` is the file's own number for it, if it has one."""
        rank = self.rank_of(layer)
        if alpha is not None:
            return alpha / rank
        patterns = self.settings.get("alpha_pattern")
        found = _of_pattern(patterns if isinstance(patterns, dict) else {}, layer, self.settings.get("lora_alpha"))
        alpha = float(found) if isinstance(found, int | float) else rank
        return alpha / (math.sqrt(rank) if self.settings.get("use_rslora") else rank)


def locate(path: str) -> Path | HubFile:
    """Return the file here, or the one on the hub, that a LoRA's path means; raise BackendUnavailable for neither."""
    path = path.strip()
    here = Path(os.path.expanduser(path))  # Path.expanduser raises for a user who does not exist
    if path and here.is_file():
        return here
    if path and here.is_dir():
        return here / only_file([file.name for file in here.glob(f"*{SUFFIX}")], path)
    if page := _ON_THE_HUB.fullmatch(path):
        return HubFile(page[1], page[2])
    repository, name = hub_id(path), None
    if path.lower().endswith(SUFFIX):
        owner, model, name = [*path.split("/", 2), "", ""][:3]
        repository = f"{owner}/{model}"
    if not HUB_ID.fullmatch(repository) or name == "":
        raise BackendUnavailable(f"there is no file {path or '(the path is empty)'}", fix=WHAT_TO_GIVE)
    return HubFile(repository, name)


def only_file(names: Collection[str], where: str) -> str:
    """Return the file that is meant where several may be; raise BackendUnavailable if that is not clear."""
    if USUAL_NAME in names or len(names) == 1:
        return USUAL_NAME if USUAL_NAME in names else next(iter(names))
    if not names:
        raise BackendUnavailable(f"{where} has no {SUFFIX} file", fix=WHAT_TO_GIVE)
    first, *_ = ordered = sorted(names)
    raise BackendUnavailable(
        f"{where} has {len(names)} files: {', '.join(ordered)}", fix=f"name one of them, like {where}/{first}"
    )


def read_header(path: Path) -> LoraHeader:
    """Read what a file holds; raise BackendUnavailable if it is damaged or no plain LoRA."""
    if path.suffix.lower() != SUFFIX:
        raise BackendUnavailable(f"{path} is no {SUFFIX} file, and other formats can run code", fix=WHAT_TO_GIVE)
    check_file(path)
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    metadata = header.pop("__metadata__", None) or {}
    shapes = {name: tuple(entry["shape"]) for name, entry in header.items()}
    layers = layers_of(shapes, str(path))
    for keys in layers.values():
        down, up = shapes[keys.down], shapes[keys.up]
        if len(down) < 2 or len(up) < 2 or down[0] != up[1]:
            raise BackendUnavailable(
                f"{path}: {keys.down} is {list(down)} and {keys.up} is {list(up)}, which do not fit together",
                fix="download it again, or use another one",
            )
    return LoraHeader(path, shapes, layers, _settings(metadata))


def check_here(loras: Iterable[Lora]) -> None:
    """Raise BackendUnavailable that names the option of the first LoRA that is neither on the hub nor a good file."""
    for lora in loras:
        with named(lora):
            if isinstance(path := locate(lora.path), Path):
                read_header(path)


@contextmanager
def named(lora: Lora) -> Iterator[None]:
    """Put the option of config.yaml that names a LoRA before what is wrong with it."""
    try:
        yield
    except BackendUnavailable as error:
        problem = f"{lora.option}: {error.problem}" if lora.option else error.problem
        raise BackendUnavailable(problem, fix=error.fix) from error


def _settings(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return diffusers' settings of the denoiser's adapter, without the name of the network before each."""
    try:
        settings = json.loads(metadata.get(_METADATA) or "{}")
    except ValueError:
        settings = {}
    parts = [(name.partition("."), value) for name, value in settings.items()] if isinstance(settings, dict) else []
    return {name: value for (network, _, name), value in parts if network in ("transformer", "unet")}


def _of_pattern(patterns: Mapping[str, Any], layer: str, default: object) -> object:
    """Return the value of the first pattern that is a layer's name or the end of one; peft may put ^ before it."""
    return next((alpha for end, alpha in patterns.items() if f".{layer}".endswith(f".{end.lstrip('^')}")), default)
