"""The size in which a picture is drawn, and how it becomes the size that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.generator.openvino.sizes import SizeRule, fill

RULE = SizeRule(512, 64)


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [
        ((512, 512), (512, 512)),
        ((1024, 1024), (512, 512)),
        ((1280, 720), (704, 384)),
        ((720, 1280), (384, 704)),
        ((1920, 1080), (704, 384)),
        ((256, 256), (256, 256)),
        ((250, 130), (256, 192)),
        ((4000, 100), (3264, 64)),
    ],
)
def test_about_as_many_pixels_as_the_model_was_trained_on_in_the_shape_that_was_asked_for(
    asked: tuple[int, int], drawn: tuple[int, int]
) -> None:
    assert RULE.drawn(*asked) == drawn


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    picture = np.zeros((64, 128, 3), dtype=np.uint8)
    assert fill(picture, 128, 64) is picture


def test_what_stands_over_is_cut_off_equally_and_nothing_is_squeezed() -> None:
    picture = np.zeros((100, 200, 3), dtype=np.uint8)
    picture[:, :50], picture[:, 150:] = 255, 255
    square = fill(picture, 100, 100)
    assert square.shape == (100, 100, 3)
    assert int(square[:, 10:90].max()) == 0
    assert fill(picture, 400, 200).shape == (200, 400, 3)
