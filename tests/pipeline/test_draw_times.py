"""How long the next picture takes is told by the last ones like it, and so is when the one being drawn is due."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.pipeline.draw_times import ASSUMED_S, DrawTimes, due_in_s
from streamer.types import RequestKind
from tests.support.examples import REQUEST

BIG = replace(REQUEST, params=replace(REQUEST.params, width=2048))
LONG = replace(REQUEST, params=replace(REQUEST.params, num_inference_steps=8))
EDIT = replace(REQUEST, kind=RequestKind.EDIT)


def test_before_anything_was_drawn_a_time_is_assumed() -> None:
    times = DrawTimes()
    assert (times.usual_s(REQUEST), times.expected_s(REQUEST), times.slowest_s) == (None, ASSUMED_S, ASSUMED_S)


def test_one_slow_picture_does_not_change_what_is_expected_and_several_do() -> None:
    times, expected = DrawTimes(), []
    for seconds in (0.3, 0.4, 9.0, 9.0, 9.0):
        times.note(REQUEST, seconds)
        expected.append(times.expected_s(REQUEST))
    assert expected == [0.3, 0.35, 0.4, 4.7, 9.0]


def test_sizes_and_edits_are_told_apart_and_what_was_never_drawn_is_as_slow_as_the_slowest() -> None:
    times = DrawTimes()
    times.note(REQUEST, 0.3)
    times.note(EDIT, 0.7)
    assert [times.usual_s(one) for one in (REQUEST, EDIT, BIG, LONG)] == [0.3, 0.7, None, None]
    assert times.expected_s(BIG) == times.slowest_s == 0.7


def test_the_times_of_another_backend_say_nothing() -> None:
    times = DrawTimes()
    times.drawn_by("klein")
    times.note(REQUEST, 4.0)
    times.drawn_by("klein")
    assert times.usual_s(REQUEST) == 4.0
    times.drawn_by("procedural")
    assert (times.usual_s(REQUEST), times.slowest_s) == (None, ASSUMED_S)
    times.drawn_by("klein")
    assert times.usual_s(REQUEST) == 4.0, "and it draws again"


@pytest.mark.parametrize(
    ("usual_s", "elapsed_s", "step", "due_s"),
    [
        (4.0, 1.0, 1, 3.0),
        (4.0, 1.0, 3, 3.0),
        (None, 1.0, 1, 3.0),
        (None, 0.1, 1, pytest.approx(0.3)),
        (0.5, 2.0, 2, 2.0),
        (0.5, 2.0, 4, 0.0),
        (None, 1.0, 0, 4.0),
        (None, 1.0, 5, 0.0),
    ],
)
def test_a_picture_is_due_when_it_usually_comes_or_by_the_pace_of_its_steps(
    usual_s: float | None, elapsed_s: float, step: int, due_s: float
) -> None:
    assert due_in_s(usual_s, elapsed_s, step, 4) == due_s
