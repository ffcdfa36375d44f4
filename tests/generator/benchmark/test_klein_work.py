"""Klein's arithmetic: what is counted without weights is what drawing computes, and what the log of speed says."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from streamer.generator.backend import StepCallback
from streamer.generator.backends import klein
from streamer.generator.benchmark import cards
from streamer.generator.benchmark.floor import Peak, floor_of
from streamer.generator.benchmark.klein_work import klein_work
from streamer.generator.benchmark.work import Kind, Work, counted, tflop_by_kind
from streamer.generator.klein.optimizations import Precision
from streamer.generator.klein.shapes import Shape, whole_patches
from streamer.generator.klein.testing import make_empty_checkpoint
from tests.support.generation import request

pytestmark = pytest.mark.torch


def eight_bit_share(work: Work) -> float:
    """Return which share of the linear layers' operations is in eight bits."""
    linear = {product: count * product.flops for product, count in work.items() if product.kind is Kind.LINEAR}
    return sum(flops for product, flops in linear.items() if product.dtype in ("fp8", "int8")) / sum(linear.values())


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_what_is_counted_is_what_drawing_computes(tiny: Path, precision: Precision) -> None:
    options = klein.Options(model=str(tiny), device="cpu", precision=precision, text_tokens=64, prompts_remembered=0)
    backend = klein.create(options)
    backend.load(lambda doing, share: None)
    list(backend.draw(request(steps=2)))  # the first one computes the schedule, which is remembered
    with counted() as drawn:
        *_, picture = backend.draw(request(steps=2))
    assert not isinstance(picture, StepCallback)
    alone = klein_work(tiny, Shape(*whole_patches(64, 48), 64), precision, 2)
    assert eight_bit_share(alone) == pytest.approx(eight_bit_share(drawn))
    assert tflop_by_kind(alone) == pytest.approx(tflop_by_kind(drawn))


def test_the_published_model_takes_what_the_log_of_speed_counts(tmp_path: Path) -> None:
    work = klein_work(make_empty_checkpoint(tmp_path, "4b"), Shape(1024, 1024, 512), "fp8", 4)
    tflop = tflop_by_kind(work)
    assert tflop["linear"] == pytest.approx(4 * 28.3 + 2.7, rel=0.01)
    assert tflop["attention"] == pytest.approx(4 * 6.5 + 0.5, rel=0.02)
    assert {product.dtype for product in work} == {"fp8", "bfloat16"}
    card = cards.find("NVIDIA H200", 150.7)
    assert card is not None
    floor = floor_of(work, Peak(card.tflops, card.gb_s, "", measured=False), attention="fp8")
    # 157 to 160 ms were measured, and 114 ms is the floor at the peaks that were measured.
    assert 75 < floor.ms < 114
