"""What waits for a human leaves once, as the very picture that was looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.moderation.approval import SEEN_AFTER_S, ApprovalOptions, ApprovalQueue, HeldPicture, approval_reason
from streamer.types import Actor, ImageRequest, Lane, Outcome, Role, Verdict
from tests.support.examples import REQUEST, frame


def asked(name: str, **more: object) -> ImageRequest:
    actor = Actor(f"id-{name}", name, Role.VIEWER)
    return replace(REQUEST, **{"id": name, "actor": actor, **more})  # type: ignore[arg-type]


def held(holds: ApprovalQueue, name: str, now: float = 0.0, auto_release: bool = False, **more: object) -> HeldPicture:
    verdict = Verdict(f"v-{name}", name, "approval", Outcome.HOLD, "", "1", 0.0)
    assert holds.put(asked(name, **more), (), frame(name), verdict, "why", now, auto_release=auto_release) == []
    found = holds.get(name)
    assert found is not None
    return found


def test_a_picture_expires_and_a_paid_one_waits_longer() -> None:
    holds = ApprovalQueue(ApprovalOptions(expires_s=60, paid_expires_s=600))
    ann, paid = held(holds, "ann"), held(holds, "paid", priority=Lane.PAID)
    assert (ann.until, paid.until, holds.wakeup()) == (60.0, 600.0, 60.0)
    assert holds.expire(59.9) == []
    assert holds.expire(60.0) == [ann]
    assert holds.all() == (paid,)


def test_a_delayed_picture_is_due_and_never_expires() -> None:
    holds = ApprovalQueue(ApprovalOptions(delay_s=5))
    ann = held(holds, "ann", auto_release=True)
    assert (holds.due(4.9), holds.due(5.0), holds.expire(99.0)) == ([], [ann], [])


def test_a_moderator_may_say_a_number_a_name_or_nothing_when_only_one_waits() -> None:
    holds = ApprovalQueue(ApprovalOptions())
    ann = held(holds, "Ann")
    assert holds.find("", SEEN_AFTER_S) is ann
    ben = held(holds, "ben")
    assert holds.find("", 10.0) is None
    assert [holds.find(words, 10.0) for words in ("1", "@ann", " id-ben ", "ben", "zoe")] == [ann, ann, ben, ben, None]


def test_a_picture_is_meant_by_any_name_of_whoever_asked_and_a_login_goes_before_a_shown_name() -> None:
    holds = ApprovalQueue(ApprovalOptions())
    fox = held(holds, "fox", actor=Actor("77", "Лисица", Role.VIEWER, "foxy"))
    pretender = held(holds, "pretender", actor=Actor("78", "Foxy", Role.VIEWER, "somebody"))
    assert [holds.find(words, 10.0) for words in ("@foxy", "лисица", "77", "somebody")] == [fox, fox, fox, pretender]
    held(holds, "twin", actor=Actor("79", "лисица", Role.VIEWER, "vixen"))
    assert holds.find("лисица", 10.0) is None, "nobody can tell which one"


def test_a_bare_yes_never_means_a_picture_that_came_this_moment() -> None:
    holds = ApprovalQueue(ApprovalOptions())
    ann = held(holds, "ann", now=0.0)
    assert holds.take(ann)
    held(holds, "ben", now=10.0)
    assert holds.find("", 10.0 + SEEN_AFTER_S - 0.1) is None


def test_only_one_may_decide_and_a_picture_taken_back_meanwhile_is_gone() -> None:
    holds = ApprovalQueue(ApprovalOptions())
    ann = held(holds, "ann")
    deciding = holds.reserve(ann)
    assert deciding is not None
    assert holds.reserve(ann) is holds.reserve(deciding) is None
    assert holds.find("ann", 10.0) is None
    assert holds.expire(1e9) == []
    assert holds.drop(lambda request: request.id == "ann") == [ann.request]
    assert not holds.take(deciding)


def test_followers_share_the_fate_and_may_leave_alone() -> None:
    holds = ApprovalQueue(ApprovalOptions())
    verdict = Verdict("v", "ann", "approval", Outcome.HOLD, "", "1", 0.0)
    ann, ben = asked("ann"), asked("ben")
    holds.put(ann, (ben,), frame("ann"), verdict, "why", 0.0, auto_release=False)
    assert holds.drop(lambda request: request.id == "ben") == [ben]
    (left,) = holds.all()
    assert left.requests == (ann,)
    holds.take(left)
    holds.put(ann, (ben,), frame("ann"), verdict, "why", 0.0, auto_release=False)
    assert holds.drop(lambda request: request.id == "ann") == [ann, ben]
    assert len(holds) == 0


def test_the_oldest_goes_when_too_many_wait() -> None:
    holds = ApprovalQueue(ApprovalOptions(limit=2))
    ann, _ = held(holds, "ann"), held(holds, "ben")
    verdict = Verdict("v", "cat", "approval", Outcome.HOLD, "", "1", 0.0)
    assert holds.put(asked("cat"), (), frame("cat"), verdict, "why", 0.0, auto_release=False) == [ann]


@pytest.mark.parametrize(
    ("mode", "alarm", "first_time", "held"),
    [("off", "raid", True, False), ("on", "", False, True), ("auto", "", False, False), ("auto", "raid", False, True),
     ("auto", "", True, True)],
)  # fmt: skip
def test_when_a_human_looks_first(mode: str, alarm: str, first_time: bool, held: bool) -> None:
    options = ApprovalOptions.model_validate({"mode": mode})
    assert (approval_reason(asked("ann", first_time=first_time), options, alarm) is not None) is held
    moderator = replace(REQUEST, actor=Actor("m", "mod", Role.MODERATOR), first_time=first_time)
    assert approval_reason(moderator, options, alarm) is None


def test_a_crowd_pushes_out_neither_what_was_paid_nor_what_goes_by_itself() -> None:
    holds = ApprovalQueue(ApprovalOptions(limit=3, delay_s=5))
    held(holds, "paid", priority=Lane.PAID)
    held(holds, "known", auto_release=True)
    first = held(holds, "first")
    verdict = Verdict("v", "second", "approval", Outcome.HOLD, "", "1", 0.0)
    assert holds.put(asked("second"), (), frame("second"), verdict, "why", 1.0, auto_release=False) == [first]
    assert [one.request.id for one in holds.all()] == ["paid", "known", "second"]


def test_what_would_go_by_itself_can_be_made_to_wait_for_a_human() -> None:
    holds = ApprovalQueue(ApprovalOptions(delay_s=5, expires_s=60))
    ann = held(holds, "ann", auto_release=True)
    holds.require_approval(ann, 5.0)
    assert (holds.due(6.0), holds.wakeup()) == ([], 65.0)
    assert [one.request.id for one in holds.expire(65.0)] == ["ann"]


def test_the_same_picture_is_joined_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    holds = ApprovalQueue(ApprovalOptions())
    ann = held(holds, "ann")
    assert holds.join(asked("paid", priority=Lane.PAID)) is None
    assert holds.join(asked("eve", prompt="another")) is None
    joined = holds.join(asked("ben"))
    assert joined is not None
    assert (holds.all(), [one.id for one in joined.requests]) == ((joined,), ["ann", "ben"])
    assert (joined.frame, joined.verdict, joined.until) == (ann.frame, ann.verdict, ann.until)
    monkeypatch.setattr("streamer.moderation.approval.FOLLOWERS", 1)
    assert holds.join(asked("zoe")) is None


def test_who_joins_while_a_moderator_decides_is_served_too() -> None:
    holds = ApprovalQueue(ApprovalOptions())
    deciding = holds.reserve(held(holds, "ann"))
    assert deciding is not None
    joined = holds.join(asked("ben"))
    assert joined is not None
    assert joined.deciding
    assert holds.take(joined)
