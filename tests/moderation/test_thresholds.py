from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streamer.moderation.thresholds import Thresholds, classify
from streamer.types import Outcome

BAND = Thresholds(hold={"a": 0.25, "b": 0.25}, block={"a": 0.5})


@pytest.mark.parametrize(
    ("scores", "outcome", "code"),
    [
        ({}, Outcome.ALLOW, ""),
        ({"a": 0.2499, "b": 0.0, "unknown": 1.0}, Outcome.ALLOW, ""),
        ({"a": 0.25}, Outcome.HOLD, "a"),
        ({"a": 0.3, "b": 0.9}, Outcome.HOLD, "b"),
        ({"b": 1.0}, Outcome.HOLD, "b"),
        ({"a": 0.5, "b": 1.0}, Outcome.BLOCK, "a"),
        ({"a": math.nan}, Outcome.BLOCK, "a"),
    ],
)
def test_a_threshold_counts_from_its_own_value_on(scores: dict[str, float], outcome: Outcome, code: str) -> None:
    assert classify(scores, BAND) == (outcome, code)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_never_makes_the_outcome_milder(one: float, other: float) -> None:
    order = list(Outcome)
    low, high = (order.index(classify({"a": score}, BAND)[0]) for score in sorted((one, other)))
    assert low <= high


def test_a_threshold_outside_of_0_to_1_is_an_error() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        Thresholds(hold={"a": 50})
