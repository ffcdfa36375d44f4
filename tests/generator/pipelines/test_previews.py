"""Previews: what is predicted of the clean picture, never noise."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.generator.backend import Pixels
from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.generator.pipelines.previews import Previews, fit_colours
from streamer.generator.pipelines.testing import make_pipeline

pytestmark = pytest.mark.torch


def previews_of(family: str, steps: int) -> list[Pixels | None]:
    pipeline = make_pipeline(family)
    previews, shown = Previews(pipeline, fit_colours(pipeline.vae)), list[Pixels | None]()
    job = PictureJob("a fox", 96, 64, steps, 0.0, 7)
    call_pipeline(pipeline, job, lambda step, latents: shown.append(previews.after(step, latents)))
    return shown


def test_a_solver_that_keeps_its_prediction_shows_it_from_the_first_step() -> None:
    shown = previews_of("pixart", 3)
    assert [None if pixels is None else pixels.shape for pixels in shown] == [(8, 12, 3)] * 3


def test_a_flow_shows_nothing_before_two_steps_tell_where_it_leads() -> None:
    shown = previews_of("zimage", 3)
    assert shown[0] is None
    assert [pixels.shape for pixels in shown[1:] if pixels is not None] == [(8, 12, 3)] * 2


@pytest.mark.parametrize("family", ["sdxl", "sana"])
def test_a_solver_that_adds_noise_shows_nothing(family: str) -> None:
    assert previews_of(family, 2) == [None, None]


def test_a_flow_s_prediction_is_exact_where_the_path_is_straight() -> None:
    pipeline = make_pipeline("zimage")
    pipeline.scheduler.set_timesteps(sigmas=[1.0, 0.5], mu=1.0)
    before, now = (float(sigma) for sigma in pipeline.scheduler.sigmas[1:3])
    clean, noise = torch.rand(1, 16, 4, 4), torch.randn(1, 16, 4, 4)
    previews = Previews(pipeline, torch.cat([torch.zeros(16, 3), torch.zeros(1, 3)]))
    previews.after(0, (1 - before) * clean + before * noise)
    predicted = previews._clean(1, (1 - now) * clean + now * noise)
    assert predicted is not None
    torch.testing.assert_close(predicted, clean, atol=1e-4, rtol=1e-4)


def test_without_colours_there_are_no_previews() -> None:
    pipeline = make_pipeline("pixart")
    assert Previews(pipeline, None).after(0, torch.zeros(1, 4, 8, 8)) is None
