"""Diffusers pipelines on a GPU: every optimization is used and the pictures stay; graphs take changing inputs."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.generator.pipelines.captured import MOST_SHAPES, CapturedForward
from streamer.generator.pipelines.speed import SpeedUp
from streamer.generator.pipelines.testing import make_pipeline

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")]

CUDA = torch.device("cuda")
JOBS = {"sdxl": (2, 0.0), "pixart": (3, 4.5), "sana": (2, 4.5), "zimage": (3, 0.0)}


def draw(pipeline: Any, family: str, prompt: str = "a fox", seed: int = 7) -> Any:
    steps, guidance = JOBS[family]
    return call_pipeline(pipeline, PictureJob(prompt, 128, 64, steps, guidance, seed), lambda _step, _latents: None)


@pytest.mark.parametrize("family", JOBS)
def test_an_optimized_pipeline_draws_the_same_pictures(family: str) -> None:
    pipeline = make_pipeline(family, dtype=torch.float32, device="cuda")
    speed_up = SpeedUp(pipeline, CUDA)
    with speed_up.watching():
        before = [draw(pipeline, family), draw(pipeline, family, "two owls on a branch", 8)]
    while speed_up.steps_left:
        speed_up.next_step()
    print(family, speed_up.results)
    assert speed_up.results["graphs"].startswith("error")
    after = [draw(pipeline, family), draw(pipeline, family, "two owls on a branch", 8)]
    for one, other in zip(before, after, strict=True):
        assert float((one - other).abs().mean()) < 0.01
    speed_up.take_all_out()
    torch.testing.assert_close(draw(pipeline, family), before[0], atol=2e-2, rtol=2e-2)


@torch.no_grad()
def test_a_graph_follows_its_inputs_and_hands_out_copies() -> None:
    module = torch.nn.Linear(4, 4, device="cuda")
    captured = CapturedForward(module)
    given = [torch.rand(2, 4, device="cuda") for _ in range(3)]
    before = [module(one) for one in given]
    captured.put_in()
    after = [module(one) for one in given]
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other)


@torch.no_grad()
def test_more_shapes_than_are_captured_run_eagerly() -> None:
    module = torch.nn.Linear(4, 4, device="cuda")
    captured = CapturedForward(module)
    captured.put_in()
    for rows in range(1, MOST_SHAPES + 3):
        given = torch.rand(rows, 4, device="cuda")
        torch.testing.assert_close(module(given), torch.nn.functional.linear(given, module.weight, module.bias))
    assert len(captured._graphs) == MOST_SHAPES
