"""What a step computes is read from the model itself, and each product is timed in each precision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
import torch
from torch import nn

from streamer.generator.klein.loading import blank_transformer
from streamer.generator.klein.product_timing import (
    Product,
    Run,
    Workload,
    time_attention,
    time_products,
    timer_for,
    workload_of,
)
from streamer.generator.klein.shapes import Shape

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
SHAPE = Shape(96, 64, 64)
SMALL = Workload((Product(32, 64, 128, 3), Product(16, 128, 64, 2)), tokens=32, heads=2, blocks=4)


def count(runs: Sequence[Run]) -> list[float]:
    """Run each function once and say that it took one millisecond."""
    for run in runs:
        run()
    return [1.0] * len(runs)


def test_every_product_of_the_blocks_is_counted(checkpoint: Path) -> None:
    """The arithmetic that was noted is the arithmetic that the linear layers of the blocks do."""
    transformer = blank_transformer(checkpoint)
    layers = [
        module
        for block in (*transformer.transformer_blocks, *transformer.single_transformer_blocks)
        for module in block.modules()
        if isinstance(module, nn.Linear)
    ]
    weights = sum(layer.in_features * layer.out_features for layer in layers)
    workload = workload_of(transformer, SHAPE)
    assert sum(product.inputs * product.outputs * product.count for product in workload.products) == weights
    assert {product.rows for product in workload.products} == {SHAPE.text_tokens, SHAPE.image_tokens, SHAPE.tokens}
    assert workload.blocks == 4


def test_products_count_as_often_as_a_step_has_them() -> None:
    """Five products of a millisecond each are five milliseconds."""
    times = time_products(SMALL, ["int8-weights", "bfloat16"], CPU, count, kernels=False)
    assert times == {"int8-weights": 5.0, "bfloat16": 5.0}


def test_attention_counts_once_a_block() -> None:
    """An implementation that this device lacks is left out."""
    assert time_attention(SMALL, ["sdpa", "cudnn"], CPU, count) == {"sdpa": 4.0}


def test_the_clock_of_the_host_times_runs_in_turns() -> None:
    """Each function runs equally often, and gets a time of its own."""
    ran: list[str] = []
    times = timer_for(CPU)([lambda: ran.append("a"), lambda: ran.append("b")])
    assert ran == ["a", "b"] * (len(ran) // 2)
    assert len(times) == 2
