"""What is replied: our own words first, to those who asked, and seldom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.integrations.twitch.replies import MAX_LENGTH, ReplyLimiter, ReplyOptions, reply_to, silence_s
from streamer.types import Actor, Answer, Clear, Ended, Event, Redemption, Refusal, Refused, RequestState, Role, Trigger
from tests.support.examples import REQUEST

ANN = Actor("7", "Ann", Role.VIEWER)
ASKED = replace(REQUEST, actor=ANN, source="twitch")
TRIGGER = Trigger("m1", "twitch", "!bg x", ANN, 1.0)
ALL = ReplyOptions(silent=frozenset({"cooldown"}))


def text(event: Event, options: ReplyOptions = ALL) -> str | None:
    reply = reply_to(event, options, str)
    return reply.text if reply else None


def test_each_kind_of_reply_answers_the_message_that_asked() -> None:
    drawn = reply_to(Ended(ASKED, RequestState.SHOWN), ALL, str)
    assert drawn is not None
    assert (drawn.parent_id, drawn.actor, drawn.text) == ("r1", ANN, "Drawn for you, Ann")
    refused = reply_to(Refused(TRIGGER, Refusal("m1", "length", "too long")), ALL, str)
    assert refused is not None
    assert (refused.parent_id, refused.text) == ("m1", "Sorry, Ann: too long.")
    assert text(Answer("m1", "twitch", ANN, "3 waiting")) == "Note: 3 waiting"
    assert text(Ended(ASKED, RequestState.FAILED, "generator", "the picture failed")) is not None


def test_a_name_that_may_not_be_shown_is_left_out() -> None:
    drawn = reply_to(Ended(ASKED, RequestState.SHOWN), ALL, lambda name: "")
    refused = reply_to(Refused(TRIGGER, Refusal("m1", "length", "too long")), ALL, lambda name: "")
    assert [reply.text for reply in (drawn, refused) if reply] == ["Drawn for you", "Sorry: too long."]


def test_a_link_is_sent_only_where_one_is_configured() -> None:
    options = ReplyOptions(link="https://pictures.example/{id}.jpg")
    assert text(Ended(ASKED, RequestState.SHOWN), options) == "Drawn for you, Ann: https://pictures.example/r1.jpg"


def test_whoever_paid_hears_that_the_points_come_back_and_no_message_is_answered() -> None:
    paid = replace(ASKED, redemption=Redemption("p", "r"))
    reply = reply_to(Ended(paid, RequestState.EXPIRED, "expired", "too late"), ALL, str)
    assert reply is not None
    assert (reply.parent_id, reply.text) == (None, "Sorry, Ann: too late. Your points come back.")


@pytest.mark.parametrize(
    "event",
    [
        Clear("background"),
        Answer("m1", "http", ANN, "3 waiting"),
        Refused(replace(TRIGGER, source="http"), Refusal("m1", "length", "too long")),
        Refused(TRIGGER, Refusal("m1", "cooldown", "try again in 3 s")),
        Ended(replace(ASKED, source="events"), RequestState.SHOWN),
        Ended(ASKED, RequestState.SUPERSEDED, "queue", "a newer one"),
        Ended(ASKED, RequestState.CANCELLED, "panic", "switched off"),
    ],
)
def test_events_that_nobody_in_chat_waits_for_get_no_reply(event: Event) -> None:
    assert text(event) is None


def test_each_kind_can_be_switched_off() -> None:
    quiet = ReplyOptions(refusals=False, drawn=False, answers=False)
    assert text(Ended(ASKED, RequestState.SHOWN), quiet) is None
    assert text(Ended(ASKED, RequestState.FAILED, "x", "y"), quiet) is None
    assert text(Answer("m1", "twitch", ANN, "3 waiting"), quiet) is None
    assert text(Refused(TRIGGER, Refusal("m1", "length", "too long")), quiet) is None


@given(st.text(), st.text())
def test_no_reply_begins_with_what_a_viewer_or_a_command_table_wrote(name: str, words: str) -> None:
    actor = replace(ANN, name=name)
    events: list[Event] = [
        Ended(replace(ASKED, actor=actor), RequestState.SHOWN),
        Ended(replace(ASKED, actor=actor), RequestState.FAILED, "x", words),
        Answer("m1", "twitch", actor, words),
        Refused(replace(TRIGGER, actor=actor), Refusal("m1", "x", words)),
    ]
    for event in events:
        reply = text(event)
        assert reply is not None
        assert reply.split()[0] in ("Drawn", "Sorry,", "Sorry:", "Note:")
        assert len(reply) <= MAX_LENGTH + 2
        assert "\n" not in reply


def test_the_bucket_stays_below_its_limit_however_many_ask() -> None:
    limiter, replies, now = ReplyLimiter(8, 0, ()), [], 1000.0
    while now < 1120:
        if limiter.wait_s(now) == 0:
            limiter.take(replace(ANN, id=str(now)), now)
            replies.append(now)
        now += 0.05
    busiest = max(sum(start <= at < start + 30 for at in replies) for start in replies)
    assert busiest <= 16
    assert 30 <= len(replies) <= 41


def test_nobody_is_answered_twice_in_a_row_and_bots_and_ourselves_never() -> None:
    limiter = ReplyLimiter(8, 30, ("NightBot",))
    assert limiter.may_answer(ANN, "1", 100.0)
    limiter.take(ANN, 100.0)
    assert not limiter.may_answer(ANN, "1", 129.0)
    assert limiter.may_answer(ANN, "1", 130.0)
    assert not limiter.may_answer(replace(ANN, id="8", name="Nightbot"), "1", 100.0)
    assert not limiter.may_answer(ANN, ANN.id, 500.0)


def test_the_silence_after_a_drop_depends_on_its_reason() -> None:
    assert silence_s("msg_duplicate") == 0
    assert silence_s("rate_limited") == 30
    assert silence_s("msg_banned") == 3600
    assert silence_s("something_new") == 60
