"""Composition: the words decide which painters work, and in which order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.figures import subject
from streamer.generator.procedural.plan.compose import stage_scene
from streamer.generator.procedural.scenery import (
    flow,
    forest,
    land,
    landmarks,
    popart,
    room,
    sky,
    space,
    water,
    weather,
)

NOISE = Noise()


def stages(prompt: str, kind: str = "background") -> list[Callable[[Scene], None]]:
    return stage_scene(prompt, kind, 96, 64, 1, NOISE)[1]


@pytest.mark.parametrize(
    ("prompt", "stage"),
    [
        ("quantum marmalade", flow.paint),
        ("cosy room", room.paint),
        ("уютно", room.paint),
        ("galaxy", space.nebula),
        ("под водой подводный мир", space.underwater),
        ("rain", weather.paint),
        ("desert", land.dunes),
        ("pine forest", forest.ranks),
        ("lighthouse", landmarks.lighthouse),
        ("storm at sea", weather.lightning),
        ("synthwave", land.grid),
    ],
)
def test_a_word_brings_its_painter(prompt: str, stage: Callable[[Scene], None]) -> None:
    assert stage in stages(prompt)


def test_the_sky_comes_first_and_the_weather_last() -> None:
    listed = stages("rainy mountains")
    assert listed[0] is sky.paint
    assert listed[-1] is weather.paint


def test_a_cosy_cabin_outdoors_is_no_room() -> None:
    assert room.paint not in stages("cozy cabin in the mountains")


def test_a_meme_about_nothing_known_is_pop_art() -> None:
    assert stages("when it compiles", "meme") == [popart.paint]


def test_a_meme_shows_its_character_over_the_place_it_names() -> None:
    assert stages("cat in space", "meme") == [space.nebula, space.worlds, subject.paint]


def test_a_view_shows_living_things_but_no_props() -> None:
    assert subject.paint in stages("robot in the city")
    assert subject.paint not in stages("coffee in the city")


def test_water_mirrors_what_was_painted_before_it() -> None:
    scene, listed = stage_scene("calm lake", "background", 320, 180, 3, NOISE)
    for stage in listed[: next(i for i, stage in enumerate(listed) if stage.__name__ == "_water")]:
        stage(scene)
    above = scene.canvas.rgb[:, round(scene.horizon) - 60 : round(scene.horizon) - 50].mean()
    scene.canvas.rgb[:, round(scene.horizon) :] = 0
    water.paint(scene, calm=0.9)
    assert scene.canvas.rgb[:, round(scene.horizon) + 10 : round(scene.horizon) + 40].mean() > above * 0.2
