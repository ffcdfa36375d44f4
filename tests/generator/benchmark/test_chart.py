"""The chart: bars as long as their times, a mark where the floor is, and texts that stay inside the picture."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageColor

from streamer.generator.benchmark import chart
from streamer.generator.benchmark.results import Machine, Results, Row


def coloured(picture: Image.Image, colour: str) -> npt.NDArray[np.bool_]:
    """Return where a picture has exactly this colour, below the legend."""
    shown: npt.NDArray[np.bool_] = (np.asarray(picture) == ImageColor.getrgb(colour)).all(axis=2)
    shown[: chart.TOP * chart.SCALE] = False
    return shown


def longest(shown: npt.NDArray[np.bool_]) -> int:
    """Return the width of the widest run of rows of pixels."""
    return int(max(np.flatnonzero(line)[-1] - np.flatnonzero(line)[0] + 1 for line in shown if line.any()))


def test_bars_are_as_long_as_their_times_and_the_floor_stands_on_its_place(results: Results) -> None:
    picture = chart.draw_chart(results)
    stock, ours = longest(coloured(picture, chart.STOCK)), longest(coloured(picture, chart.OURS))
    assert ours / stock == pytest.approx(172 / 509, abs=0.01)
    marks = np.flatnonzero(coloured(picture, chart.FLOOR).any(axis=0))
    left = (chart.MARGIN + chart.LABELS) * chart.SCALE
    assert (marks.mean() - left) / ours == pytest.approx(98 / 172, abs=0.02)


@pytest.mark.parametrize("count", [1, 12])
def test_no_text_is_cut_off_at_the_edges(count: int, machine: Machine, row: Callable[..., Row]) -> None:
    found = Results(machine)
    for number in range(count):
        found = found.with_outcome(row(100.0 + 300 * number, size=(64 + 16 * number, 64), model="flux2-dev-turbo"))
    ink = (np.asarray(chart.draw_chart(found)) != 255).any(axis=2)
    edge = 8 * chart.SCALE
    assert not any(part.any() for part in (ink[:edge], ink[-edge:], ink[:, :edge], ink[:, -edge:]))


def test_the_file_is_a_png_and_no_rows_are_no_fault(machine: Machine, results: Results) -> None:
    for found in (Results(machine), results):
        with Image.open(io.BytesIO(chart.png(found))) as picture:
            assert picture.format == "PNG"
            assert picture.width == chart.WIDTH * chart.SCALE


@pytest.mark.parametrize("longest_ms", [0.3, 7.0, 99.0, 172.0, 1525.0, 48000.0])
def test_the_scale_has_a_few_round_numbers(longest_ms: float) -> None:
    marks = chart.ticks(longest_ms)
    assert 2 <= len(marks) <= chart.MOST_TICKS
    assert marks[0] == 0
    assert longest_ms * 0.4 < marks[-1] <= longest_ms


def test_long_texts_are_broken_between_words() -> None:
    assert chart.wrapped(["a " * 200], 300, 12)[0].count("a") < 200
    assert " ".join(chart.wrapped(["one two three"], 40, 12)) == "one two three"
