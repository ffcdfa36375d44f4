"""The limiter: who waits how long, what costs a turn, and that its memory is bounded."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streamer.moderation.rules.cooldown import Cooldown, Options, create
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

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
    assert reason(rule, ask(), 118.5) == "try again in 12 s"
    assert reason(rule, ask(), 129.999) == "try again in 1 s"
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
    assert reason(rule, ask(role=role), max(wait - 0.5, 0.0)) == ("try again in 1 s" if wait else None)
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
    assert reason(rule, ask(command="sticker", cooldown_s=5.0), 2.0) == "try again in 4 s"
    assert reason(rule, ask(command="meme", cooldown_s=5.0), 2.0) is None
    assert reason(rule, ask(command="edit"), 2.0) == "try again in 28 s"


@pytest.mark.parametrize(("role", "wait"), [(Role.VIEWER, 60), (Role.SUBSCRIBER, 30), (Role.MODERATOR, 0)])
@pytest.mark.parametrize("default", [30, 0])
def test_a_wait_of_its_own_is_scaled_by_role_too(ask: Ask, role: Role, wait: int, default: int) -> None:
    rule, request = limiter(user_s=default), ask(role=role, cooldown_s=60.0)
    assert reason(rule, request, 0.0) is None
    assert (reason(rule, request, max(wait - 0.5, 0.0)) is None) == (wait == 0)
    assert reason(rule, request, wait) is None


@pytest.mark.parametrize(("viewer", "follower", "waits"), [(40, 10, 15), (0, 10, 60), (40, 0, 0)])
def test_a_wait_of_its_own_keeps_the_share_that_each_role_has_of_a_viewers_wait(
    ask: Ask, viewer: int, follower: int, waits: int
) -> None:
    """Where viewers do not wait at all there is no share, so the usual ones hold."""
    rule = limiter(user_s={"viewer": viewer, "follower": follower})
    request = ask(role=Role.FOLLOWER, cooldown_s=60.0)
    assert reason(rule, request, 0.0) is None
    assert (reason(rule, request, max(waits - 0.5, 0.0)) is None) == (waits == 0)
    assert reason(rule, request, waits) is None


def test_half_a_second_is_a_wait(ask: Ask) -> None:
    rule = limiter(user_s=0.5)
    assert reason(rule, ask(), 0.0) is None
    assert reason(rule, ask(), 0.4) == "try again in 1 s"
    assert reason(rule, ask(), 0.5) is None


def test_all_of_chat_together_is_spaced_after_a_burst(ask: Ask) -> None:
    rule = limiter(user_s=0, everyone_s=2, burst=3)
    passed = [reason(rule, ask(user=str(n)), 100.0) for n in range(4)]
    assert passed == [None, None, None, "chat is busy, try again in 2 s"]
    assert reason(rule, ask(user="5"), 102.0) is None
    assert reason(rule, ask(user="6"), 103.0) == "chat is busy, try again in 1 s"


def test_a_viewer_refused_because_of_the_crowd_keeps_their_own_turn(ask: Ask) -> None:
    rule = limiter(user_s=30, everyone_s=1, burst=1)
    assert reason(rule, ask(user="1"), 0.0) is None
    assert reason(rule, ask(user="2"), 0.5) is not None
    assert reason(rule, ask(user="2"), 1.0) is None


def test_a_viewer_who_has_to_wait_anyway_uses_no_turn_of_the_crowd(ask: Ask) -> None:
    rule = limiter(user_s=30, everyone_s=1, burst=1)
    assert reason(rule, ask(user="1"), 0.0) is None
    for n in range(100):
        reason(rule, ask(user="1"), 0.5 + n / 1000)
    assert reason(rule, ask(user="2"), 1.0) is None


@pytest.mark.parametrize(
    "fields", [{"priority": Lane.BROADCASTER}, {"priority": Lane.PAID}, {"role": Role.BROADCASTER}]
)
def test_the_streamer_and_paid_requests_are_never_limited_and_use_no_turn(ask: Ask, fields: dict[str, object]) -> None:
    rule = limiter(user_s=30, everyone_s=60, burst=1)
    assert [reason(rule, ask(**fields), 0.0) for _ in range(20)] == [None] * 20
    assert reason(rule, ask(user="2"), 0.0) is None
    assert reason(rule, ask(**fields), 0.0) is None


def test_memory_is_bounded_and_the_longest_unseen_are_forgotten_first(ask: Ask) -> None:
    rule = limiter(user_s=1000)
    for n in range(60_000):
        rule.check(ask(user=str(n)), 0.0)
    assert len(rule._waiting) == 50_000
    assert reason(rule, ask(user="59999"), 1.0) is not None
    assert reason(rule, ask(user="0"), 1.0) is None


def test_waits_that_are_over_are_forgotten_as_time_passes(ask: Ask) -> None:
    rule = limiter(user_s=10)
    for second in range(1000):
        rule.check(ask(user=str(second)), float(second))
    assert len(rule._waiting) <= 10


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
    # A promised turn comes on top of a burst of two.
    assert all(later - earlier >= everyone_s - 1e-6 for earlier, later in zip(times, times[3:], strict=False))


def crowd(rule: Cooldown, now: float) -> str | None:
    """Let somebody who was never here before ask; an endless number of them takes all the room there is."""
    return reason(rule, simple(f"newcomer {now}"), now)


def test_a_viewer_who_passed_passes_again_after_their_wait_whatever_the_crowd_does(ask: Ask) -> None:
    rule = limiter(user_s=10, everyone_s=1, burst=1)
    assert reason(rule, ask(), 0.0) is None
    passed = [now / 10 for now in range(1, 100) if crowd(rule, now / 10) is None]
    assert passed == [float(now) for now in range(1, 10)]
    assert crowd(rule, 9.95) is not None
    assert reason(rule, ask(), 9.99) == "try again in 1 s"
    assert reason(rule, ask(), 10.0) is None
    assert crowd(rule, 10.5) is not None


def test_a_promised_turn_comes_on_top_of_the_burst_and_the_crowd_pays_for_it(ask: Ask) -> None:
    rule = limiter(user_s=10, everyone_s=1, burst=2)
    assert reason(rule, ask(), 0.0) is None
    assert [crowd(rule, at) for at in (9.8, 9.9)] == [None, None]
    assert reason(rule, ask(), 10.0) is None
    assert crowd(rule, 11.7) == "chat is busy, try again in 1 s"
    assert crowd(rule, 11.8) is None


def test_promises_take_half_of_the_turns_and_the_reported_wait_is_true(ask: Ask) -> None:
    rule = limiter(user_s=4, everyone_s=1, burst=4)
    assert [reason(rule, ask(user=str(n)), 0.0) for n in range(4)] == [None] * 4
    # The crowd takes what room there is.
    for tenth in range(1, 40):
        crowd(rule, tenth / 10)
    assert reason(rule, ask(user="0"), 4.0) is None
    told = [reason(rule, ask(user=str(n)), 4.1) for n in (1, 2, 3)]
    assert told == [f"chat is busy, try again in {wait} s" for wait in (2, 4, 6)]
    for at in range(42, 100):
        crowd(rule, at / 10)
        if at in (60, 80):
            assert reason(rule, ask(user=str(at // 20 - 2)), at / 10) is None
    assert reason(rule, ask(user="3"), 9.99) is not None
    assert reason(rule, ask(user="3"), 10.0) is None


def test_a_viewer_with_a_promise_passes_earlier_only_when_there_is_much_room(ask: Ask) -> None:
    rule = limiter(user_s=1, everyone_s=1, burst=5)
    for n in range(5):
        assert reason(rule, ask(user=str(n)), 0.0) is None
    assert reason(rule, ask(user="4"), 2.9) == "chat is busy, try again in 7 s"
    assert reason(rule, ask(user="stranger"), 2.9) is None
    assert reason(rule, ask(user="4"), 3.9) == "chat is busy, try again in 6 s"
    assert reason(rule, ask(user="4"), 4.0) is None


def test_two_promised_turns_used_together_are_spaced(ask: Ask) -> None:
    rule = limiter(user_s=2, everyone_s=1, burst=1)
    for n in range(3):
        assert reason(rule, ask(user=str(n)), float(n)) is None
    for at in range(30, 195):
        crowd(rule, at / 10)
    # Both turns are long due: one is kept at once, the other after two turns of the crowd.
    assert reason(rule, ask(user="0"), 19.5) is None
    assert reason(rule, ask(user="1"), 20.0) == "chat is busy, try again in 2 s"
    assert crowd(rule, 21.0) is None
    assert reason(rule, ask(user="1"), 21.4) == "chat is busy, try again in 1 s"
    assert reason(rule, ask(user="1"), 21.5) is None


def test_a_promise_is_kept_for_a_minute_and_none_is_made_for_later_than_ten(ask: Ask) -> None:
    rule = limiter(user_s=10, everyone_s=1, burst=1)
    rule.check(ask(), 0.0)
    rule.check(ask(user="2"), 69.9)
    assert "1" in {who for who, _ in rule._waiting}
    rule.check(ask(user="3"), 70.9)
    assert "1" not in {who for who, _ in rule._waiting}
    for user_s, promised in ((600, 1100.0), (601, float("inf"))):
        far = limiter(user_s=user_s, everyone_s=1, burst=1)
        far.check(ask(), 500.0)
        assert list(far._waiting.values()) == [(500.0 + user_s, promised)]


def test_in_a_flood_people_who_keep_asking_pass_equally_often_and_the_loudest_no_more() -> None:
    rule = limiter(user_s=5, everyone_s=0.25, burst=5)
    served = {f"steady {n}": 0 for n in range(12)}
    asks_at = {who: n * 0.4 for n, who in enumerate(served)}
    loud = 0
    for step in range(12_000):
        now = step / 100
        for who, at in asks_at.items():
            if at <= now:
                told = reason(rule, simple(who), now)
                served[who] += told is None and now > 20
                asks_at[who] = now + (5 if told is None else int(told.split()[-2]))
        if now > 20:
            crowd(rule, now)
            loud += reason(rule, simple("loud"), now) is None
    shares = list(served.values())
    assert sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares)) > 0.97
    assert loud <= max(shares) + 1, "the first time anybody may be lucky"


def test_a_turn_that_found_the_queue_full_is_given_back_and_promised(ask: Ask) -> None:
    rule = limiter(user_s=30, everyone_s=1, burst=1)
    assert reason(rule, ask(), 0.0) is None
    rule.give_back(ask(), 0.0)
    assert crowd(rule, 1.0) is None
    assert crowd(rule, 1.5) is not None
    assert reason(rule, ask(), 1.5) is None
    assert reason(rule, ask(), 2.0) == "try again in 30 s"


@pytest.mark.parametrize(
    "fields", [{"priority": Lane.PAID}, {"priority": Lane.BROADCASTER}, {"role": Role.BROADCASTER}, {"user": "other"}]
)
def test_a_request_that_used_no_turn_gives_none_back(ask: Ask, fields: dict[str, object]) -> None:
    rule = limiter(user_s=30)
    assert reason(rule, ask(), 0.0) is None
    rule.give_back(ask(**fields), 1.0)
    assert reason(rule, ask(), 2.0) == "try again in 28 s"


def simple(user: str) -> ImageRequest:
    return ImageRequest(
        "r", "bg", RequestKind.BACKGROUND, "background", "t", "t", SamplingParams(1, 1, 1, 1.0, 1),
        Actor(user, user, Role.VIEWER), Lane.CHAT, 0.0, 30.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{"user_s": -1}, {"user_s": {"vips": 3}}, {"burst": 0}, {"everyone_s": float("inf")}, {"users": 3}]
)
def test_senseless_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_the_defaults_are_half_a_minute_a_viewer_and_a_second_for_all_after_five() -> None:
    options = Options()
    assert (options.user_s, options.everyone_s, options.burst, options.newcomer) == (30, 1, 5, 2)
    assert Options(newcomer=1, burst=1, everyone_s=0, user_s=0).newcomer == 1
    with pytest.raises(ValidationError):
        options.burst = 6  # type: ignore[misc]


def test_a_first_message_costs_more_turns_for_its_writer_and_for_everyone(ask: Ask) -> None:
    rule = limiter(user_s=30, everyone_s=1, burst=1, newcomer=3)
    assert reason(rule, ask(first_time=True), 0.0) is None
    assert reason(rule, ask(user="other"), 2.5) == "chat is busy, try again in 1 s"
    assert reason(rule, ask(user="other"), 3.0) is None
    assert reason(rule, ask(), 89.0) == "try again in 1 s"
    assert reason(rule, ask(), 90.0) is None
    assert reason(rule, ask(), 119.0) == "try again in 1 s"
