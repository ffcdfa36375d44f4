"""Lettering: the words are in the picture when nothing else of them is, readable, and clear of captions."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest

from streamer.generator.procedural.engine.finish import finish
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene, Stage
from streamer.generator.procedural.engine.typeset import SetType, TypeBox, set_type
from streamer.generator.procedural.plan.compose import stage_scene
from streamer.generator.procedural.scenery import letters
from tests.support.drawings import drawings

NOISE = Noise()


def staged(prompt: str, kind: str = "background", seed: int = 3) -> tuple[Scene, list[Stage]]:
    size = (640, 360) if kind == "background" else (360, 360)
    with drawings(cat="1f408", dragon="1f409"):
        return stage_scene(prompt, kind, *size, seed, NOISE)


@pytest.mark.parametrize(
    "prompt", ["quantum marmalade", "existential dread on a monday", "Grüße aus der Unendlichkeit"]
)
@pytest.mark.parametrize("kind", ["background", "meme", "sticker"])
def test_what_nobody_can_draw_is_lettered(prompt: str, kind: str) -> None:
    assert letters.poster in staged(prompt, kind)[1]


@pytest.mark.parametrize("prompt", ["cat in the forest", "misty mountains", "cat and dragon", ""])
def test_what_is_drawn_is_not_lettered(prompt: str) -> None:
    assert not {letters.poster, letters.title} & set(staged(prompt)[1])


def test_a_prompt_of_which_little_is_drawn_gets_a_title() -> None:
    scene, stages = staged("cat investigating tremendous bureaucratic irregularities")
    assert letters.title in stages
    assert scene.setting.title


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("prompt", ["quantum marmalade", "white noise marmalade", "dazzling nothingness at noon"])
def test_the_letters_stand_out(prompt: str, seed: int) -> None:
    scene, stages = staged(prompt, seed=seed)
    masks: list[npt.NDArray[np.float32]] = []

    def noting(text: str, box: TypeBox) -> SetType | None:
        type_ = set_type(text, box)
        assert type_ is not None
        masks.append(type_.letters)
        return type_

    with patch.object(letters, "set_type", noting):
        for stage in stages:
            stage(scene)
    (mask,) = masks
    middle = 0.47 if letters.poster in stages else 0.175
    rows, columns = mask.shape
    top, left = round(scene.height * middle - rows / 2), round((scene.width - columns) / 2)
    after = scene.canvas.rgb[:, top : top + rows, left : left + columns]
    inked = mask > 0.95
    assert contrast(after[:, inked], after[:, near(near(inked)) & (mask == 0)]) > 3


def near(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Widen a mask by two pixels."""
    shifts = [np.roll(mask, (down, across), (0, 1)) for down in (-2, 0, 2) for across in (-2, 0, 2)]
    widened: npt.NDArray[np.bool_] = np.logical_or.reduce(shifts)
    return widened


def contrast(light: npt.NDArray[np.float32], dark: npt.NDArray[np.float32]) -> float:
    """Return the contrast ratio of WCAG between two sets of colours, 3 x count."""
    one, other = (np.array([0.2126, 0.7152, 0.0722]) @ (colours.clip(0, 1) ** 2.2).mean(1) for colours in (light, dark))
    return float((one + 0.05) / (other + 0.05))


def test_a_meme_s_letters_keep_clear_of_its_captions() -> None:
    scene, stages = staged("quantum marmalade", "meme")
    for stage in stages:
        if stage is letters.poster:
            before = scene.canvas.rgb.copy()
        stage(scene)
    changed = np.flatnonzero((np.abs(scene.canvas.rgb - before).max(0) > 0.1).any(1))
    assert changed[0] > 0.26 * 360
    assert changed[-1] < 0.74 * 360


def test_a_sticker_s_letters_are_cut_out() -> None:
    scene, stages = staged("quantum marmalade", "sticker")
    for stage in stages:
        stage(scene)
    picture = finish(scene)
    assert picture.shape == (360, 360, 4)
    assert 0.03 < (picture[..., 3] > 200).mean() < 0.5
    assert picture[0, 0, 3] == 0


def test_a_sticker_of_letters_that_no_font_has_is_a_badge() -> None:
    scene, stages = staged("\ue000\ue001\ue002\ue003", "sticker")
    for stage in stages:
        stage(scene)
    picture = finish(scene)
    assert picture[180, 180, 3] == 255
    assert picture[0, 0, 3] == 0
    assert np.ptp(picture[..., :3]) > 100
