"""What each family's call is given, and what comes back."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from PIL import Image

from streamer.generator.pipelines.calls import PictureJob, call_pipeline, can_edit, editor_of, prompt_fits
from streamer.generator.pipelines.testing import make_pipeline

pytestmark = pytest.mark.torch

JOBS = {
    "sdxl": PictureJob("a fox", 96, 64, 2, 0.0, 7),
    "pixart": PictureJob("a fox", 96, 64, 3, 4.5, 7),
    "sana": PictureJob("a fox", 96, 64, 2, 4.5, 7),
    "zimage": PictureJob("a fox", 96, 64, 3, 0.0, 7),
}


def steps_of(pipeline: object, job: PictureJob) -> tuple[torch.Tensor, list[int]]:
    seen: list[int] = []
    return call_pipeline(pipeline, job, lambda step, _latents: seen.append(step)), seen


@pytest.mark.parametrize("family", JOBS)
def test_a_seed_is_a_picture_and_every_step_is_told(family: str) -> None:
    pipeline = make_pipeline(family)
    first, seen = steps_of(pipeline, JOBS[family])
    again, _ = steps_of(pipeline, JOBS[family])
    other, _ = steps_of(pipeline, replace(JOBS[family], seed=8))
    assert first.shape == (3, 64, 96)
    assert seen == list(range(JOBS[family].steps))
    torch.testing.assert_close(first, again)
    assert not torch.equal(first, other)


def test_another_number_of_steps_than_its_own_is_drawn_by_sana_too() -> None:
    _, seen = steps_of(make_pipeline("sana"), replace(JOBS["sana"], steps=4))
    assert seen == [0, 1, 2, 3]


def test_the_models_own_noise_levels_are_used_for_its_own_number_of_steps() -> None:
    pipeline, job = make_pipeline("zimage"), replace(JOBS["zimage"], sigmas=(1.0, 0.9, 0.1))
    own, _ = steps_of(pipeline, job)
    usual, _ = steps_of(pipeline, JOBS["zimage"])
    assert not torch.equal(own, usual)
    _, seen = steps_of(pipeline, replace(job, steps=2))
    assert seen == [0, 1]


@pytest.mark.parametrize(("family", "edits"), [("sdxl", True), ("zimage", True), ("pixart", False), ("sana", False)])
def test_diffusers_says_which_families_change_a_picture(family: str, edits: bool) -> None:
    assert can_edit(make_pipeline(family)) is edits


@pytest.mark.parametrize("strength", [0.3, 0.6, 1.0])
def test_an_edit_runs_as_many_steps_as_are_asked_for_however_little_it_may_change(strength: float) -> None:
    pipeline = make_pipeline("sdxl")
    red = Image.new("RGB", (40, 40), "red")
    job = replace(JOBS["sdxl"], reference=red, strength=strength)
    edited, seen = steps_of(pipeline, job)
    assert len(seen) == 2
    assert edited.shape == (3, 64, 96)
    assert not torch.equal(edited, steps_of(pipeline, replace(job, reference=Image.new("RGB", (40, 40), "blue")))[0])


def test_an_editor_shares_the_parts() -> None:
    pipeline = make_pipeline("sdxl")
    assert editor_of(pipeline).unet is pipeline.unet


@pytest.mark.parametrize("family", ["sdxl", "pixart", "sana", "zimage"])
def test_a_prompt_fits_if_the_longest_tokenizer_reads_all_of_it(family: str) -> None:
    pipeline = make_pipeline(family)
    accepted = inspect.signature(pipeline.__call__).parameters
    asked = accepted["max_sequence_length"].default if "max_sequence_length" in accepted else 77
    limit = min(pipeline.tokenizer.model_max_length, asked)
    pipeline.tokenizer.chat_template = None
    fitting = [length for length in range(1, 700) if prompt_fits(pipeline, "a" * length)]
    tokens = [len(pipeline.tokenizer("a" * length)["input_ids"]) for length in (fitting[-1], fitting[-1] + 1)]
    assert tokens[0] <= limit < tokens[1]


def test_a_chat_template_takes_its_share_of_the_tokens() -> None:
    pipeline = make_pipeline("zimage")
    without = pipeline.tokenizer
    assert without.chat_template
    assert not prompt_fits(pipeline, "a" * 500)
    without.chat_template = None
    assert prompt_fits(pipeline, "a" * 500)
