"""A scene answers for its idea and its light."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.plan.compose import stage_scene


def scene_of(prompt: str, kind: str = "background", width: int = 320, height: int = 180) -> Scene:
    scene, _ = stage_scene(prompt, kind, width, height, 7, Noise())
    return scene


def test_a_design_pixel_is_one_where_the_short_side_has_720() -> None:
    assert scene_of("harbour", width=1280, height=720).unit == pytest.approx(1.0)
    assert scene_of("harbour", width=180, height=320).unit == pytest.approx(0.25)


def test_horizon_and_sun_stand_in_the_picture() -> None:
    scene = scene_of("harbour at sunset")
    assert 0 < scene.horizon < scene.height
    assert 0 <= scene.sun[0] <= scene.width
    assert 0 <= scene.sun[1] <= scene.horizon


@pytest.mark.parametrize(("prompt", "moon"), [("harbour at night", True), ("harbour at noon", False)])
def test_the_moon_shines_at_night(prompt: str, moon: bool) -> None:
    assert scene_of(prompt).has_moon is moon


def test_the_striped_sun_needs_neon_and_the_dark() -> None:
    assert scene_of("neon retrowave night").has_striped_sun
    assert not scene_of("neon at noon").has_striped_sun


@pytest.mark.parametrize("prompt", ["winter forest", "forest in the snow"])
def test_winter_and_snow_are_both_snowy(prompt: str) -> None:
    assert scene_of(prompt).is_snowy
    assert not scene_of("summer forest").is_snowy


def test_in_a_meme_the_character_is_the_picture() -> None:
    assert scene_of("cat", "meme").is_portrait
    assert not scene_of("cat").is_portrait
