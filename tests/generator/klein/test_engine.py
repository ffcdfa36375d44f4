"""The engine draws what the stock pipeline draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from PIL import Image

from streamer.errors import BackendError
from streamer.generator.backend import StepCallback
from streamer.generator.klein.engine import (
    MAX_AD_HOC_PLANS,
    EngineJob,
)
from streamer.generator.klein.reference_image import reference_size
from streamer.generator.klein.vae import tokens_to_latents
from streamer.generator.klein.verify import relative_error

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
JOB = EngineJob("a fox in the snow, wide shot", 96, 64, seed=5)


def latents_of(engine: Any, job: EngineJob) -> Any:
    """Draw, and return the latents that the VAE decodes."""
    for _ in engine.draw(job):
        pass
    buffers = engine.plan_for(engine.shape_of(job)).buffers
    return tokens_to_latents(engine.model.vae, buffers.latents, buffers.shape.rows, buffers.shape.columns)


def pixels_of(engine: Any, job: EngineJob) -> Any:
    *_, picture = engine.draw(job)
    return picture.pixels()


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (64, 128), (160, 96)])
def test_latents_equal_stock_in_float32(make_engine: Make, stock: Make, size: tuple[int, int]) -> None:
    """At every size the latents are those of the stock pipeline, to the last few bits."""
    job = replace(JOB, width=size[0], height=size[1])
    assert relative_error(latents_of(make_engine(), job), stock(job, output="latent")) < 1e-6


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_any_number_of_steps_equals_stock(make_engine: Make, stock: Make, steps: int) -> None:
    """The schedule is the stock one for every number of steps."""
    job = replace(JOB, steps=steps)
    assert relative_error(latents_of(make_engine(), job), stock(job, output="latent")) < 1e-6


@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_latents_equal_stock_in_bfloat16(make_engine: Make, stock: Make, size: tuple[int, int]) -> None:
    """Even in bfloat16 every number is rounded as in the stock pipeline."""
    job = replace(JOB, width=size[0], height=size[1])
    mine = latents_of(make_engine(torch.bfloat16), job)
    assert relative_error(mine, stock(job, torch.bfloat16, "latent")) < 1e-3


def test_pixels_equal_stock(make_engine: Make, stock: Make) -> None:
    """The picture is the stock one; a level of difference may come from rounding on the way to bytes."""
    assert np.abs(pixels_of(make_engine(), JOB).astype(int) - stock(JOB)).max() <= 1


@pytest.mark.parametrize("size", [(64, 64), (80, 112), (200, 120)])
def test_an_edit_equals_stock(make_engine: Make, stock: Make, size: tuple[int, int]) -> None:
    """With a picture to edit the latents are those of the stock pipeline given the same reduced picture."""
    noise = np.random.default_rng(3).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize(size)
    engine = make_engine()
    reduced = picture.resize(reference_size(*size, 64), Image.Resampling.LANCZOS)
    mine = latents_of(engine, replace(JOB, reference=picture))
    assert relative_error(mine, stock(JOB, output="latent", image=reduced)) < 1e-5
    assert relative_error(mine, stock(JOB, output="latent")) > 1e-3


def test_one_step_after_another_then_the_picture(make_engine: Make) -> None:
    """Four steps with previews of one pixel per token come before the picture."""
    *steps, picture = make_engine().draw(JOB)
    assert [(step.step, step.steps) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(step.pixels.shape == (4, 6, 3) for step in steps)
    assert (picture.width, picture.height) == (96, 64)
    assert picture.pixels().shape == (64, 96, 3)


def test_previews_change_nothing(make_engine: Make) -> None:
    """A picture is the same with and without previews, and without them the steps carry no pixels."""
    quiet = make_engine(previews=False)
    assert np.array_equal(pixels_of(make_engine(), JOB), pixels_of(quiet, JOB))
    assert all(step.pixels is None for step in quiet.draw(JOB) if isinstance(step, StepCallback))


def test_the_same_seed_draws_the_same_picture(make_engine: Make) -> None:
    """A seed decides everything, whatever was drawn before."""
    engine = make_engine()
    first = pixels_of(engine, JOB)
    other = pixels_of(engine, replace(JOB, seed=6))
    assert not np.array_equal(first, other)
    assert np.array_equal(first, pixels_of(engine, JOB))


def test_cancelling_leaves_nothing_behind(make_engine: Make) -> None:
    """A picture that was stopped after any step does not show in the next one."""
    engine = make_engine()
    clean = pixels_of(engine, JOB)
    for stop_after in (1, 2, 3):
        drawing = engine.draw(replace(JOB, prompt="something else", seed=9))
        for _ in range(stop_after):
            next(drawing)
        drawing.close()
        assert np.array_equal(pixels_of(engine, JOB), clean)


def test_an_edit_does_not_show_in_the_next_picture(make_engine: Make) -> None:
    """A picture drawn after an edit of the same size is as if there had been none."""
    engine = make_engine()
    clean = pixels_of(engine, JOB)
    pixels_of(engine, replace(JOB, reference=Image.new("RGB", (64, 64), "red")))
    assert np.array_equal(pixels_of(engine, JOB), clean)


def test_a_known_prompt_is_not_encoded_again(make_engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoder runs once for a prompt that returns, and the picture is the same."""
    engine = make_engine()
    runs: list[int] = []
    encode = engine.encode

    def count() -> None:
        runs.append(1)
        encode()

    monkeypatch.setattr(engine, "encode", count)
    first = pixels_of(engine, JOB)
    assert np.array_equal(first, pixels_of(engine, JOB))
    assert len(runs) == 1


def test_a_finished_picture_outlives_the_next(make_engine: Make) -> None:
    """The pixels of a picture stay while another is drawn into the same memory."""
    engine = make_engine()
    *_, picture = engine.draw(JOB)
    before = picture.pixels().copy()
    pixels_of(engine, replace(JOB, seed=6))
    assert np.array_equal(picture.pixels(), before)


def test_nan_is_a_fault_and_no_picture(make_engine: Make) -> None:
    """A NaN raises a BackendError."""
    engine = make_engine()
    engine.model.transformer.proj_out.weight.data[0, 0] = float("nan")
    with pytest.raises(BackendError, match="overflowed"):
        pixels_of(engine, JOB)


def test_a_deadline_ends_a_picture(make_engine: Make) -> None:
    """A picture that takes too long is given up between two steps."""
    with pytest.raises(BackendError, match="longer than"):
        pixels_of(make_engine(deadline_s=0.0), JOB)


def test_unannounced_shapes_are_kept_few(make_engine: Make) -> None:
    """Many odd sizes take no more memory than a few."""
    engine = make_engine()
    for width in range(64, 64 + 16 * (MAX_AD_HOC_PLANS + 3), 16):
        pixels_of(engine, replace(JOB, width=width))
    assert len(engine._ad_hoc_plans) == MAX_AD_HOC_PLANS
