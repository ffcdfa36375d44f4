"""The rule `length`: texts that are too long or too short are refused with their length."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from streamer.moderation.rules.length import Options, create
from streamer.types import ImageRequest

Ask = Callable[..., ImageRequest]


@pytest.mark.parametrize(("length", "passes"), [(0, False), (2, False), (3, True), (10, True), (11, False)])
def test_both_limits_are_inclusive(ask: Ask, length: int, passes: bool) -> None:
    refusal = create(Options(shortest=3, longest=10)).check(ask(text="ж" * length), 0.0)
    assert (refusal is None) == passes


def test_the_reason_says_by_how_much(ask: Ask) -> None:
    refusal = create(Options()).check(ask(text="x" * 301), 0.0)
    assert refusal is not None
    assert refusal.reason == "too long: 301 characters, at most 300"


def test_a_command_without_text_is_told_to_say_something(ask: Ask) -> None:
    refusal = create(Options()).check(ask(text=""), 0.0)
    assert refusal is not None
    assert refusal.reason == "say what to draw"


def test_limits_that_leave_no_room_are_refused() -> None:
    with pytest.raises(ValidationError, match="lower shortest"):
        Options(shortest=11, longest=10)


def test_limits_may_be_equal_and_as_low_as_zero_and_one(ask: Ask) -> None:
    rule = create(Options(shortest=0, longest=1))
    assert [rule.check(ask(text="x" * length), 0.0) is None for length in (0, 1, 2)] == [True, True, False]
    assert Options(shortest=5, longest=5).shortest == 5


def test_the_defaults_are_one_to_three_hundred_characters(ask: Ask) -> None:
    rule = create(Options())
    assert [rule.check(ask(text="x" * length), 0.0) is None for length in (0, 1, 300)] == [False, True, True]


def test_the_reason_for_too_short_a_text_names_its_length(ask: Ask) -> None:
    refusal = create(Options(shortest=3)).check(ask(text="xx"), 0.0)
    assert refusal is not None
    assert refusal.reason == "too short: 2 characters, at least 3"
