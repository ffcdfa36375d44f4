"""Cutouts: heads get bodies, busts get legs, colours are turned; sizes are kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from streamer.generator.procedural.engine import cutout
from tests.support.drawings import drawings


@pytest.fixture(autouse=True)
def plain_drawings() -> Iterator[None]:
    with drawings():
        yield


@pytest.mark.parametrize("key", ["1f408", "1f43b", "1f466", "1f9d1-200d-1f680"])
@pytest.mark.parametrize("height", [24, 97, 400])
def test_a_figure_is_as_tall_as_asked_for(key: str, height: int) -> None:
    picture = cutout.whole(key, height)
    assert picture.shape[0] == height
    assert picture[..., 3].max() == 255


def test_a_head_gets_a_body_below_it_and_a_whole_animal_none() -> None:
    bear, cat = cutout.whole("1f43b", 200), cutout.whole("1f408", 200)
    assert cutout.aspect("1f43b") < cutout.aspect("1f408")
    assert (bear[150:, :, 3] > 0).any()
    assert cat.shape == (200, 200, 4)


def test_a_body_has_the_head_s_colour() -> None:
    bear = cutout.whole("1f43b", 200)
    red, green, blue = bear[150, bear.shape[1] // 3, :3].astype(int)
    assert abs(red - 240) < 20
    assert abs(green - 140) < 20
    assert abs(blue - 40) < 20


def test_a_person_wears_clothes() -> None:
    boy = cutout.whole("1f466", 200)
    assert tuple(boy[150, boy.shape[1] // 3, :3]) != (240, 140, 40)


def test_a_bust_stands_on_shoes() -> None:
    astronaut = cutout.whole("1f9d1-200d-1f680", 200)
    assert (astronaut[192:, :, 3] > 0).any()


@pytest.mark.parametrize(("hue", "channel"), [(25.0, 0), (140.0, 1), (265.0, 2)])
def test_a_dyed_figure_has_the_colour_asked_for(hue: float, channel: int) -> None:
    dyed = cutout.dyed(cutout.whole("1f408", 64), hue, None)
    assert dyed[32, 32, :3].argmax() == channel


def test_black_is_dark_and_white_is_light() -> None:
    plain = cutout.whole("1f408", 64)
    assert cutout.dyed(plain, None, 0.0)[32, 32, :3].max() < 100
    assert cutout.dyed(plain, None, 1.0)[32, 32, :3].min() > 180


def test_turning_keeps_all_of_the_drawing() -> None:
    plain = cutout.whole("1f697", 64)
    turned = cutout.turned(plain, mirrored=True, degrees=30)
    assert turned[..., 3].sum() == pytest.approx(plain[..., 3].sum(), rel=0.03)
    assert np.array_equal(cutout.turned(plain, mirrored=True, degrees=0), plain[:, ::-1])


def test_the_head_is_in_the_upper_third() -> None:
    middle, width, top, eyes = cutout.head_of("1f43b")
    assert middle == pytest.approx(0.5, abs=0.05)
    assert 0.7 < width <= 1
    assert top < eyes < 0.4


def test_a_drawing_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        cutout.whole("10ffff", 20)
