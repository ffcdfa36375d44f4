"""The fused step is the stock step with eight-bit products, whatever kernels are between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.generator.klein.denoise import stock_velocity
from streamer.generator.klein.fused.ops import attend_with, reference_ops
from streamer.generator.klein.fused.transformer import FusedTransformer, can_fuse
from streamer.generator.klein.quantize import FP8, Quantizer
from streamer.generator.klein.shape_plan import plan_shape
from streamer.generator.klein.shapes import Shape
from streamer.generator.klein.verify import fill_fixed_noise, relative_error

pytestmark = pytest.mark.torch


def buffers_of(model: Any, shape: Shape) -> Any:
    plan = plan_shape(model, shape, None, stock_velocity(model.transformer), lambda latents: latents)
    plan.buffers.set_step(plan.schedule(model, 4), 1)
    fill_fixed_noise(plan.buffers)
    return plan.buffers


@pytest.mark.parametrize("kind", [FP8, torch.int8])
@pytest.mark.parametrize("reference", [None, (64, 80)])
def test_the_fused_step_gives_the_stock_velocity(
    load_model: Callable[..., Any], kind: Any, reference: tuple[int, int] | None
) -> None:
    """On the same eight-bit weights fused and stock differ by rounding, with and without a picture to edit."""
    model = load_model(torch.bfloat16, Quantizer(True, kind))
    buffers = buffers_of(model, Shape(96, 64, 64, reference))
    fused = FusedTransformer(model.transformer, reference_ops(), attend_with("sdpa"))
    with torch.inference_mode():
        assert relative_error(fused(buffers), stock_velocity(model.transformer)(buffers)) < 0.01


def test_a_layer_kept_wide_forbids_fusing(load_model: Callable[..., Any]) -> None:
    """One layer that is not in eight bits breaks the chain of kernels, and it is noticed."""
    assert can_fuse(load_model(torch.bfloat16, Quantizer(True, FP8)).transformer)
    assert not can_fuse(load_model(torch.bfloat16, Quantizer(True, None)).transformer)
    assert not can_fuse(load_model(torch.bfloat16, Quantizer(True, FP8, weight_only=True)).transformer)


def test_attention_in_fp8_stays_near(load_model: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With queries, keys and values in fp8, by scales that are computed ahead, the velocity stays within its bound."""
    monkeypatch.setattr("streamer.generator.klein.fused.transformer.FEW_ROWS", 0)
    model = load_model(torch.bfloat16, Quantizer(True, FP8))
    fused = FusedTransformer(model.transformer, reference_ops(), attend_with("sdpa"), fp8_attention=True)
    plan = plan_shape(model, Shape(96, 64, 64), None, fused, lambda latents: latents)
    plan.buffers.set_step(plan.schedule(model, 4), 1)
    fill_fixed_noise(plan.buffers)
    with torch.inference_mode():
        assert relative_error(fused(plan.buffers), stock_velocity(model.transformer)(plan.buffers)) < 0.03
