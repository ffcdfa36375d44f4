"""Where a network keeps a layer's weight: in the layer itself, in a fused projection, or in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from streamer.generator.klein.quantize import MAX_WEIGHT_ERROR, MIN_SCALE, EightBitLinear

_FUSED = {
    "to_q": ("to_qkv",), "to_k": ("to_qkv", "to_kv"), "to_v": ("to_qkv", "to_kv"),
    "add_q_proj": ("to_added_qkv",), "add_k_proj": ("to_added_qkv",), "add_v_proj": ("to_added_qkv",),
}  # fmt: skip
"""The projections that diffusers may join a layer into: query, key and value, in this order."""


@dataclass(frozen=True, slots=True)
class Place:
    """A module that holds a layer's weight, from row ``first`` on."""

    module: nn.Module
    first: int

    def write(self, rows: Tensor, start: int) -> None:
        """Overwrite rows [n, k] of the layer, from its row ``start`` on, where they lie; nothing moves in memory."""
        if isinstance(self.module, EightBitLinear):
            self.module.set_rows(self.first + start, rows)
            return
        weight: Tensor = self.module.weight.data
        part = weight[self.first + start : self.first + start + len(rows)]
        part.copy_(rows.view(part.shape))

    def holds(self, rows: Tensor, start: int) -> bool:
        """Tell whether eight bits hold these rows as closely as they must, where the layer is kept in them."""
        if not isinstance(self.module, EightBitLinear):
            return True
        first = self.first + start
        stored = self.module.dequantize_rows(slice(first, first + len(rows)))
        error = (stored - rows.float()).norm() / rows.float().norm().clamp(min=MIN_SCALE)
        return float(error) <= MAX_WEIGHT_ERROR[self.module.quantized_dtype]


def places_of(network: nn.Module, layer: str, count: int) -> Iterator[Place]:
    """Yield every place of a layer with ``count`` outputs, by diffusers' name of it."""
    path, _, leaf = layer.rpartition(".")
    owner = network.get_submodule(path)
    if isinstance(module := getattr(owner, leaf, None), nn.Module):
        yield Place(module, 0)
    for fused in _FUSED.get(leaf, ()):
        joined = getattr(owner, fused, None)
        if isinstance(joined, nn.Module):
            yield Place(joined, _first_row(leaf, count, int(joined.out_features)))


def _first_row(leaf: str, count: int, total: int) -> int:
    """Return where a layer begins in a joined projection: keys and values are as long as each other and come last."""
    if leaf.startswith(("to_q", "add_q")):
        return 0
    return total - (2 if leaf.startswith(("to_k", "add_k")) else 1) * count
