"""A LoRA's tensors as changes of weights, and how changes are merged into a weight.

Letters in shapes: m outputs, k inputs, r rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from safetensors import safe_open
from torch import Tensor

from streamer.generator.lora.files import LoraHeader
from streamer.generator.lora.flux2 import Flux2Layers

CHUNK_ROWS = 4096
"""How many rows of a weight are merged at once: 50 MB in float32 for the 4B."""


@dataclass(frozen=True, slots=True)
class LowRank:
    """What is added to some rows of a weight: ``scale`` x up [rows, r] x down [r, k]; ``first`` is the first row."""

    first: int
    up: Tensor
    down: Tensor
    scale: float

    def weighted(self, weight: float) -> LowRank:
        """Return the same, so much stronger."""
        return LowRank(self.first, self.up, self.down, self.scale * weight)

    def to(self, device: torch.device) -> LowRank:
        """Return the same on a device, in the type that merging computes in."""
        up, down = (tensor.to(device, torch.float32) for tensor in (self.up, self.down))
        return LowRank(self.first, up, down, self.scale)


LoraWeights = Mapping[str, tuple[LowRank, ...]]
"""The changes of each layer, by diffusers' name of it."""


def read_flux2(header: LoraHeader, layers: Flux2Layers) -> LoraWeights:
    """Read a LoRA whose every layer is one of ``layers``."""
    weights: dict[str, tuple[LowRank, ...]] = {}
    with safe_open(header.path, framework="pt") as file:
        for name, keys in header.layers.items():
            alpha = None if keys.alpha is None else float(file.get_tensor(keys.alpha))
            scale, up, down = header.scale_of(name, alpha), file.get_tensor(keys.up), file.get_tensor(keys.down)
            start = 0
            for rows in layers.find(name) or ():
                change = LowRank(rows.first, up[start : start + rows.count], down, scale)
                weights[rows.layer] = (*weights.get(rows.layer, ()), change)
                start += rows.count
    return weights


def merge(weight: Tensor, first: int, changes: Iterable[LowRank]) -> Tensor:
    """Return rows [n, k] of a weight, from row ``first`` on, with the changes added, in the type that they have."""
    wide = weight.float()
    if wide is weight:
        wide = weight.clone()
    for change in changes:
        start, end = max(first, change.first), min(first + len(weight), change.first + len(change.up))
        if start < end:
            up = change.up[start - change.first : end - change.first]
            wide[start - first : end - first].addmm_(up, change.down, alpha=change.scale)
    return wide.to(weight.dtype)


def merged_rows(weight: Tensor, changes: Sequence[LowRank], device: torch.device) -> Iterator[tuple[int, Tensor]]:
    """Yield a few rows at a time of a weight with changes, on the device, each with the number of its first row.

    Always the same rows, so that a merge has the same bits whenever it is done.
    """
    there = [change.to(device) for change in changes]
    for first in range(0, len(weight), CHUNK_ROWS):
        rows = weight[first : first + CHUNK_ROWS].to(device, non_blocking=True)
        yield first, merge(rows, first, there) if there else rows
