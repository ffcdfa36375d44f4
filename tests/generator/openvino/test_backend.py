"""The openvino backend as the generator process uses it, with tiny models in real OpenVINO."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("openvino")

import torch
from diffusers import DiffusionPipeline
from PIL import Image

from streamer.errors import BackendError, BackendUnavailable, Unsupported
from streamer.generator import models, processor
from streamer.generator.backend import StepCallback
from streamer.generator.backends import openvino
from streamer.generator.openvino import backend as backend_module
from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

pytestmark = pytest.mark.torch

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def make(checkpoint_of: Callable[[str], Path], home: Path) -> Iterator[Make]:
    """Make a loaded and warmed backend."""
    patch = pytest.MonkeyPatch()
    patch.setenv("STREAMER_HOME", str(home))

    def made(family: str, **options: Any) -> Any:
        chosen = {"precision": "float32", "decoder": "full", "threads": 1, "steps": 2, **options}
        backend = openvino.create(openvino.Options(model=str(checkpoint_of(family)), **chosen))
        backend.load(lambda doing, share: None)
        backend.warm_up(((64, 64),), lambda doing, share: None)
        return backend

    yield made
    patch.undo()


@pytest.fixture(scope="module")
def turbo(make: Make) -> Any:
    """Return a model that starts from noise or from a picture, with weights as they are published."""
    return make("sd-turbo", weights="float16")


@pytest.fixture(scope="module")
def sdxs(make: Make) -> Any:
    """Return a model with a tiny decoder and weights in eight bits."""
    return make("sdxs")


def request(width: int = 64, height: int = 64, seed: int = 7, reference: bytes | None = None) -> ImageRequest:
    kind = RequestKind.BACKGROUND if reference is None else RequestKind.EDIT
    return ImageRequest(
        "1", "bg", kind, "background", "a fox", "a fox", SamplingParams(width, height, 2, 0.0, seed),
        Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9, reference=reference,
    )  # fmt: skip


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


def pixels(backend: Any, asked: ImageRequest) -> Any:
    *_, picture = backend.draw(asked)
    return picture.pixels()


@pytest.mark.parametrize(("family", "bound"), [("turbo", 2), ("sdxs", 6)])
def test_a_picture_is_the_stock_pipeline_s(
    family: str, bound: int, request_: pytest.FixtureRequest, checkpoint_of: Callable[[str], Path]
) -> None:
    backend, folder = request_.getfixturevalue(family), checkpoint_of("sd-turbo" if family == "turbo" else "sdxs")
    *steps, picture = backend.draw(request())
    assert [(item.step, item.steps) for item in steps] == [(1, 2), (2, 2)]
    stock = DiffusionPipeline.from_pretrained(folder)
    theirs = call_pipeline(stock, PictureJob("a fox", 64, 64, 2, 0.0, 7), lambda step, latents: None)
    difference = np.abs(picture.pixels() - theirs.permute(1, 2, 0).numpy() * 255.0)
    assert picture.pixels().shape == (64, 64, 3)
    assert difference.max() <= bound


@pytest.fixture
def request_(request: pytest.FixtureRequest) -> pytest.FixtureRequest:
    """Give a test pytest's own request, whose name means a request for a picture here."""
    return request


def test_a_seed_means_one_picture(turbo: Any) -> None:
    first, again, other = pixels(turbo, request()), pixels(turbo, request()), pixels(turbo, request(seed=8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_larger_pictures_are_drawn_in_the_model_s_size_and_scaled_and_the_status_says_so(turbo: Any) -> None:
    assert pixels(turbo, request(128, 72)).shape == (72, 128, 3)
    assert pixels(turbo, request(48, 40)).shape == (40, 48, 3)
    assert turbo.active()["scaled"].startswith("128x72 from 80x48")


def test_a_picture_that_nobody_waits_for_is_stopped_and_the_next_is_drawn_as_ever(turbo: Any) -> None:
    whole = pixels(turbo, request())
    reader = turbo.draw(request())
    assert isinstance(next(reader), StepCallback)
    reader.close()
    assert np.array_equal(pixels(turbo, request()), whole)


def test_an_edit_follows_the_picture(turbo: Any) -> None:
    red, blue = (pixels(turbo, request(reference=png(colour))) for colour in ("red", "blue"))
    assert red.shape == (64, 64, 3)
    assert not np.array_equal(red, blue)


def test_a_model_that_only_starts_from_noise_says_so(turbo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert turbo.edits is True
    monkeypatch.setattr(turbo, "edits", models.shipped()["sdxs-512"].edits)
    with pytest.raises(Unsupported, match="only draws new pictures") as caught:
        next(iter(turbo.draw(request(reference=png("red")))))
    assert "sd-turbo" in str(caught.value)


def test_a_picture_past_its_time_fails(turbo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_module, "DEADLINE_S", -1.0)
    with pytest.raises(BackendError, match="took longer than"):
        list(turbo.draw(request()))


def test_numbers_that_overflow_are_no_picture(turbo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = torch.full((1, 3, 64, 64), float("nan"))
    monkeypatch.setattr(turbo._pipeline.vae, "decode", lambda latents, **more: (broken,))
    with pytest.raises(BackendError, match="overflowed") as caught:
        list(turbo.draw(request()))
    assert "generator.backends.openvino.precision" in str(caught.value)


def test_a_text_that_is_too_long_loses_words_and_its_style_stays(turbo: Any) -> None:
    words, style = "a fox " * 40, ", film noir"
    prompt = turbo._job_of(replace(request(), words=words, prompt=words + style, template="{text}" + style)).prompt
    assert prompt.endswith(style)
    assert words.startswith(prompt.removesuffix(style))
    assert turbo.left_out_words


def test_the_status_names_processor_model_numbers_and_the_speed_that_was_measured(
    sdxs: Any, home: Path, checkpoint_of: Callable[[str], Path]
) -> None:
    active = sdxs.active()
    assert active["engine"].startswith("OpenVINO 20")
    assert (active["precision"], active["weights"], active["decoder"]) == ("float32", "int8", "full")
    assert active["speed"].endswith("s for 64x64")
    assert processor.known(home).pictures[str(checkpoint_of("sdxs"))] > 0


def test_a_model_that_openvino_cannot_load_is_one_sentence(
    checkpoint_of: Callable[[str], Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_arguments: Any) -> Any:
        raise RuntimeError("Exception from src/core/src/runtime:\nno such operation")

    monkeypatch.setattr(backend_module, "load_pipeline", cannot)
    monkeypatch.setenv("STREAMER_HOME", str(home))
    backend = openvino.create(openvino.Options(model=str(checkpoint_of("sdxs"))))
    with pytest.raises(BackendUnavailable, match=r"cannot be loaded: RuntimeError.* no such operation") as caught:
        backend.load(lambda doing, share: None)
    assert str(home) in caught.value.fix


def test_without_a_model_nothing_is_drawn() -> None:
    backend = openvino.create(openvino.Options())
    assert backend.active() == {"device": "CPU", "engine": "OpenVINO"}
    with pytest.raises(BackendUnavailable, match="not loaded"):
        next(iter(backend.draw(request())))


def test_closing_gives_the_model_back(make: Make) -> None:
    backend = make("sdxs")
    backend.close()
    with pytest.raises(BackendUnavailable, match="not loaded"):
        next(iter(backend.draw(request())))
