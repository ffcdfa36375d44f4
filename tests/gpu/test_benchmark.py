"""The benchmark on a GPU: memory and floor are the card's own, and random weights go through the real loaders."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.generator.benchmark.measure import measure
from streamer.generator.benchmark.results import Case
from streamer.generator.klein.testing import make_checkpoint

pytestmark = [
    pytest.mark.gpu,
    # numpy's, about diffusers' tables of noise levels.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU"),
]


def test_a_tiny_klein_has_a_row_with_memory_and_a_floor_below_its_time(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "wide", "wide", dtype=torch.bfloat16)
    row = measure(Case(str(folder), "klein", 256, 256, "bfloat16", runs=3), lambda doing, share: None)
    assert row.device == torch.cuda.get_device_name(0)
    assert row.peak_gb is not None
    assert 0 < row.peak_gb < torch.cuda.get_device_properties(0).total_memory / 1e9
    assert row.floor is not None
    assert 0 < row.floor.ms < row.p50_ms


@pytest.mark.parametrize("stock", [False, True])
def test_a_full_size_model_with_random_weights_has_a_row(stock: bool) -> None:
    case = Case("sdxl-turbo", "diffusers", 512, 512, random=True, stock=stock, runs=3)
    row = measure(case, lambda doing, share: None)
    assert row.precision == ("float16" if stock else "bfloat16")
    assert row.peak_gb is not None
    assert 6 < row.peak_gb < 16
    if not stock:
        # The UNet takes 1.5 TFLOP at this size, the decoder 2.5, and both text encoders less than 0.3.
        assert 3.0 < sum(row.tflop.values()) < 5.0


def test_klein_of_the_published_size_is_built_without_a_download() -> None:
    row = measure(Case("klein-4b", "klein", 512, 512, random=True, runs=3), lambda doing, share: None)
    assert row.floor is not None
    assert 0.1 < row.floor.ms / row.p50_ms < 1.0
    assert row.peak_gb is not None
    assert row.peak_gb < 14
