"""The painters of places: each leaves its mark, the same one each time, in colours that can be shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from streamer.generator.procedural.engine.finish import finish
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.plan.compose import stage_scene
from streamer.generator.procedural.scenery import city, furniture, sights

NOISE = Noise()
PAINTERS: dict[str, Callable[[Scene], None]] = {
    "skyline": lambda scene: city.skyline(scene, scene.horizon, scene.height * 0.4, 0.7),
    "promenade": city.promenade,
    "rooftops": city.rooftops,
    "shelves": lambda scene: furniture.shelves(scene, scene.width * 0.5),
    "lamp": lambda scene: furniture.lamp(scene, scene.width * 0.5, scene.height * 0.8),
    "sofa": lambda scene: furniture.sofa(scene, scene.width * 0.5, scene.height * 0.8),
    "desk": lambda scene: furniture.desk(scene, scene.width * 0.5, scene.height * 0.8),
    "plant": lambda scene: furniture.plant(scene, scene.width * 0.5, scene.height * 0.8),
    "fireplace": lambda scene: furniture.fireplace(scene, scene.width * 0.5, scene.height * 0.8),
    "balloons": sights.balloons,
    "birds": sights.birds,
    "campfire": lambda scene: sights.campfire(scene, scene.width * 0.5, scene.height * 0.8, 60 * scene.unit),
    "cacti": sights.cacti,
    "volcano": sights.volcano,
    "boat": sights.boat,
}


def empty(prompt: str = "city at dusk", seed: int = 3) -> Scene:
    return stage_scene(prompt, "background", 320, 180, seed, NOISE)[0]


def painted(name: str) -> np.ndarray:
    scene = empty()
    PAINTERS[name](scene)
    return scene.canvas.rgb


@pytest.mark.parametrize("name", PAINTERS)
def test_a_painter_leaves_its_mark_the_same_one_each_time(name: str) -> None:
    first = painted(name)
    assert np.abs(first - empty().canvas.rgb).max() > 0.05
    assert np.isfinite(first).all()
    assert np.array_equal(first, painted(name))


def test_lit_windows_are_seen_at_night_in_a_city() -> None:
    scene, stages = stage_scene("neon city at night", "background", 320, 180, 3, NOISE)
    for stage in stages:
        stage(scene)
    picture = finish(scene)
    assert (picture.max(axis=2) > 200).mean() > 0.002
    assert picture.mean() < 110


@pytest.mark.parametrize(("word", "fact"), [("film noir", "grey"), ("pixel art", "squares")])
def test_a_look_is_given_last(word: str, fact: str) -> None:
    scene, stages = stage_scene(f"quiet lake, {word}", "background", 320, 180, 3, NOISE)
    for stage in stages:
        stage(scene)
    picture = finish(scene).astype(int)
    if fact == "grey":
        assert np.ptp(picture, axis=2).max() < 40
    else:
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 40


def test_a_finished_picture_is_never_one_colour() -> None:
    for prompt in ("black void at night", "white", ""):
        scene, stages = stage_scene(prompt, "background", 160, 96, 1, NOISE)
        for stage in stages:
            stage(scene)
        assert finish(scene).std() > 5, prompt
