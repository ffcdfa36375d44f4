"""The chooser takes what was asked for, and else what it measured on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
import torch

from streamer.generator.backends.klein import Options
from streamer.generator.klein.choice import Chooser, eight_bit_dtype, measure
from streamer.generator.klein.optimizations import DeviceInfo, Optimizations
from streamer.generator.klein.quantize import FP8
from streamer.generator.klein.shapes import Shape

pytestmark = pytest.mark.torch

CPU, HERE = torch.device("cpu"), DeviceInfo("cpu", "CPU")


def quiet(doing: str, share: float) -> None:
    """Take a report of progress and do nothing with it."""


def test_a_fixed_precision_wins(checkpoint: Path, tmp_path: Path) -> None:
    """What the streamer wrote is not measured again, and nothing is remembered."""
    chooser = Chooser(Options(model=str(checkpoint), precision="bfloat16"), CPU, HERE, tmp_path)
    choice = chooser.choose(checkpoint, quiet)
    assert choice.optimizations == Optimizations(precision="bfloat16")
    assert choice.measured is None
    assert not any(tmp_path.iterdir())


def test_off_is_plain_torch(checkpoint: Path) -> None:
    """With every optimization off the precision is the device's own."""
    chooser = Chooser(Options(model=str(checkpoint), optimize="off"), CPU, HERE, None)
    assert chooser.choose(checkpoint, quiet).optimizations == Optimizations(precision="float32")


def test_a_precision_has_its_type() -> None:
    """The name says in which type weights are stored."""
    assert eight_bit_dtype("fp8-weights") is FP8
    assert eight_bit_dtype("int8") is torch.int8
    assert eight_bit_dtype("bfloat16") is None


def test_the_products_of_a_checkpoint_are_timed(checkpoint: Path) -> None:
    """Every precision that this processor can multiply in gets a time, and so does its attention."""
    measured = measure(checkpoint, ["int8-weights", "bfloat16"], HERE, CPU, kernels=False, shape=Shape(96, 64, 64))
    assert measured is not None
    assert set(measured.products) == {"int8-weights", "bfloat16"}
    assert all(taken > 0 for taken in (*measured.products.values(), *measured.attention.values()))
