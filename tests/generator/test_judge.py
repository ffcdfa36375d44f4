from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.generator.judge import highest_scores, tiles


def test_the_highest_of_several_scores_keeps_every_class() -> None:
    assert highest_scores([{"a": 0.1, "b": 0.9}, {"a": 0.4}, {}]) == {"a": 0.4, "b": 0.9}
    assert math.isnan(highest_scores([{"a": 0.1}, {"a": math.nan}])["a"])


@given(st.integers(1, 60), st.integers(1, 60))
def test_each_grid_covers_every_pixel_exactly_once(width: int, height: int) -> None:
    pixels = np.arange(width * height, dtype=np.uint32).reshape(height, width, 1)
    whole, *parts = tiles(pixels, (2, 3))  # type: ignore[arg-type]
    assert whole is pixels
    assert len(parts) == 4 + 9
    for grid in (parts[:4], parts[4:]):
        assert sorted(int(value) for tile in grid for value in tile.ravel()) == list(range(width * height))
