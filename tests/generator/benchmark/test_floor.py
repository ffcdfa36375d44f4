"""Floors by hand, and peaks that are measured where the table does not know the device."""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("torch")

import torch

from streamer.generator.benchmark import cards, floor
from streamer.generator.benchmark.floor import Peak, floor_of, floor_on, peak_of
from streamer.generator.benchmark.work import Kind, Product

pytestmark = pytest.mark.torch

H100 = Peak({"bfloat16": 989.0, "fp8": 1979.0}, 3350.0, "peak published for this card", measured=False)


def test_a_product_takes_its_arithmetic_or_the_reading_of_its_weights() -> None:
    computing = Product(Kind.LINEAR, "bfloat16", int(989e9), 1)
    reading = Product(Kind.LINEAR, "fp8", 1, int(3350e6))
    found = floor_of(Counter({computing: 3, reading: 2}), H100)
    assert found.ms == pytest.approx(3 * 1 + 2 * 1)
    assert (found.source, found.measured) == (H100.source, False)


def test_attention_takes_the_rate_of_the_type_in_which_it_is_multiplied() -> None:
    work = Counter({Product(Kind.ATTENTION, "bfloat16", int(989e9)): 1})
    assert floor_of(work, H100).ms == pytest.approx(1.0)
    assert floor_of(work, H100, attention="fp8").ms == pytest.approx(989 / 1979)


def test_the_four_billion_klein_needs_what_the_log_of_speed_says() -> None:
    # docs/SPEED.md: one step at 1024x1024 is 28.3 and 6.5 TFLOP, and 4 steps of it 31.5 ms or more.
    step = Counter({Product(Kind.LINEAR, "fp8", int(28.3e12)): 4, Product(Kind.ATTENTION, "bfloat16", int(6.5e12)): 4})
    assert 60 < floor_of(step, H100, attention="fp8").ms < floor_of(step, H100).ms < 4 * 31.5


def test_another_card_takes_its_own_best_type_and_says_so() -> None:
    work = Counter({Product(Kind.LINEAR, "fp8", int(624e9)): 2, Product(Kind.ATTENTION, "bfloat16", int(312e9), 1): 3})
    found = floor_on(cards.named("A100-SXM4-80GB"), work, attention="fp8")
    assert found is not None
    assert found.ms == pytest.approx(2 + 3)
    assert found.source == "peak published for that card, fp8 as int8"
    assert floor_on(cards.named("H200"), Counter({Product(Kind.LINEAR, "float64", 1): 1})) is None


def test_an_unknown_device_is_measured_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "CPU_SIDE", 128)
    monkeypatch.setattr(floor, "CPU_COPY", 2**20)
    found = peak_of(torch.device("cpu"), {"float32", "fp8", "float64"})
    assert found.measured
    assert "measured here" in found.source
    assert set(found.tflops) == {"float32", "fp8", "float64"}
    assert all(rate > 0 for rate in (*found.tflops.values(), found.gb_s))
