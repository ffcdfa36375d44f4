"""Colours: conversions agree with each other, stay in gamut and keep their hue."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamer.generator.procedural.engine.colour import lch, lighter, mix, ramp, rgb, toward_hue


def test_white_black_and_red_are_where_the_paper_puts_them() -> None:
    assert rgb(lch(1.0, 0.0, 0)) == pytest.approx([1, 1, 1], abs=0.01)
    assert rgb(lch(0.0, 0.0, 0)) == pytest.approx([0, 0, 0], abs=0.01)
    assert rgb(lch(0.628, 0.2577, 29.23)) == pytest.approx([1, 0, 0], abs=0.02)


@pytest.mark.parametrize("hue", range(0, 360, 30))
def test_one_colour_and_an_array_of_it_convert_alike(hue: int) -> None:
    ink = lch(0.7, 0.3, hue)
    assert rgb(ink) == pytest.approx(rgb(np.stack([ink, ink]))[0], abs=1e-5)
    assert rgb(ink).min() >= 0
    assert rgb(ink).max() <= 1


def test_pulling_toward_the_opposite_hue_does_not_turn_grey() -> None:
    plain = mix(lch(0.5, 0.12, 30), lch(0.5, 0.12, 180), 0.6)
    pulled = toward_hue(lch(0.5, 0.12, 30), 180, 0.6)
    assert math.hypot(*map(float, pulled[1:])) > 1.5 * math.hypot(*map(float, plain[1:]))


def test_mixing_and_lightening_stay_between_their_ends() -> None:
    assert mix(lch(0.2, 0, 0), lch(0.8, 0, 0), 0.5)[0] == pytest.approx(0.5)
    assert lighter(lch(0.95, 0.1, 50), 0.5)[0] <= 0.99


def test_a_ramp_begins_and_ends_with_its_stops() -> None:
    first, last = lch(0.3, 0.1, 250), lch(0.9, 0.05, 80)
    colours = ramp([(0.0, first), (1.0, last)], 64)
    assert colours.shape == (3, 64)
    assert colours[:, 0] == pytest.approx(rgb(first), abs=1e-4)
    assert colours[:, -1] == pytest.approx(rgb(last), abs=1e-4)
