"""Styles: each changes the whole picture in a way of its own, at any size, the same each time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import yaml

from streamer.generator.procedural.engine.finish import finish
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.styles import STYLES, Picture, in_style
from streamer.generator.procedural.plan import lexicon
from streamer.generator.procedural.plan.compose import stage_scene
from streamer.generator.procedural.plan.idea import read
from tests.support.drawings import drawings
from tests.support.paths import ROOT

NOISE = Noise()
SHIPPED: dict[str, str] = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["styles"]


@cache
def plain(prompt: str = "cat by a lake at sunset") -> Picture:
    with drawings(cat="1f408"):
        scene, stages = stage_scene(prompt, "background", 320, 180, 3, NOISE)
        for stage in stages:
            stage(scene)
        return finish(scene)


def styled(name: str, picture: Picture | None = None, seed: int = 1) -> Picture:
    return in_style(name, plain() if picture is None else picture, NOISE, np.random.default_rng(seed))


def saturation(picture: Picture) -> float:
    return float(np.ptp(picture.astype(int), axis=2).mean())


def test_every_style_that_the_lexicon_knows_is_painted() -> None:
    assert set(lexicon.shipped().styles.meanings) == set(STYLES)


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "plain"])
def test_every_shipped_style_is_recognized_by_its_words(name: str) -> None:
    look = SHIPPED[name].replace("{prompt}", "")
    assert read("cat", look).styles[:1] == (name,)


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "plain"])
def test_a_style_says_nothing_of_the_place(name: str) -> None:
    assert read("zxqv", SHIPPED[name].replace("{prompt}", "")).places == ()


@pytest.mark.parametrize("name", STYLES)
def test_a_style_changes_all_of_the_picture(name: str) -> None:
    picture = styled(name)
    assert picture.shape == plain().shape
    assert picture.dtype == np.uint8
    apart = np.abs(picture.astype(int) - plain()).mean(2)
    quarters = [apart[:90, :160], apart[:90, 160:], apart[90:, :160], apart[90:, 160:]]
    assert all(quarter.mean() > 6 for quarter in quarters)


def test_no_two_styles_look_alike() -> None:
    pictures = {name: styled(name).astype(int) for name in STYLES}
    for one in STYLES:
        for other in STYLES:
            assert one == other or np.abs(pictures[one] - pictures[other]).mean() > 15


@pytest.mark.parametrize("name", STYLES)
def test_a_style_is_the_same_each_time_and_leaves_the_picture_alone(name: str) -> None:
    before = plain().copy()
    assert np.array_equal(styled(name), styled(name))
    assert np.array_equal(before, plain())


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("size", [(64, 64), (64, 300), (301, 77)])
def test_a_style_takes_any_size_and_a_flat_picture(name: str, size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), 90, np.uint8)
    assert styled(name, flat).shape == flat.shape


def test_film_noir_has_no_colour_and_deep_blacks() -> None:
    noir = styled("noir")
    assert saturation(noir) < 10
    assert np.percentile(noir, 5) < 25
    assert np.percentile(noir, 99) > 180


def test_a_woodcut_has_three_colours() -> None:
    wood = styled("woodcut")
    near = sum(
        (np.abs(wood.astype(int) - np.percentile(wood.reshape(-1, 3), share, axis=0)).max(2) < 40).mean()
        for share in (5, 50, 95)
    )
    assert near > 0.6


def test_a_blueprint_is_blue() -> None:
    red, green, blue = styled("blueprint").reshape(-1, 3).mean(0)
    assert blue > green > red


def test_pixel_art_is_squares_of_few_colours() -> None:
    pixel = styled("pixel")
    assert np.array_equal(pixel[0::2], pixel[1::2])
    assert len(np.unique(pixel.reshape(-1, 3), axis=0)) <= 40


def test_watercolour_and_storybook_leave_a_light_margin() -> None:
    for name in ("watercolour", "storybook"):
        picture = styled(name)
        assert picture[:2].mean() > 215
        assert picture[:, :2].mean() > 215


def test_neon_is_dark_with_bright_lines() -> None:
    neon = styled("neon")
    assert neon.mean() < 0.75 * plain().mean()
    assert np.percentile(neon.max(2), 98) > 200
