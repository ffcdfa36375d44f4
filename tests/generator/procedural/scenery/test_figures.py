"""Figures in a scene: seen, in the scene's light, with a shadow on the ground and a mirror image in water."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from streamer.generator.procedural.engine.finish import finish
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.plan.compose import stage_scene
from streamer.generator.procedural.scenery import figures
from tests.support.drawings import drawings

NOISE = Noise()
Planes = npt.NDArray[np.float32]


def before_and_after(prompt: str, kind: str = "background", seed: int = 3) -> tuple[Scene, Planes, Planes]:
    """Paint up to the figures, then the figures; return the scene and copies of its planes at both moments."""
    with drawings(cat="1f408", ship="1f6a2", owl="1f989", dragon="1f409"):
        scene, stages = stage_scene(prompt, kind, 320, 180, seed, NOISE)
        for stage in stages:
            if stage is figures.paint:
                before = scene.canvas.rgb.copy()
                stage(scene)
                return scene, before, scene.canvas.rgb.copy()
            stage(scene)
    raise AssertionError("no figures")


def changed(before: Planes, after: Planes) -> npt.NDArray[np.bool_]:
    apart: npt.NDArray[np.float32] = np.abs(after - before).max(0)
    return apart > 0.02


@pytest.mark.parametrize(
    "prompt", ["cat in the forest", "ship at sea", "three owls in the desert", "dragon over a city"]
)
def test_a_figure_is_seen(prompt: str) -> None:
    _, before, after = before_and_after(prompt)
    assert changed(before, after).mean() > 0.02


def test_a_figure_is_darker_by_night_than_by_day() -> None:
    means = []
    for hour in ("night", "noon"):
        _, before, after = before_and_after(f"cat in a field at {hour}")
        orange = changed(before, after) & (after[0] > after[2] + 0.1)
        means.append(after[:, orange].mean())
    assert means[0] < 0.8 * means[1]


def test_the_ground_is_darker_at_the_feet() -> None:
    _, before, after = before_and_after("cat in a field at noon")
    below = after.mean(0) < before.mean(0) - 0.05
    rows = np.flatnonzero(below.any(1))
    assert rows.max() > 0.7 * 180


def test_a_ship_is_mirrored_in_the_water() -> None:
    scene, before, after = before_and_after("ship on a calm lake at noon")
    rows = np.flatnonzero(changed(before, after).any(1))
    assert rows.max() > scene.horizon + 20
    assert rows.max() - rows.min() > 60


def test_lights_behind_a_figure_do_not_shine_through_it() -> None:
    scene, before, after = before_and_after("cat in the neon city at night", seed=5)
    solid = changed(before, after)[::4, ::4]
    lit = scene.canvas.light.max(0)[: solid.shape[0], : solid.shape[1]]
    assert lit[solid].mean() < 0.3


def test_a_meme_s_figures_are_cut_out_with_a_white_rim() -> None:
    with drawings(cat="1f408"):
        scene, stages = stage_scene("cat", "meme", 180, 180, 3, NOISE)
        for stage in stages:
            stage(scene)
    picture = finish(scene).astype(int)
    rim = picture.min(2) > 215
    assert rim.any(1).sum() > 60
    assert rim.any(0).sum() > 60


def sticker(prompt: str) -> npt.NDArray[np.uint8]:
    with drawings(cat="1f408", owl="1f989"):
        scene, stages = stage_scene(prompt, "sticker", 180, 180, 3, NOISE)
        for stage in stages:
            stage(scene)
    return finish(scene)


def test_a_sticker_is_cut_out_with_true_alpha_and_a_white_outline() -> None:
    picture = sticker("cat and owl")
    alpha = picture[..., 3]
    assert picture.shape == (180, 180, 4)
    assert alpha[0].max() == alpha[:, 0].max() == 0
    assert 0.2 < (alpha > 200).mean() < 0.9
    rim = (picture[..., :3].min(2) > 215) & (alpha > 200)
    assert rim.any(0).sum() > 100
    assert rim.any(1).sum() > 60


def test_a_sticker_of_a_view_is_a_round_badge() -> None:
    alpha = sticker("cat in the forest")[..., 3]
    assert alpha[0, 0] == alpha[-1, -1] == 0
    assert alpha[90, 90] == 255
    assert (alpha > 200).mean() == pytest.approx(0.74, abs=0.04)
