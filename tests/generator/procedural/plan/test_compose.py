"""Composition: the words decide which painters work, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest

from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.plan.compose import stage_scene
from streamer.generator.procedural.scenery import (
    figures,
    flow,
    forest,
    furniture,
    ground,
    land,
    landmarks,
    letters,
    perches,
    popart,
    room,
    sky,
    space,
    water,
    weather,
)
from tests.support.drawings import drawings

NOISE = Noise()


def stages(prompt: str, kind: str = "background") -> list[Callable[[Scene], None]]:
    return stage_scene(prompt, kind, 96, 64, 1, NOISE)[1]


def staged(prompt: str, kind: str = "background") -> Scene:
    return stage_scene(prompt, kind, 96, 64, 1, NOISE)[0]


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


def test_a_meme_about_nothing_known_is_lettered_pop_art() -> None:
    assert stages("zxqv", "meme") == [popart.paint, letters.poster]


@pytest.mark.parametrize(
    ("prompt", "stage"),
    [
        ("astronaut on the moon", ground.moonscape),
        ("auf dem Mond", ground.moonscape),
        ("über den Wolken", ground.cloudtops),
        ("iceberg", ground.ice),
        ("une gare", ground.rails),
        ("carretera", ground.road),
        ("pizza sobre la mesa", perches.table),
        ("на подоконнике", perches.sill),
        ("枝の上", perches.branch),
        ("concert", perches.stage),
        ("рыбацкая деревня", landmarks.shore_village),
        ("fishing village", landmarks.shore_village),
        ("Fischerdorf", landmarks.shore_village),
        ("pueblo pesquero junto al mar", landmarks.shore_village),
    ],
)
def test_a_place_brings_its_painter_in_any_language(prompt: str, stage: Callable[[Scene], None]) -> None:
    assert stage in stages(prompt)


def test_rain_falls_in_front_of_those_who_stand_in_it() -> None:
    with drawings(cat="1f408"):
        listed = stages("cat in a rainy forest")
    assert listed.index(figures.paint) < listed.index(weather.paint)


def test_who_sits_at_a_table_is_painted_before_it_and_what_lies_on_it_after() -> None:
    with drawings(bear="1f43b", coffee="2615"):
        listed = stages("bear with coffee at the table")
    behind, before = listed.index(figures.paint_behind), listed.index(figures.paint_before)
    assert behind < listed.index(perches.table) < before


def test_a_landmark_that_the_scenery_paints_is_not_pasted_as_well() -> None:
    with drawings(castle="1f3f0", dragon="1f409"):
        assert [figure.key for figure in staged("dragon over a castle").cast] == ["1f409"]
        assert [figure.key for figure in staged("castle", "meme").cast] == ["1f3f0"]


def test_what_the_scenery_paints_small_is_pasted_where_it_is_all_there_is_or_somebody_is_in_it() -> None:
    with drawings(house="1f3e0", boat="26f5", bear="1f43b"):
        assert [figure.key for figure in staged("a house").cast] == ["1f3e0"]
        assert [figure.key for figure in staged("a boat").cast] == ["26f5"]
        assert [figure.key for figure in staged("a bear and a house").cast] == ["1f43b"]
        bear, boat = staged("a bear in a boat").cast
    assert (bear.key, boat.key, bear.tied_to) == ("1f43b", "26f5", 1)


def test_a_room_has_no_second_couch() -> None:
    with drawings(couch="1f6cb", cat="1f408"):
        scene, listed = stage_scene("cat on a couch in a room", "background", 320, 180, 3, NOISE)
    with patch.object(furniture, "sofa") as sofa:
        listed[0](scene)
    assert not sofa.called


def test_a_coloured_landmark_is_pasted_since_the_scenery_paints_it_in_its_own_colours() -> None:
    with drawings(castle="1f3f0"):
        assert [figure.key for figure in staged("a pink castle in the forest").cast] == ["1f3f0"]


def test_water_mirrors_what_was_painted_before_it() -> None:
    scene, listed = stage_scene("calm lake", "background", 320, 180, 3, NOISE)
    for stage in listed[: next(i for i, stage in enumerate(listed) if stage.__name__ == "_water")]:
        stage(scene)
    above = scene.canvas.rgb[:, round(scene.horizon) - 60 : round(scene.horizon) - 50].mean()
    scene.canvas.rgb[:, round(scene.horizon) :] = 0
    water.paint(scene, calm=0.9)
    assert scene.canvas.rgb[:, round(scene.horizon) + 10 : round(scene.horizon) + 40].mean() > above * 0.2
