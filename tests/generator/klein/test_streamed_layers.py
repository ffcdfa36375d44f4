"""Layers whose weights stay on the host compute exactly what they computed before."""

from __future__ import annotations

import copy
from typing import Any

import pytest

pytest.importorskip("torch")
import torch
from torch import nn

from streamer.generator.klein.quantize import FP8, EightBitLinear, Quantizer
from streamer.generator.klein.streamed_layers import LayerStaging, adjacent, fetch_of, is_streamed

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")


class Layer(nn.Module):
    """Two projections of the same rows, a norm, and one on top."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(32, 32, bias=False), nn.Linear(32, 16, bias=False)
        self.norm = nn.LayerNorm(48)
        self.out = nn.Linear(48, 32, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Project, join, and project again."""
        joined = torch.cat([self.query(x), self.key(x)], dim=-1)
        projected: torch.Tensor = self.out(self.norm(joined))
        return projected


def layers(count: int, dtype: torch.dtype | None) -> list[Any]:
    torch.manual_seed(0)
    made = [Layer().requires_grad_(False) for _ in range(count)]
    for layer in made:
        Quantizer(False, dtype)(layer)
    return made


@pytest.mark.parametrize("dtype", [FP8, torch.int8, None])
@torch.inference_mode()
def test_each_layer_computes_with_its_own_weights(dtype: torch.dtype | None) -> None:
    """All layers share one piece of memory, and still every layer's result is the same to the last bit."""
    plain = layers(3, dtype)
    streamed, staging = copy.deepcopy(plain), LayerStaging(CPU, 9)
    for layer in streamed:
        staging.adopt(layer)
    x = y = torch.randn(1, 7, 32)
    for first, second in zip(plain, streamed, strict=True):
        x, y = first(x), second(y)
    assert torch.equal(x, y)


def test_the_layers_take_the_memory_of_one() -> None:
    """The weights of every layer lie at the same place; neighbours can be read as one matrix, strangers cannot."""
    streamed, staging = layers(3, FP8), LayerStaging(CPU, 9)
    for layer in streamed:
        staging.adopt(layer)
    places = {layer.query.weight.data_ptr() for layer in streamed}
    assert len(places) == 1
    assert adjacent([streamed[0].query.weight, streamed[0].key.weight])
    assert not adjacent([streamed[0].key.weight, streamed[0].query.weight])
    halves = torch.zeros(2, 8).unbind()
    assert adjacent(list(halves))
    assert not adjacent([halves[0].clone(), halves[1].clone()])
    assert isinstance(streamed[0].out, EightBitLinear)


def test_a_fetch_brings_the_weights() -> None:
    """Fused kernels read weights without calling the layer, so they fetch them first."""
    plain = layers(2, FP8)
    streamed, staging = copy.deepcopy(plain), LayerStaging(CPU, 9)
    for layer in streamed:
        staging.adopt(layer)
    for first, second in zip(plain, streamed, strict=True):
        fetch_of(second)()
        assert torch.equal(first.query.weight.view(torch.uint8), second.query.weight.view(torch.uint8))


def test_a_layer_that_is_all_there_needs_no_fetch() -> None:
    """Its fetch does nothing, and an encoder of such layers is not streamed."""
    plain = layers(1, FP8)
    before = plain[0].query.weight.clone()
    fetch_of(plain[0])()
    assert torch.equal(before.view(torch.uint8), plain[0].query.weight.view(torch.uint8))
    encoder = nn.Module()
    encoder.layers = nn.ModuleList(plain)
    assert not is_streamed(encoder)
    LayerStaging(CPU, 9).adopt(plain[0])
    assert is_streamed(encoder)


def test_only_as_many_layers_as_asked_are_moved() -> None:
    """The others keep their weights where they are."""
    made, staging = layers(3, FP8), LayerStaging(CPU, 1)
    for layer in made:
        staging.adopt(layer)
    assert [hasattr(layer, "fetch") for layer in made] == [True, False, False]
