"""The diffusers backend as the generator process uses it: on the CPU, with tiny checkpoints of every family."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import DiffusionPipeline
from PIL import Image

from streamer.errors import BackendError, BackendUnavailable, Unsupported
from streamer.generator.backend import StepCallback
from streamer.generator.backends import diffusers
from streamer.generator.klein.optimizations import DeviceInfo
from streamer.generator.pipelines import backend as backend_module
from streamer.generator.pipelines.calls import call_pipeline
from streamer.generator.pipelines.options import OptimizationName
from streamer.types import Actor, ImageRequest, Lane, Lora, RequestKind, Role, SamplingParams
from tests.support.pixart_lora import pixart_lora

pytestmark = pytest.mark.torch

FAMILIES = {"sdxl": (2, 0.0), "pixart": (3, 4.5), "sana": (2, 4.5), "zimage": (3, 0.0)}
"""Steps and guidance."""


@pytest.fixture
def make(checkpoint_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Make a loaded and warmed backend."""
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path))

    def made(family: str, **options: Any) -> Any:
        made_ = diffusers.create(diffusers.Options(model=str(checkpoint_of(family)), device="cpu", **options))
        made_.load(lambda doing, share: None)
        made_.warm_up(((96, 64),), lambda doing, share: None)
        return made_

    return made


def request(family: str, reference: bytes | None = None, width: int = 96, height: int = 64) -> ImageRequest:
    steps, guidance = FAMILIES[family]
    kind = RequestKind.BACKGROUND if reference is None else RequestKind.EDIT
    return ImageRequest(
        "1", "bg", kind, "background", "a fox", "a fox", SamplingParams(width, height, steps, guidance, 7),
        Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9, reference=reference,
    )  # fmt: skip


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_picture_is_the_stock_pipeline_s(
    family: str, make: Callable[..., Any], checkpoint_of: Callable[[str], Path]
) -> None:
    backend = make(family)
    while backend.idle(lambda doing, share: None):
        pass
    *steps, picture = backend.draw(request(family))
    steps_wanted, guidance = FAMILIES[family]
    assert [(item.step, item.steps) for item in steps] == [(n + 1, steps_wanted) for n in range(steps_wanted)]
    stock = DiffusionPipeline.from_pretrained(checkpoint_of(family))
    more = {"use_resolution_binning": False, "clean_caption": False} if family in ("pixart", "sana") else {}
    theirs = stock(
        prompt="a fox", width=96, height=64, num_inference_steps=steps_wanted, guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(7), output_type="np", **more,
    ).images[0]  # fmt: skip
    assert picture.pixels().shape == (64, 96, 3)
    assert np.abs(picture.pixels() - theirs * 255).max() <= 1.01
    backend.close()


