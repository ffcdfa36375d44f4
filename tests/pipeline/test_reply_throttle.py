"""Refusals are told once a person and never faster than chat can read."""

from __future__ import annotations

from streamer.pipeline.reply_throttle import AGAIN_S, BURST, EVERYONE_S, REMEMBERED, ReplyThrottle
from streamer.types import Actor, Redemption, Role, Trigger


def said(name: str, **more: object) -> Trigger:
    return Trigger("t", "test", "!bg", Actor(name, name, Role.VIEWER), 0.0, **more)  # type: ignore[arg-type]


def test_one_person_is_told_once_in_half_a_minute() -> None:
    throttle = ReplyThrottle()
    assert [throttle.allows(said("ann"), now) for now in (0.0, 1.0, AGAIN_S - 0.1, AGAIN_S)] == [
        True,
        False,
        False,
        True,
    ]


def test_a_crowd_is_told_a_few_at_once_and_then_two_a_second() -> None:
    throttle = ReplyThrottle()
    assert (BURST, EVERYONE_S) == (10, 0.5)
    assert sum(throttle.allows(said(f"u{n}"), 0.0) for n in range(1000)) == BURST
    assert sum(throttle.allows(said(f"v{n}"), EVERYONE_S * n / 10) for n in range(1, 1001)) == 100


def test_what_was_paid_for_is_always_told() -> None:
    throttle = ReplyThrottle()
    assert all(throttle.allows(said("ann", redemption=Redemption("r", "w")), 0.0) for _ in range(50))


def test_the_place_of_the_burst_is_free_again_at_the_very_moment_that_it_is_due() -> None:
    throttle = ReplyThrottle(everyone_s=0.5, burst=2)
    assert [throttle.take(f"u{n}", now) for n, now in enumerate((0.0, 0.0, 0.0, 0.4, 0.5, 0.5))] == [
        True, True, False, False, True, False,
    ]  # fmt: skip


def test_as_many_people_are_remembered_as_could_have_been_told_and_no_more() -> None:
    throttle = ReplyThrottle(everyone_s=0.0)
    assert throttle.take("ann", 0.0)
    assert all(throttle.take(f"u{n}", 0.0) for n in range(REMEMBERED - 1))
    assert not throttle.take("ann", 0.0)
    assert throttle.take("one more", 0.0)
    assert throttle.take("ann", 0.0)
    assert REMEMBERED == 20_000
