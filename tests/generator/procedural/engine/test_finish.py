"""The last touch: moods grade the picture, and dark corners are for dark pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from streamer.generator.procedural.engine.finish import finish
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.plan.compose import stage_scene


def painted(prompt: str, brightness: float = 0.4, size: tuple[int, int] = (320, 180)) -> npt.NDArray[np.uint8]:
    """Finish a picture that is plain but for a red half."""
    scene, _ = stage_scene(prompt, "background", *size, 7, Noise())
    scene.canvas.rgb[:] = np.float32(brightness)
    scene.canvas.rgb[0, :, :160] += np.float32(0.2)
    return finish(scene)


def test_a_picture_is_bytes_of_its_size() -> None:
    picture = painted("harbour")
    assert picture.shape == (180, 320, 3)
    assert picture.dtype == np.uint8


def test_noir_has_no_colour_but_its_warm_paper() -> None:
    picture = painted("noir street").astype(int)
    assert np.ptp(picture, axis=2).max() <= 16
    assert np.ptp(painted("street").astype(int), axis=2).max() > 40


def test_pixel_art_has_few_colours_in_large_squares() -> None:
    picture = painted("pixel art", size=(640, 360))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 40
    assert np.array_equal(picture[::3, :-1:3], picture[1::3, 1::3])


@pytest.mark.parametrize(("brightness", "most"), [(0.3, 0.9), (0.9, 1.0)])
def test_corners_are_darker_than_the_middle_and_less_so_on_a_bright_picture(brightness: float, most: float) -> None:
    picture = painted("harbour at night", brightness).astype(float)
    corner, middle = picture[:10, -10:].mean(), picture[85:95, 250:260].mean()
    assert corner < middle * most