def test_styles_and_the_sessions_loras_are_drawn_with(
    checkpoint_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A style differs and leaves nothing behind, whatever was optimized meanwhile; the status names both kinds."""
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path))
    (always, ink) = (pixart_lora(tmp_path / f"{name}.safetensors", seed) for seed, name in enumerate(("always", "ink")))
    style = Lora(str(ink), 0.5, "styles.ink.lora")
    backend: Any = diffusers.create(
        diffusers.Options(model=str(checkpoint_of("pixart")), device="cpu", lora={"path": str(always), "weight": 0.5})
    )
    backend.expect_loras([style])
    backend.load(lambda doing, share: None)
    backend.warm_up(((96, 64),), lambda doing, share: None)
    plain, styled = request("pixart"), replace(request("pixart"), loras=(style,))
    pictures = [last(backend.draw(wanted)) for wanted in (plain, styled, plain)]
    while backend.idle(lambda doing, share: None):
        pass
    pictures += [last(backend.draw(wanted)) for wanted in (styled, plain)]
    assert np.array_equal(pictures[0], pictures[2])
    assert not np.array_equal(pictures[0], pictures[1])
    for early, late in ((1, 3), (0, 4)):
        assert np.abs(pictures[early].astype(int) - pictures[late]).max() <= 1
    assert backend.active()["loras"] == f"{always} x 0.5"
    assert backend.active()["style_loras"].startswith("styles.ink.lora in ")
    with pytest.raises(BackendError, match="the LoRA a/b is not loaded"):
        last(backend.draw(replace(plain, loras=(Lora("a/b"),))))
    backend.close()


def last(items: Any) -> Any:
    *_, picture = items
    return picture.pixels()


def test_a_picture_that_nobody_waits_for_is_stopped_and_the_next_is_drawn_as_ever(make: Callable[..., Any]) -> None:
    backend = make("pixart")
    *_, whole = backend.draw(request("pixart"))
    reader = backend.draw(request("pixart"))
    assert isinstance(next(reader), StepCallback)
    reader.close()
    *_, again = backend.draw(request("pixart"))
    assert np.array_equal(again.pixels(), whole.pixels())


def test_previews_can_be_switched_off(make: Callable[..., Any]) -> None:
    shown = [item.pixels for item in make("pixart").draw(request("pixart")) if isinstance(item, StepCallback)]
    hidden = make("pixart", previews=False).draw(request("pixart"))
    assert all(pixels is not None for pixels in shown)
    assert all(item.pixels is None for item in hidden if isinstance(item, StepCallback))


def test_an_edit_follows_the_picture(make: Callable[..., Any]) -> None:
    backend = make("sdxl")
    *_, red = backend.draw(request("sdxl", png("red")))
    *_, blue = backend.draw(request("sdxl", png("blue")))
    assert red.pixels().shape == (64, 96, 3)
    assert not np.array_equal(red.pixels(), blue.pixels())


def test_a_model_that_cannot_edit_says_so(make: Callable[..., Any]) -> None:
    backend = make("pixart")
    assert backend.edits is False
    with pytest.raises(Unsupported, match="only draws new pictures"):
        next(iter(backend.draw(request("pixart", png("red")))))


def test_a_picture_past_its_time_fails(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    backend = make("pixart")
    monkeypatch.setattr(backend_module, "DEADLINE_S", -1.0)
    with pytest.raises(BackendError, match="took longer than"):
        list(backend.draw(request("pixart")))


def test_numbers_that_overflow_are_no_picture(make: Callable[..., Any]) -> None:
    backend = make("zimage")
    weights = next(iter(backend._pipeline.vae.decoder.conv_out.parameters()))
    weights.data.fill_(float("nan"))
    with pytest.raises(BackendError, match="overflowed"):
        list(backend.draw(request("zimage")))


def test_when_memory_runs_out_a_smaller_picture_is_drawn_and_enlarged_then_an_eager_one_then_none(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, drawn = make("sdxl"), list[tuple[int, int]]()
    left = [1]

    def short_of_memory(pipeline: Any, job: Any, on_step: Any) -> Any:
        drawn.append((job.width, job.height))
        if left[0] > 0:
            left[0] -= 1
            raise torch.OutOfMemoryError
        return call_pipeline(pipeline, job, on_step)

    monkeypatch.setattr(backend_module, "call_pipeline", short_of_memory)
    *_, picture = backend.draw(request("sdxl", width=256, height=192))
    assert drawn == [(256, 192), (176, 128)]
    assert picture.pixels().shape == (192, 256, 3)
    assert backend.active()["memory"] == "smaller pictures"
    left[0] = 2
    with pytest.raises(BackendUnavailable, match="too small even for a small picture"):
        list(backend.draw(request("sdxl", width=256, height=192)))


def test_the_status_names_the_model_its_precision_and_what_is_on(make: Callable[..., Any]) -> None:
    backend = make("sdxl", warm_in_background=False)
    active = backend.active()
    assert (active["device"], active["precision"], active["fused_qkv"]) == ("CPU", "float32", "on")
    assert active["checks"].startswith("fused_qkv error")


def test_optimize_off_is_plain_pytorch(make: Callable[..., Any]) -> None:
    backend = make("sdxl", optimize="off")
    assert backend.idle(lambda doing, share: None) is False
    assert "fused_qkv" not in backend.active()


def test_a_device_that_nobody_measured_draws_plainly_and_the_status_says_so(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_module, "describe_device", lambda device: DeviceInfo("mps", "Apple GPU"))
    backend = make("sdxl", warm_in_background=False)
    active = backend.active()
    assert active["device"] == "Apple GPU (mps), not measured"
    assert {active[name] for name in get_args(OptimizationName)} == {"off: not measured on mps"}
    *_, picture = backend.draw(request("sdxl"))
    assert picture.pixels().shape == (64, 96, 3)


def test_without_a_model_nothing_is_drawn() -> None:
    backend = diffusers.create(diffusers.Options(device="cpu"))
    with pytest.raises(BackendUnavailable, match="not loaded"):
        next(iter(backend.draw(request("sdxl"))))


def test_a_broken_file_is_one_sentence(
    checkpoint_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    shutil.copytree(checkpoint_of("sdxl"), tmp_path / "model")
    next((tmp_path / "model" / "unet").glob("*.safetensors")).write_bytes(b"")
    with pytest.raises(BackendUnavailable, match=r"unet.*\.safetensors is empty; download it again"):
        diffusers.create(diffusers.Options(model=str(tmp_path / "model"), device="cpu"))


def test_a_text_that_is_too_long_loses_words_and_its_style_stays(make: Callable[..., Any]) -> None:
    backend = make("sdxl")
    words, style = "a fox " * 40, ", film noir"
    asked = replace(request("sdxl"), words=words, prompt=words + style, template="{text}" + style)
    prompt = backend._job_of(asked).prompt
    assert prompt.endswith(style)
    assert words.startswith(prompt.removesuffix(style))
    assert backend.left_out_words
    assert backend.active()["shortened"] == "1 texts longer than what the model reads"
