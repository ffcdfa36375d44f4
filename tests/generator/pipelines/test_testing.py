"""The random checkpoints: each family is saved and loaded as its stock pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import DiffusionPipeline

from streamer.generator.pipelines.loading import denoiser_of
from streamer.generator.pipelines.testing import make_pipeline

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("family", ["flux2", "sdxl", "pixart", "sana", "zimage"])
def test_a_family_is_loaded_as_it_was_made(family: str, checkpoint_of: Callable[[str], Path]) -> None:
    made, loaded = make_pipeline(family), DiffusionPipeline.from_pretrained(checkpoint_of(family))
    assert type(loaded) is type(made)
    for one, other in zip(denoiser_of(made).parameters(), denoiser_of(loaded).parameters(), strict=True):
        torch.testing.assert_close(one, other)
