"""The canvas: edges are smooth, gradients do not band, nothing outside it hurts."""

from __future__ import annotations

import numpy as np

from streamer.generator.procedural.engine.canvas import Canvas
from streamer.generator.procedural.engine.noise import Noise

BLACK, WHITE = np.zeros(3, np.float32), np.ones(3, np.float32)


def test_a_sloping_edge_has_grey_pixels_between_its_sides() -> None:
    canvas = Canvas(64, 64)
    canvas.below(np.linspace(20, 40, 64, dtype=np.float32), WHITE, WHITE, 10)
    grey = (canvas.rgb[0] > 0.55) & (canvas.rgb[0] < 0.95)
    assert 32 <= np.count_nonzero(grey) <= 200
    assert (canvas.rgb[:, 45:] == 1).all()
    assert (canvas.rgb[:, :18] == 0.5).all()


def test_rows_that_something_nearer_covers_are_left_alone() -> None:
    canvas = Canvas(16, 32)
    canvas.below(np.full(16, 10, np.float32), WHITE, WHITE, 10, until=20)
    assert (canvas.rgb[:, 12:20] == 1).all()
    assert (canvas.rgb[:, 20:] == 0.5).all()


def test_shapes_outside_the_canvas_paint_nothing() -> None:
    canvas = Canvas(32, 32)
    for x in (-90.0, 90.0):
        stencil = canvas.stencil(x - 10, -10, x + 10, 10)
        stencil.ellipse(x, 0, 9, 9)
        canvas.stamp(stencil, WHITE)
        canvas.glow(x, 200, 4, WHITE, 1.0)
        canvas.dots(np.array([x], np.float32), np.array([x], np.float32), np.array([3.0], np.float32), WHITE, 1.0)
    assert (canvas.rgb == 0.5).all()
    assert (canvas.light == 0).all()


def test_a_dot_covers_its_area() -> None:
    canvas = Canvas(64, 64)
    canvas.rgb[:] = 0
    at = np.array([32.3], np.float32)
    canvas.dots(at, at, np.array([6.0], np.float32), WHITE, 1.0)
    assert abs(float(canvas.rgb[0].sum()) - np.pi * 36) < 3


def test_enlarging_keeps_a_straight_gradient_straight() -> None:
    canvas = Canvas(64, 48)
    coarse = np.repeat(np.linspace(0, 1, 12, dtype=np.float32)[:, None], 16, 1)
    large = canvas.enlarge(coarse)
    assert large.shape == (48, 64)
    assert np.abs(np.diff(large[6:-6], n=2, axis=0)).max() < 1e-5


def test_a_faint_gradient_is_dithered_and_not_banded() -> None:
    canvas = Canvas(256, 64)
    canvas.rgb[:] = np.linspace(0.40, 0.41, 256, dtype=np.float32)
    row = canvas.finish(Noise(), vignette=0.0)[:, :, 0]
    assert all(len(np.unique(row[:, x])) > 1 for x in range(256))
    means = row.mean(0)
    assert abs(float(means[-32:].mean() - means[:32].mean()) - 2.2) < 1.0
