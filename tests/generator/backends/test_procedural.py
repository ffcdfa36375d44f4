"""The built-in backend: the same picture for the same request, always one, never blank, whatever the prompt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.commands.shown import lettered, shown_texts
from streamer.errors import Unsupported
from streamer.generator.backend import HostPicture, Pixels, StepCallback
from streamer.generator.backends.procedural import Options, ProceduralBackend, create
from streamer.generator.procedural.scenery import letters
from streamer.generator.procedural.subjects import library
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

BACKEND = create(Options())
BACKEND.load(lambda _doing, _share: None)

WORDS = st.sampled_from(
    [
        "night",
        "day",
        "снег",
        "rain",
        "storm",
        "neon",
        "city",
        "море",
        "forest",
        "room",
        "space",
        "underwater",
        "mountains",
        "desert",
        "field",
        "кот",
        "robot",
        "castle",
        "aurora",
        "autumn",
        "winter",
        "purple",
        "pixel",
        "noir",
        "volcano",
        "bridge",
        "lighthouse",
        "fireworks",
        "abstract",
        "crescent",
        "sad",
        "cosy",
        "roof",
    ]
)
ANY_TEXT = st.one_of(
    st.text(max_size=500),
    st.text(alphabet="😂🔥👾🏳️‍🌈\u200d\u0000\u001b\u202eقلبن", max_size=500),
    st.lists(WORDS, max_size=9).map(" ".join),
)


def request(prompt: str, *, kind: str = "background", size: tuple[int, int] = (160, 90), seed: int = 1, steps: int = 4,
          reference: bytes | None = None) -> ImageRequest:  # fmt: skip
    params = SamplingParams(*size, num_inference_steps=steps, guidance_scale=1.0, seed=seed)
    actor = Actor("1", "someone", Role.VIEWER)
    return ImageRequest(
        "r", "bg", RequestKind(kind), "background", prompt, prompt, params, actor, Lane.CHAT, at=0.0, expires_at=9.0,
        reference=reference,
    )  # fmt: skip


def paint(wanted: ImageRequest, backend: ProceduralBackend = BACKEND) -> Pixels:
    *_, last = backend.draw(wanted)
    assert isinstance(last, HostPicture)
    return last.pixels()


def structure(picture: Pixels) -> float:
    """Give the spread of brightness after the film grain has been averaged away."""
    rows, columns = picture.shape[0] // 8, picture.shape[1] // 8
    blocks = picture[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8, 3).mean((1, 3, 4))
    return float(blocks.std())


def test_the_same_request_gives_the_same_bytes() -> None:
    first = paint(request("stormy harbour with a cat", seed=5))
    paint(request("something else in between", seed=9))
    assert first.tobytes() == paint(request("stormy harbour with a cat", seed=5)).tobytes()


def test_a_fresh_backend_gives_the_same_bytes() -> None:
    assert paint(request("snowy peaks")).tobytes() == paint(request("snowy peaks"), create(Options())).tobytes()


@pytest.mark.parametrize("prompt", ["misty mountains", "neon city", "quantum marmalade", "уютная комната", "a cat"])
@pytest.mark.parametrize("kind", ["background", "meme"])
def test_another_seed_composes_the_prompt_anew(prompt: str, kind: str) -> None:
    first, second = (paint(request(prompt, kind=kind, seed=seed)).astype(int) for seed in (1, 2))
    assert np.abs(first - second).mean() > 3


def test_unknown_words_shape_the_picture() -> None:
    assert np.abs(paint(request("blorptastic")).astype(int) - paint(request("grzmotek")).astype(int)).mean() > 3


def test_one_step_follows_each_inference_step_and_the_picture_comes_last() -> None:
    *steps, last = BACKEND.draw(request("calm lake at dusk", steps=7))
    assert [(step.step, step.steps) for step in steps if isinstance(step, StepCallback)] == [
        (n, 7) for n in range(1, 8)
    ]
    assert isinstance(last, HostPicture)
    assert (last.width, last.height) == (160, 90)
    assert last.jpeg(90) is None


def test_previews_are_small_and_come_closer_to_the_picture() -> None:
    *steps, last = BACKEND.draw(request("calm lake at dusk", size=(640, 360)))
    assert isinstance(last, HostPicture)
    every = -(-640 // 96)
    small = last.pixels()[every // 2 :: every, every // 2 :: every].astype(int)
    previews = [step.pixels for step in steps if isinstance(step, StepCallback) and step.pixels is not None]
    assert all(max(preview.shape) <= 96 and preview.dtype == np.uint8 for preview in previews)
    gaps = [np.abs(preview.astype(int) - small).mean() for preview in previews]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 25


def test_previews_can_be_switched_off() -> None:
    backend = create(Options(previews=False))
    *steps, _last = backend.draw(request("calm lake"))
    assert all(isinstance(step, StepCallback) and step.pixels is None for step in steps)


def test_a_sticker_has_no_previews_since_they_would_be_squares() -> None:
    *steps, last = BACKEND.draw(request("cat", kind="sticker", size=(128, 128)))
    assert all(isinstance(step, StepCallback) and step.pixels is None for step in steps)
    assert isinstance(last, HostPicture)
    assert last.pixels()[0, 0, 3] == 0


def test_closing_the_iterator_early_leaves_the_backend_usable() -> None:
    painting = BACKEND.draw(request("neon city"))
    next(painting)
    painting.close()  # type: ignore[attr-defined]
    assert paint(request("neon city")).shape == (90, 160, 3)


@settings(max_examples=120, deadline=None)
@given(
    prompt=ANY_TEXT, kind=st.sampled_from(["background", "meme", "sticker"]),
    seed=st.integers(-(2**63), 2**64), width=st.integers(64, 200), height=st.integers(64, 200),
)  # fmt: skip
def test_any_prompt_becomes_a_picture_with_something_in_it(
    prompt: str, kind: str, seed: int, width: int, height: int
) -> None:
    picture = paint(request(prompt, kind=kind, seed=seed, size=(width, height)))
    assert picture.shape == (height, width, 4 if kind == "sticker" else 3)
    assert picture.dtype == np.uint8
    assert structure(picture[..., :3]) > 2.5
    assert picture[..., :3].mean() > 12
    assert picture.max() > 100
    assert kind != "sticker" or (picture[..., 3] > 200).mean() > 0.003


@pytest.mark.parametrize(
    "prompt", ["black void at night", "total darkness", "чёрная пустота", "white on white", "black"]
)
@pytest.mark.parametrize("seed", range(4))
def test_even_a_void_has_visible_structure(prompt: str, seed: int) -> None:
    picture = paint(request(prompt, seed=seed, size=(320, 180)))
    assert structure(picture) > 5
    assert picture.max() > 120


@pytest.mark.parametrize("size", [(64, 64), (64, 2048), (2048, 64), (1080, 1920), (2048, 2048), (333, 77)])
@pytest.mark.parametrize("prompt", ["village by the sea with a lighthouse in the snow", "gaming room", "dragon"])
def test_any_size_is_painted(size: tuple[int, int], prompt: str) -> None:
    assert paint(request(prompt, size=size)).shape == (size[1], size[0], 3)


def test_an_edit_is_refused_in_words_fit_for_chat() -> None:
    with pytest.raises(Unsupported) as caught:
        next(BACKEND.draw(request("make it blue", reference=b"\xff\xd8")))
    assert str(caught.value) == "edits need a GPU model; the built-in painter only draws new pictures"


def test_loading_and_warming_up_report_progress_and_say_what_is_in_use() -> None:
    reported: list[float] = []
    backend = create(Options())
    backend.load(lambda _doing, share: reported.append(share))
    backend.warm_up([(1280, 720)], lambda _doing, share: reported.append(share))
    assert reported == [0.0, 1.0, 0.0, 1.0]
    assert backend.active()["device"] == "cpu"
    backend.close()
    assert paint(request("after close"), backend).any()


def test_what_it_letters_is_what_was_judged() -> None:
    words = "quantum marmalade " * 9 + "tail"
    asked = replace(request(f"{words}, wide establishing shot"), words=words)
    with patch.object(letters, "set_type", return_value=None) as set_type:
        paint(asked)
    assert {call.args[0] for call in set_type.call_args_list} == {lettered(asked)}
    assert lettered(asked) in shown_texts(asked)


@pytest.mark.parametrize("kind", ["background", "meme", "sticker"])
def test_without_the_drawings_scenes_are_painted_and_the_rest_is_lettered(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(library, "DATABASE", tmp_path / "missing.sqlite")
    library.drawing.cache_clear()
    try:
        wanted = request("a stapler wearing galoshes 😂", kind=kind, size=(128, 128))
        picture = paint(wanted, create(Options()))
    finally:
        library.drawing.cache_clear()
    assert picture.shape[:2] == (128, 128)
    assert structure(picture[..., :3]) > 2.5
