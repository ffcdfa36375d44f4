"""Facts about the limiter: who waits how long, what costs a turn, and that its memory is flat."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streamer.policy.cooldown import Cooldown, Options, create
from streamer.types import Actor, ImageRequest, Lane, Role, SamplingParams

Ask = Callable[..., ImageRequest]


def limiter(**options: object) -> Cooldown:
    return create(Options.model_validate({"everyone_s": 0, **options}))


def reason(rule: Cooldown, request: ImageRequest, now: float) -> str | None:
    refusal = rule.check(request, now)
    assert refusal is None or (refusal.request_id, refusal.rule) == (request.id, "cooldown")
    return refusal.reason if refusal else None


def test_a_viewer_waits_and_is_told_how_long(ask: Ask) -> None:
    rule = limiter(user_s=30)
    assert reason(rule, ask(), 100.0) is None
    assert reason(rule, ask(), 118.5) == "ready again in 12 s"
    assert reason(rule, ask(), 129.999) == "ready again in 1 s"
    assert reason(rule, ask(), 130.0) is None


def test_asking_too_soon_does_not_prolong_the_wait(ask: Ask) -> None:
    rule = limiter(user_s=30)
    assert [reason(rule, ask(), now) is None for now in (0.0, 10.0, 20.0, 29.0, 30.0)] == [True, *[False] * 3, True]


def test_viewers_do_not_wait_for_one_another(ask: Ask) -> None:
    rule = limiter(user_s=30)
    assert reason(rule, ask(user="1"), 0.0) is None
    assert reason(rule, ask(user="2"), 0.0) is None


@pytest.mark.parametrize(
    ("role", "wait"),
    [(Role.VIEWER, 30), (Role.FOLLOWER, 30), (Role.SUBSCRIBER, 15), (Role.VIP, 10), (Role.MODERATOR, 0)],
)
def test_one_number_is_shared_out_over_the_roles(ask: Ask, role: Role, wait: int) -> None:
    rule = limiter(user_s=30)
    assert reason(rule, ask(role=role), 0.0) is None
    assert reason(rule, ask(role=role), max(wait - 0.5, 0.0)) == ("ready again in 1 s" if wait else None)
    assert reason(rule, ask(role=role), wait) is None


@pytest.mark.parametrize(
    ("role", "wait"),
    [(Role.VIEWER, 60), (Role.FOLLOWER, 60), (Role.SUBSCRIBER, 20), (Role.VIP, 20), (Role.MODERATOR, 0)],
)
def test_a_role_left_out_waits_as_the_one_below_it_and_moderators_do_not(ask: Ask, role: Role, wait: int) -> None:
    rule = limiter(user_s={"viewer": 60, "subscriber": 20})
    assert reason(rule, ask(role=role), 0.0) is None
    assert (reason(rule, ask(role=role), max(wait - 0.5, 0.0)) is None) == (wait == 0)
    assert reason(rule, ask(role=role), wait) is None


def test_a_command_with_a_wait_of_its_own_is_counted_by_itself(ask: Ask) -> None:
    rule = limiter(user_s=30)
    assert reason(rule, ask(), 0.0) is None
    assert reason(rule, ask(command="sticker", cooldown_s=5.0), 1.0) is None
    assert reason(rule, ask(command="sticker", cooldown_s=5.0), 2.0) == "ready again in 4 s"
    assert reason(rule, ask(command="meme", cooldown_s=5.0), 2.0) is None
    assert reason(rule, ask(command="edit"), 2.0) == "ready again in 28 s"


@pytest.mark.parametrize(("role", "wait"), [(Role.VIEWER, 60), (Role.SUBSCRIBER, 30), (Role.MODERATOR, 0)])
@pytest.mark.parametrize("default", [30, 0])
def test_a_wait_of_its_own_is_scaled_by_role_too(ask: Ask, role: Role, wait: int, default: int) -> None:
    rule, request = limiter(user_s=default), ask(role=role, cooldown_s=60.0)
    assert reason(rule, request, 0.0) is None
    assert (reason(rule, request, max(wait - 0.5, 0.0)) is None) == (wait == 0)
    assert reason(rule, request, wait) is None


def test_all_of_chat_together_is_spaced_after_a_burst(ask: Ask) -> None:
    rule = limiter(user_s=0, everyone_s=2, burst=3)
    passed = [reason(rule, ask(user=str(n)), 100.0) for n in range(4)]
    assert passed == [None, None, None, "many are asking at once, ready again in 2 s"]
    assert reason(rule, ask(user="5"), 102.0) is None
    assert reason(rule, ask(user="6"), 103.0) == "many are asking at once, ready again in 1 s"


def test_who_is_held_by_the_crowd_keeps_the_own_turn(ask: Ask) -> None:
    rule = limiter(user_s=30, everyone_s=1, burst=1)
    assert reason(rule, ask(user="1"), 0.0) is None
    assert reason(rule, ask(user="2"), 0.5) is not None
    assert reason(rule, ask(user="2"), 1.0) is None


def test_who_has_to_wait_anyway_costs_the_crowd_nothing(ask: Ask) -> None:
    rule = limiter(user_s=30, everyone_s=1, burst=1)
    assert reason(rule, ask(user="1"), 0.0) is None
    for n in range(100):
        reason(rule, ask(user="1"), 0.5 + n / 1000)
    assert reason(rule, ask(user="2"), 1.0) is None


@pytest.mark.parametrize(
    "fields", [{"priority": Lane.BROADCASTER}, {"priority": Lane.PAID}, {"role": Role.BROADCASTER}]
)
def test_the_streamer_and_what_was_paid_for_are_never_held_and_use_up_nothing(
    ask: Ask, fields: dict[str, object]
) -> None:
    rule = limiter(user_s=30, everyone_s=60, burst=1)
    assert [reason(rule, ask(**fields), 0.0) for _ in range(20)] == [None] * 20
    assert reason(rule, ask(user="2"), 0.0) is None
    assert reason(rule, ask(**fields), 0.0) is None


def test_memory_is_flat_and_the_longest_unseen_are_forgotten_first(ask: Ask) -> None:
    rule = limiter(user_s=1000)
    for n in range(60_000):
        rule.check(ask(user=str(n)), 0.0)
    assert len(rule._ready_at) == 50_000
    assert reason(rule, ask(user="59999"), 1.0) is not None
    assert reason(rule, ask(user="0"), 1.0) is None


def test_waits_that_are_over_are_forgotten_as_time_passes(ask: Ask) -> None:
    rule = limiter(user_s=10)
    for second in range(1000):
        rule.check(ask(user=str(second)), float(second))
    assert len(rule._ready_at) <= 10


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 20)), max_size=60), st.sampled_from([0.0, 2.0]))
def test_no_viewer_and_no_crowd_ever_gets_more_than_the_options_say(
    asked: list[tuple[str, float]], everyone_s: float
) -> None:
    rule, now = limiter(user_s=7, everyone_s=everyone_s, burst=2), 0.0
    passed: list[tuple[str, float]] = []
    for user, gap in asked:
        now += gap
        if rule.check(simple(user), now) is None:
            passed.append((user, now))
    for user in "abc":
        times = [at for who, at in passed if who == user]
        assert all(later - earlier >= 7 - 1e-6 for earlier, later in pairwise(times))
    times = [at for _, at in passed]
    assert all(later - earlier >= everyone_s - 1e-6 for earlier, later in zip(times, times[2:], strict=False))


def simple(user: str) -> ImageRequest:
    return ImageRequest(
        "r", "bg", "background", "background", "t", "t", SamplingParams(1, 1, 1, 1.0, 1),
        Actor(user, user, Role.VIEWER), Lane.CHAT, 0.0, 30.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{"user_s": -1}, {"user_s": {"vips": 3}}, {"burst": 0}, {"everyone_s": float("inf")}, {"users": 3}]
)
def test_senseless_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_what_is_not_said_is_half_a_minute_a_viewer_and_a_second_for_all_after_five() -> None:
    options = Options()
    assert (options.user_s, options.everyone_s, options.burst) == (30, 1, 5)
    with pytest.raises(ValidationError):
        options.burst = 6  # type: ignore[misc]


def test_a_first_message_costs_more_turns_for_its_writer_and_for_everyone(ask: Ask) -> None:
    rule = limiter(user_s=30, everyone_s=1, burst=1, newcomer=3)
    assert reason(rule, ask(first_time=True), 0.0) is None
    assert reason(rule, ask(user="other"), 2.5) == "many are asking at once, ready again in 1 s"
    assert reason(rule, ask(user="other"), 3.0) is None
    assert reason(rule, ask(), 89.0) == "ready again in 1 s"
    assert reason(rule, ask(), 90.0) is None
    assert reason(rule, ask(), 119.0) == "ready again in 1 s"
