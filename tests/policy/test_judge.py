"""Facts about the chain: rules are asked in order, and the first refusal ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streamer.policy import judge, name_fits
from streamer.types import ImageRequest, Refusal


class Recorded:
    def __init__(self, name: str, asked: list[str], refuses: bool) -> None:
        self.name, self.asked, self.refuses = name, asked, refuses

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        self.asked.append(self.name)
        return Refusal(request.id, self.name, "no") if self.refuses else None


def test_the_first_refusal_ends_the_chain(ask: Callable[..., ImageRequest]) -> None:
    asked: list[str] = []
    rules = [Recorded("a", asked, False), Recorded("b", asked, True), Recorded("c", asked, True)]
    assert judge(rules, ask(), 0.0) == Refusal("r1", "b", "no")
    assert asked == ["a", "b"]


def test_a_request_no_rule_refuses_passes(ask: Callable[..., ImageRequest]) -> None:
    asked: list[str] = []
    assert judge([Recorded("a", asked, False), Recorded("b", asked, False)], ask(), 0.0) is None
    assert asked == ["a", "b"]
    assert judge([], ask(), 0.0) is None


class Broken:
    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        raise ZeroDivisionError

    def name_ok(self, name: str) -> bool:
        raise ZeroDivisionError


def test_a_rule_that_breaks_refuses_and_is_logged(
    ask: Callable[..., ImageRequest], caplog: pytest.LogCaptureFixture
) -> None:
    refusal = judge([Broken()], ask(), 0.0)
    assert refusal is not None
    assert (refusal.rule, "Broken" in caplog.text) == ("policy", True)


def test_a_name_fits_when_no_rule_objects_and_none_breaks() -> None:
    class Picky(Broken):
        def name_ok(self, name: str) -> bool:
            return name != "marmalade"

    assert name_fits([Picky(), Recorded("blind to names", [], True)], "ann")
    assert not name_fits([Picky()], "marmalade")
    assert not name_fits([Broken()], "ann")
