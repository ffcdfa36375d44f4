"""An optimization stays only if it computes the same; a wrong or a failing one is taken out again."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.generator.pipelines import speed
from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.generator.pipelines.speed import (
    Optimization,
    SpeedUp,
    relative_error,
    repeated_blocks,
    text_encoders_of,
)
from streamer.generator.pipelines.testing import make_pipeline

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")


def draw(pipeline: Any) -> torch.Tensor:
    return call_pipeline(pipeline, PictureJob("a fox", 64, 64, 2, 0.0, 7), lambda _step, _latents: None)


def watched(pipeline: Any, without: tuple[str, ...] = ()) -> SpeedUp:
    speed_up = SpeedUp(pipeline, CPU, without)
    with speed_up.watching():
        draw(pipeline)
    return speed_up


def test_fused_projections_compute_the_same_and_stay() -> None:
    pipeline = make_pipeline("sdxl")
    before, speed_up = draw(pipeline), watched(pipeline)
    assert speed_up.next_step() == "fused_qkv"
    assert speed_up.results["fused_qkv"].startswith("error")
    assert speed_up.steps_left == 0
    torch.testing.assert_close(draw(pipeline), before, atol=1e-3, rtol=1e-3)
    speed_up.take_all_out()
    torch.testing.assert_close(draw(pipeline), before)


def test_what_is_switched_off_is_not_tried() -> None:
    assert watched(make_pipeline("sdxl"), ("fused_qkv",)).steps_left == 0


@pytest.mark.parametrize("fault", ["wrong", "failing"])
def test_what_does_not_compute_the_same_is_taken_out(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = make_pipeline("sdxl")
    before, out = draw(pipeline), pipeline.unet.conv_out.weight

    def spoil() -> None:
        out.data.mul_(2)
        if fault == "failing":
            raise RuntimeError("no such instruction")

    def mend() -> None:
        out.data.div_(2)

    wrong = Optimization("compile", [pipeline.unet], spoil, mend)
    monkeypatch.setattr(speed, "_planned", lambda pipeline, device: [wrong])
    speed_up = watched(pipeline)
    speed_up.next_step()
    assert speed_up.results["compile"].startswith("wrong by" if fault == "wrong" else "failed: RuntimeError")
    torch.testing.assert_close(draw(pipeline), before)


def test_a_lost_device_is_no_matter_of_one_optimization(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = make_pipeline("sdxl")

    def lose() -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    monkeypatch.setattr(
        speed, "_planned", lambda pipeline, device: [Optimization("compile", [pipeline.unet], lose, lambda: None)]
    )
    with pytest.raises(RuntimeError, match="CUDA error"):
        watched(pipeline).next_step()


def test_an_error_that_is_no_number_is_infinite() -> None:
    assert relative_error(torch.tensor([float("nan")]), torch.ones(1)) == float("inf")
    assert relative_error(torch.tensor([1.1]), torch.ones(1)) == pytest.approx(0.1)


@pytest.mark.filterwarnings("ignore:Torchinductor:UserWarning")
def test_compiled_blocks_and_decoder_compute_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = make_pipeline("zimage")
    planned = [speed._compiled_blocks(pipeline.transformer), speed._compiled_decoder(pipeline.vae.decoder)]
    monkeypatch.setattr(speed, "_planned", lambda pipeline, device: planned)
    before, speed_up = draw(pipeline), watched(pipeline)
    while speed_up.steps_left:
        speed_up.next_step()
    assert [result.partition(" ")[0] for result in speed_up.results.values()] == ["error", "error"]
    torch.testing.assert_close(draw(pipeline), before, atol=5e-3, rtol=5e-3)
    speed_up.take_all_out()
    torch.testing.assert_close(draw(pipeline), before)


def test_the_blocks_that_repeat_are_found_where_diffusers_names_them_and_where_it_does_not() -> None:
    pixart, sdxl = make_pipeline("pixart").transformer, make_pipeline("sdxl").unet
    assert repeated_blocks(pixart) == list(pixart.transformer_blocks)
    assert {type(block).__name__ for block in repeated_blocks(sdxl)} == set(sdxl._repeated_blocks)


def test_every_network_that_reads_the_prompt_is_listed() -> None:
    sdxl = make_pipeline("sdxl")
    assert text_encoders_of(sdxl) == [sdxl.text_encoder, sdxl.text_encoder_2]
    assert len(text_encoders_of(make_pipeline("pixart"))) == 1
