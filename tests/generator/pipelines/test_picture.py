"""Each step is handed over until the time is up, and a picture becomes bytes unless its numbers overflowed."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.errors import BackendError
from streamer.generator.backend import StepCallback
from streamer.generator.pipelines.calls import PictureJob
from streamer.generator.pipelines.picture import step_reporter, to_bytes
from streamer.generator.pipelines.previews import Previews
from streamer.generator.pipelines.steps import CallThread, Steps
from streamer.generator.pipelines.testing import make_pipeline

pytestmark = pytest.mark.torch

JOB = PictureJob("a fox", 64, 64, 3, 0.0, 7)


def test_steps_are_counted_from_one() -> None:
    previews = Previews(make_pipeline("sdxl"), None)

    def call(steps: Steps[Any]) -> str:
        report = step_reporter(JOB, steps, previews, deadline_s=60)
        for step in range(2):
            report(step, torch.zeros(1, 4, 8, 8))
        return "done"

    thread = CallThread()
    drawing: Generator[Any, None, None] = thread.steps(call)
    assert list(drawing) == [StepCallback(1, 3, None), StepCallback(2, 3, None), "done"]
    thread.close()


def test_a_picture_past_its_time_ends() -> None:
    report = step_reporter(JOB, None, Previews(make_pipeline("sdxl"), None), deadline_s=-1)
    with pytest.raises(BackendError, match="took longer than -1 s"):
        report(0, torch.zeros(1, 4, 8, 8))


def test_a_picture_is_clamped_and_rounded() -> None:
    picture = torch.tensor([-1.0, 0.499, 2.0]).view(3, 1, 1)
    assert to_bytes(picture, "diffusers", "bfloat16").tolist() == [[[0, 127, 255]]]


def test_numbers_that_overflow_name_the_option() -> None:
    with pytest.raises(BackendError, match="overflowed") as caught:
        to_bytes(torch.full((3, 1, 1), float("inf")), "diffusers", "bfloat16")
    assert "generator.backends.diffusers.precision to bfloat16" in str(caught.value)
