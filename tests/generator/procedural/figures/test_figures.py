"""The figures' own pieces: curves that close, mirrors that mirror, and no two characters alike."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.generator.procedural.engine.colour import lch
from streamer.generator.procedural.figures import beings, creatures, face, food, things
from streamer.generator.procedural.figures.animals import COATS, draw
from streamer.generator.procedural.figures.pen import Pen, arc, flipped, oval, smooth

COLOUR = lch(0.62, 0.17, 250)
FIGURES = {
    name: figure
    for module in (beings, creatures, food, things)
    for name, figure in vars(module).items()
    if callable(figure) and getattr(figure, "__module__", "") == module.__name__ and not name.startswith("_")
}


def drawn(name: str, look: str = "happy") -> tuple[np.ndarray, np.ndarray]:
    pen = Pen(48)
    FIGURES[name](pen, COLOUR, look)
    return pen.layers()


def test_no_two_figures_have_the_same_outline() -> None:
    outlines = {name: drawn(name)[1] for name in FIGURES}
    assert len(outlines) > 30
    for one, other in itertools.combinations(outlines, 2):
        assert np.abs(outlines[one] - outlines[other]).mean() > 0.01, (one, other)


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_figure_is_drawn_the_same_each_time(name: str) -> None:
    for first, again in zip(drawn(name), drawn(name), strict=True):
        assert np.array_equal(first, again)


def test_animals_of_different_coats_differ() -> None:
    pictures = []
    for name in COATS:
        pen = Pen(48)
        draw(pen, name, 0, "happy", "")
        pictures.append(pen.layers()[0])
    for one, other in itertools.combinations(pictures, 2):
        assert np.abs(one - other).mean() > 0.002


def test_every_look_changes_a_face() -> None:
    pictures = {look: drawn("ghost", look)[0] for look in face.LOOKS}
    for one, other in itertools.combinations(pictures, 2):
        assert not np.array_equal(pictures[one], pictures[other]), (one, other)


@given(st.floats(0.1, 2), st.floats(0.1, 2), st.floats(0, math.pi))
def test_an_oval_keeps_its_size_however_it_is_turned(rx: float, ry: float, turn: float) -> None:
    reach = [math.hypot(x, y) for x, y in oval(0, 0, rx, ry, turn)]
    assert min(reach) >= min(rx, ry) - 1e-9
    assert max(reach) <= max(rx, ry) + 1e-9


def test_a_curve_runs_through_its_points_and_a_mirror_twice_is_nothing() -> None:
    points = [(0.0, 0.0), (1.0, 0.2), (0.8, 1.0), (-0.3, 0.7)]
    assert all(point in smooth(points) for point in points)
    assert flipped(flipped(points)) == points


def test_an_arc_begins_and_ends_where_it_is_told() -> None:
    points = arc(0, 0, 2, 1, 0, 90)
    assert points[0] == pytest.approx((2, 0))
    assert points[-1] == pytest.approx((0, 1), abs=1e-9)
