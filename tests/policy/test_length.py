"""Facts about how much text a request may carry."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from streamer.policy.length import Options, create
from streamer.types import ImageRequest

Ask = Callable[..., ImageRequest]


@pytest.mark.parametrize(("length", "passes"), [(0, False), (2, False), (3, True), (10, True), (11, False)])
def test_both_bounds_are_inclusive(ask: Ask, length: int, passes: bool) -> None:
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


def test_bounds_that_leave_no_room_are_refused() -> None:
    with pytest.raises(ValidationError, match="lower shortest"):
        Options(shortest=11, longest=10)
