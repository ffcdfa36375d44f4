"""Palettes: the hour, the hues and the weather of the words show in the colours."""

from __future__ import annotations

import math

import numpy as np
import pytest

from streamer.generator.procedural.plan.idea import read
from streamer.generator.procedural.plan.tones import Tones, choose


def tones(prompt: str, seed: int = 1) -> Tones:
    return choose(read(prompt), np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(6))
def test_night_is_darker_than_dusk_and_dusk_darker_than_day(seed: int) -> None:
    night, dusk, day = (float(tones(f"mountains at {hour}", seed).sky[0][0]) for hour in ("night", "sunset", "noon"))
    assert night < dusk < day


@pytest.mark.parametrize(("word", "hue"), [("purple", 305), ("зелёный", 140), ("teal", 195), ("красная", 25)])
@pytest.mark.parametrize("seed", range(3))
def test_a_named_hue_rules_the_zenith(word: str, hue: int, seed: int) -> None:
    zenith = tones(f"{word} evening sky", seed).sky[0]
    angle = math.degrees(math.atan2(float(zenith[2]), float(zenith[1])))
    assert abs((angle - hue + 180) % 360 - 180) < 50


@pytest.mark.parametrize("prompt", ["", "city", "storm", "pastel neon gloomy vivid snow", "winter aurora"])
def test_layers_grow_from_haze_to_a_darker_foreground(prompt: str) -> None:
    palette = tones(prompt)
    depths = [float(palette.layer_lab(depth)[0]) for depth in (0.0, 0.3, 0.6, 1.0)]
    assert depths == sorted(depths, reverse=True)


def test_snow_whitens_the_ground() -> None:
    assert tones("field at noon, snow").ground[0] > tones("field at noon").ground[0] + 0.2
