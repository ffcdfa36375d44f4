"""Models around random weights: nothing is downloaded, the files have the published sizes, and pictures come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.generator.benchmark import random_weights
from streamer.generator.models import shipped

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.generator.backend import StepCallback
from streamer.generator.backends import diffusers, klein
from streamer.generator.checkpoint_check import check_components, read_index
from streamer.generator.klein.testing import make_empty_checkpoint, read_randomly
from streamer.generator.klein.vram import weights_gb
from streamer.generator.pipelines.loading import Checkpoint
from streamer.generator.pipelines.testing import random_source
from tests.support.generation import request

pytestmark = pytest.mark.torch


def test_every_model_that_can_be_built_is_listed() -> None:
    assert {*random_weights.KLEIN, *random_weights.FAMILIES} <= set(shipped())


@pytest.mark.parametrize(("model", "gigabytes"), [("klein-4b", 14.0), ("klein-9b-kv", 30.5)])
def test_an_empty_checkpoint_is_as_large_as_the_published_one_and_takes_no_room(
    model: str, gigabytes: float, tmp_path: Path
) -> None:
    folder = Path(random_weights.model_for(model, tmp_path))
    check_components(read_index(folder))
    klein.check_files(klein.Options(model=str(folder)))
    assert weights_gb(folder) == pytest.approx(gigabytes, rel=0.05)
    assert sum(file.stat().st_blocks * 512 for file in folder.rglob("*")) < 10e6


def test_klein_draws_with_what_is_read_from_an_empty_checkpoint(tmp_path: Path) -> None:
    folder = make_empty_checkpoint(tmp_path, "tiny")
    backend = klein.create(klein.Options(model=str(folder), device="cpu", text_tokens=64), read_randomly)
    backend.load(lambda doing, share: None)
    *_, picture = backend.draw(request())
    assert not isinstance(picture, StepCallback)
    assert picture.pixels().std() > 5


def test_a_pipeline_of_a_listed_model_is_built_and_drawn_with_its_own_settings() -> None:
    source = random_source("sdxl", "tiny")
    backend = diffusers.create(diffusers.Options(model="sdxl-turbo", device="cpu"), source)
    backend.load(lambda doing, share: None)
    *steps, picture = backend.draw(request(steps=1))
    assert len(steps) == 1
    assert not isinstance(picture, StepCallback)
    assert picture.pixels().std() > 1
    assert backend.active()["model"] == "sdxl-turbo"


def test_the_stock_pipeline_is_built_in_the_precision_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random_weights, "KLEIN", {"klein-4b": "tiny"})
    source = random_weights.stock_source("klein-4b")
    checkpoint = source.find("klein-4b", lambda doing, share: None)
    assert checkpoint == Checkpoint("klein-4b", Path(), shipped()["klein-4b"])
    pipeline, in_parts = source.load(checkpoint, torch.device("cpu"), "bfloat16", 0.0)
    assert type(pipeline).__name__ == "Flux2KleinPipeline"
    assert pipeline.transformer.dtype is torch.bfloat16
    assert not in_parts
