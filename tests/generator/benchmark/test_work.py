"""The arithmetic that is counted is PyTorch's own count, whichever thread computes it and in however many bits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from streamer.generator.benchmark.work import Kind, Product, counted, tflop_by_kind
from streamer.generator.klein.quantize import FP8, EightBitLinear
from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.generator.pipelines.testing import make_pipeline

pytestmark = pytest.mark.torch


@torch.inference_mode()
def test_a_layer_counts_its_operations_and_the_bytes_of_its_weights() -> None:
    layer, convolution = nn.Linear(32, 16), nn.Conv2d(3, 8, 3, padding=1)
    with counted() as work:
        layer(torch.zeros(2, 5, 32))
        convolution(torch.zeros(1, 3, 4, 4))
    assert work == {
        Product(Kind.LINEAR, "float32", 2 * 10 * 32 * 16, 32 * 16 * 4): 1,
        Product(Kind.CONVOLUTION, "float32", 2 * 16 * 3 * 8 * 9, 3 * 8 * 9 * 4): 1,
    }


@pytest.mark.parametrize(("dtype", "name"), [(FP8, "fp8"), (torch.int8, "int8")])
@torch.inference_mode()
def test_an_eight_bit_layer_counts_as_what_its_card_would_compute(dtype: torch.dtype, name: str) -> None:
    block = nn.Sequential(EightBitLinear(torch.randn(16, 32), dtype, weight_only=False))
    with counted() as work:
        block(torch.randn(4, 32))
    assert work == {Product(Kind.LINEAR, name, 2 * 4 * 32 * 16, 32 * 16): 1}


def test_attention_with_fewer_heads_of_keys_than_of_queries_is_counted() -> None:
    class Attention(nn.Module):  # type: ignore[misc, unused-ignore]
        def forward(self, query: Any, key: Any) -> Any:
            return nn.functional.scaled_dot_product_attention(query, key, key, enable_gqa=True)

    with counted() as work:
        Attention()(torch.zeros(1, 8, 16, 32), torch.zeros(1, 2, 24, 32))
    assert tflop_by_kind(work) == {Kind.ATTENTION: pytest.approx(4 * 8 * 16 * 24 * 32 / 1e12)}


def test_what_another_thread_computes_is_counted_and_nothing_after_the_end() -> None:
    layer = nn.Linear(8, 8)
    with ThreadPoolExecutor(1) as pool, counted() as work:
        pool.submit(layer, torch.zeros(1, 8)).result()
    layer(torch.zeros(1, 8))
    assert sum(work.values()) == 1


def test_a_module_that_fails_does_not_leave_the_counting_on() -> None:
    class Failing(nn.Module):  # type: ignore[misc, unused-ignore]
        def forward(self, x: Any) -> Any:
            raise ValueError

    with counted() as work:
        with pytest.raises(ValueError):  # noqa: PT011
            Failing()(torch.zeros(1))
        torch.zeros(2, 2) @ torch.zeros(2, 2)
    assert not work


@pytest.mark.parametrize("family", ["sdxl", "sana"])
def test_a_pipeline_counts_at_least_what_pytorch_counts_of_it(family: str) -> None:
    pipeline = make_pipeline(family)
    job = PictureJob("a fox", 64, 64, 1, 4.5, 1)
    with counted() as work:
        call_pipeline(pipeline, job, lambda _step, _latents: None)
    with FlopCounterMode(display=False) as truth:
        call_pipeline(pipeline, job, lambda _step, _latents: None)
    # PyTorch has no formula for attention on the CPU, which is the rest.
    attention = sum(count * product.flops for product, count in work.items() if product.kind is Kind.ATTENTION)
    total = sum(count * product.flops for product, count in work.items())
    assert total - attention <= truth.get_total_flops() <= total
    assert sum(tflop_by_kind(work).values()) == pytest.approx(total / 1e12)
