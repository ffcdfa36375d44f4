"""Eight-bit layers compute nearly what the layers they replace compute, and they are counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from torch import nn

from streamer.generator.klein.quantize import (
    FP8,
    EightBitLinear,
    Quantizer,
    count_eight_bit,
    quantize_to_eight_bits,
    weight_error,
)
from streamer.generator.klein.verify import relative_error

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(("kind", "bound"), [(FP8, 0.05), (torch.int8, 0.02)])
@pytest.mark.parametrize("weight_only", [False, True])
def test_a_layer_in_eight_bits_is_near_the_wide_one(kind: Any, bound: float, weight_only: bool) -> None:
    """For Gaussian weights and inputs the product errs by a few per cent at most."""
    torch.manual_seed(0)
    wide = nn.Linear(128, 64, bias=False).requires_grad_(False)
    x = torch.randn(2, 5, 128)
    small = EightBitLinear(wide.weight, kind, weight_only)
    assert small.weight.element_size() == 1
    assert small(x).shape == (2, 5, 64)
    assert relative_error(small(x), wide(x)) < bound


@pytest.mark.parametrize("kind", [FP8, torch.int8])
def test_rows_keep_their_own_scale(kind: Any) -> None:
    """A row a million times larger than its neighbour spoils nothing, and a row of zeros stays zeros."""
    x = torch.randn(3, 64) * torch.tensor([[1e-3], [1e3], [0.0]])
    values, scale = quantize_to_eight_bits(x, kind)
    back = values.float() * scale
    assert relative_error(back[0], x[0]) < 0.05
    assert relative_error(back[1], x[1]) < 0.05
    assert not back[2].any()


def test_the_product_goes_into_given_memory() -> None:
    """Two products can share one result, as the pairs of a double block do."""
    torch.manual_seed(0)
    small = EightBitLinear(torch.randn(32, 16), FP8, False)
    rows, scale = quantize_to_eight_bits(torch.randn(4, 16), FP8)
    out = torch.zeros(6, 32)
    small.matmul(rows, scale, torch.float32, out[2:])
    assert torch.equal(out[2:], small.matmul(rows, scale, torch.float32))
    assert not out[:2].any()


def test_every_large_layer_takes_effect(load_model: Callable[..., Any]) -> None:
    """All layers of all blocks, and of the text model, are in eight bits after loading; projections are fused."""
    quantizer = Quantizer(True, FP8)
    model = load_model(torch.bfloat16, quantizer)
    doubles, singles, layers = 2, 2, 27
    expected = doubles * (2 + 2 + 4) + singles * 2 + layers * 7
    assert quantizer.quantized == expected
    assert count_eight_bit(model.transformer, model.encoder) == expected
    assert isinstance(model.transformer.x_embedder, nn.Linear)
    assert not hasattr(model.transformer.transformer_blocks[0].attn, "to_q")


def test_a_layer_with_outliers_stays_wide() -> None:
    """Where one value takes the whole range, and the others round to almost nothing, the layer stays wide."""
    torch.manual_seed(0)
    block = nn.Sequential(nn.Linear(1024, 16, bias=False), nn.Linear(16, 16, bias=False)).requires_grad_(False)
    block[0].weight.normal_(0, 0.004)
    block[0].weight[:, 0] = 1.0
    assert weight_error(block[0].weight, EightBitLinear(block[0].weight, torch.int8, False)) > 0.05
    quantizer = Quantizer(False, torch.int8)
    quantizer(block)
    assert quantizer.kept_wide == ["Sequential.0"]
    assert quantizer.quantized == 1
    assert isinstance(block[0], nn.Linear)
    assert isinstance(block[1], EightBitLinear)
