"""Cheers, subscriptions and raids type lines: the best entry that fits, once for each event."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from streamer.commands.event_triggers import EventTrigger, EventTriggers
from streamer.types import Actor, Notice, NoticeKind, Role

ANN = Actor("7", "Ann", Role.VIEWER)
CHEER = Notice("twitch", NoticeKind.CHEER, 100.0, ANN, 250, "a castle")


def table(*entries: dict[str, object]) -> EventTriggers:
    return EventTriggers([EventTrigger.model_validate(entry) for entry in entries])


CHEERS = ({"event": "cheer", "least": 100, "command": "!bg {text}"},
          {"event": "cheer", "least": 1000, "command": "!meme {text} | {name} | {count} bits"})  # fmt: skip


@pytest.mark.parametrize(
    ("bits", "line"),
    [(99, None), (100, "!bg a castle"), (999, "!bg a castle"), (5000, "!meme a castle | Ann | 5000 bits")],
)
def test_the_entry_with_the_highest_threshold_that_is_reached_types_its_line(bits: int, line: str | None) -> None:
    trigger = table(*CHEERS).trigger_for(replace(CHEER, count=bits))
    assert (trigger.text if trigger else None) == line


def test_paid_events_wait_in_the_paid_lane_and_others_only_if_configured() -> None:
    events = table(
        {"event": "cheer", "command": "!bg {text}"},
        {"event": "raid", "command": "!bg {name}"},
        {"event": "follow", "command": "!bg {name}", "paid": True},
    )
    paid = {}
    for kind in (NoticeKind.CHEER, NoticeKind.RAID, NoticeKind.FOLLOW):
        trigger = events.trigger_for(replace(CHEER, kind=kind))
        assert trigger is not None
        assert (trigger.actor, trigger.source, trigger.at) == (ANN, "events", 100.0)
        paid[kind] = trigger.paid
    assert paid == {NoticeKind.CHEER: True, NoticeKind.RAID: False, NoticeKind.FOLLOW: True}


def test_one_subscription_reported_twice_types_once_and_the_next_one_types_again() -> None:
    events = table({"event": "subscription", "command": "!bg {name}"})
    notice = replace(CHEER, kind=NoticeKind.SUBSCRIPTION, count=3)
    assert events.trigger_for(notice) is not None
    assert events.trigger_for(replace(notice, at=101.0)) is None
    assert events.trigger_for(replace(notice, at=102.0, actor=replace(ANN, id="8"))) is not None
    assert events.trigger_for(replace(notice, at=9000.0)) is not None


def test_following_again_and_again_types_once() -> None:
    events = table({"event": "follow", "command": "!bg {name}"})
    follow = replace(CHEER, kind=NoticeKind.FOLLOW, count=0)
    assert events.trigger_for(follow) is not None
    assert events.trigger_for(replace(follow, at=90_000.0)) is None


def test_a_cheer_with_a_command_in_it_is_left_to_the_chat_line() -> None:
    assert table(*CHEERS).trigger_for(replace(CHEER, text=" !bg castle")) is None


def test_anonymous_gifts_have_a_name_and_each_types_its_line() -> None:
    events = table({"event": "gift", "command": "!bg {name} gave {count}"})
    gift = Notice("twitch", NoticeKind.GIFT, 1.0, None, 5)
    triggers = [events.trigger_for(gift), events.trigger_for(gift)]
    assert [trigger.text if trigger else None for trigger in triggers] == ["!bg somebody gave 5"] * 2
    assert len({trigger.id for trigger in triggers if trigger}) == 2


def test_viewers_text_adds_no_caption_bar_and_fills_no_other_placeholder() -> None:
    events = table({"event": "cheer", "command": "!meme {text} | {name} | x"})
    trigger = events.trigger_for(replace(CHEER, text="a | b ｜ {name}"))
    assert trigger is not None
    assert trigger.text == "!meme a   b   (name) | Ann | x"


@pytest.mark.parametrize("text", ["!bg castle", "  ！ｂｇ castle", "\u200b!bg castle"])
def test_a_cheer_with_a_command_in_it_types_nothing_however_the_command_was_typed(text: str) -> None:
    assert table(*CHEERS).trigger_for(replace(CHEER, text=text)) is None


def test_an_event_that_is_not_in_the_table_types_nothing() -> None:
    assert table().trigger_for(CHEER) is None
    assert table(*CHEERS).trigger_for(Notice("twitch", NoticeKind.SHIELD_ON, 1.0)) is None
    with pytest.raises(ValidationError):
        EventTrigger.model_validate({"event": "online", "command": "!bg x"})
