"""Raid mode comes and goes by itself."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from pydantic import ValidationError

from streamer.moderation.raid_mode import RaidMode, RaidModeOptions
from streamer.types import Actor, ImageRequest, Lane, Notice, NoticeKind, Role
from tests.support.examples import REQUEST


def asks(name: str, text: str = "a harbour", new: bool = False) -> ImageRequest:
    """Build what a viewer asks for, who is a first-time chatter if ``new``."""
    return replace(REQUEST, actor=Actor(name, name, Role.VIEWER), text=text, first_time=new)


def crowd(raid: RaidMode, people: int, now: float = 100.0, new: float = 0.0, same: float = 0.0) -> None:
    """Let so many people ask, a share of them new, a share of them with the same text."""
    for n in range(people):
        text = "the same" if n < same * people else f"text {n}"
        raid.note_request(asks(f"u{n}", text, n < new * people), now + n * 0.5)
    raid.note_request(asks("last", "last"), now + 20)


@pytest.mark.parametrize(
    ("people", "new", "same", "why"),
    [(30, 0.0, 0.0, ""), (30, 0.5, 0.0, "many first-time chatters"), (30, 0.0, 0.7, "many identical requests"),
     (5, 1.0, 1.0, "")],
)  # fmt: skip
def test_a_crowd_of_newcomers_or_of_one_text_raises_the_alarm(people: int, new: float, same: float, why: str) -> None:
    raid = RaidMode(RaidModeOptions())
    crowd(raid, people, new=new, same=same)
    assert raid.alarm(120.0) == why


def test_one_person_who_floods_is_no_crowd() -> None:
    raid = RaidMode(RaidModeOptions())
    for n in range(200):
        raid.note_request(replace(REQUEST, first_time=True), n * 0.1)
    assert raid.alarm(20.0) == ""


def test_one_person_who_floods_hides_no_crowd() -> None:
    raid = RaidMode(RaidModeOptions())
    for n in range(30):
        raid.note_request(asks(f"u{n}", new=True), 100 + n * 0.01)
        for _ in range(20):
            raid.note_request(replace(REQUEST, text="noise"), 100 + n * 0.01)
    raid.note_request(REQUEST, 102.0)
    assert raid.alarm(102.0) == "many first-time chatters"


def test_a_burst_within_a_second_is_looked_at_though_nobody_asks_after_it() -> None:
    raid = RaidMode(RaidModeOptions())
    for n in range(30):
        raid.note_request(asks(f"u{n}", new=True), 100 + n * 0.01)
    assert (raid.change(100.3), raid.wakeup()) == (None, 101.0)
    assert raid.change(101.0) is not None
    assert raid.wakeup() == 221.0


def test_refused_texts_raise_it_and_it_is_over_when_it_has_been_calm() -> None:
    raid = RaidMode(RaidModeOptions(blocks=3, calm_s=120))
    for at in (0.0, 50.0, 70.0):
        raid.note_blocked(at)
    assert not raid.alarm(70.0)
    raid.note_blocked(75.0)
    assert raid.alarm(194.9)
    assert not raid.alarm(195.0)


def test_each_change_is_announced_once() -> None:
    raid = RaidMode(RaidModeOptions())
    assert raid.change(0.0) is None
    raid.observe(Notice("test", NoticeKind.RAID, 0.0, count=19), 0.0)
    assert raid.change(0.0) is None
    raid.observe(Notice("test", NoticeKind.RAID, 0.0, count=20), 0.0)
    turn = raid.change(1.0)
    assert turn is not None
    assert (turn.on, turn.text) == (True, "raid mode: a raid of 20")
    assert (raid.change(2.0), raid.wakeup()) == (None, 120.0)
    turn = raid.change(120.0)
    assert turn is not None
    assert (turn.on, raid.wakeup()) == (False, None)


def test_shield_mode_holds_until_it_is_lifted() -> None:
    raid = RaidMode(RaidModeOptions())
    raid.observe(Notice("test", NoticeKind.SHIELD_ON, 0.0), 0.0)
    assert raid.alarm(1e6) == "Shield Mode is on"
    raid.observe(Notice("test", NoticeKind.SHIELD_OFF, 0.0), 1e6)
    assert raid.alarm(1e6) == ""


def test_chat_is_slowed_down_meanwhile_and_what_was_paid_for_is_not() -> None:
    raid = RaidMode(RaidModeOptions(everyone_s=3))
    raid.note_passed(REQUEST, 0.0)
    raid.observe(Notice("test", NoticeKind.RAID, 0.0, count=99), 0.0)
    assert raid.objection(REQUEST, 1.0) is None
    raid.note_passed(REQUEST, 1.0)
    refusal = raid.objection(REQUEST, 2.1)
    assert refusal is not None
    assert refusal.reason.endswith("try again in 2 s")
    assert raid.objection(replace(REQUEST, priority=Lane.PAID), 2.0) is None
    assert raid.objection(replace(REQUEST, actor=Actor("m", "m", Role.MODERATOR)), 2.0) is None
    assert raid.objection(REQUEST, 4.0) is None


def people(count: int, new: int = 0, same: int = 0, options: RaidModeOptions | None = None) -> str:
    """Let exactly so many people ask at once, and return what a look at them says."""
    raid = RaidMode(options or RaidModeOptions())
    for n in range(count):
        raid.note_request(asks(f"u{n}", "same" if n < same else f"{n}", n < new), 100.0)
    raid.change(102.0)
    return raid.alarm(102.0)


@pytest.mark.parametrize(
    ("count", "new", "same", "why"),
    [
        (9, 9, 9, ""),
        (10, 10, 0, "many first-time chatters"),
        (10, 4, 0, "many first-time chatters"),
        (10, 3, 0, ""),
        (10, 0, 5, "many identical requests"),
        (10, 0, 4, ""),
        (100, 39, 49, ""),
        (100, 40, 0, "many first-time chatters"),
        (100, 0, 50, "many identical requests"),
    ],
)
def test_the_alarm_is_raised_at_exactly_these_shares_of_exactly_so_many(
    count: int, new: int, same: int, why: str
) -> None:
    assert people(count, new, same) == why


def test_shares_of_the_streamers_own_count() -> None:
    assert people(10, new=10, options=RaidModeOptions(newcomers=1.0)) == "many first-time chatters"
    assert people(10, new=9, options=RaidModeOptions(newcomers=1.0)) == ""
    assert people(10, same=10, options=RaidModeOptions(alike=1.0)) == "many identical requests"
    assert people(10, same=9, options=RaidModeOptions(alike=1.0)) == ""


def test_who_asked_half_a_minute_ago_is_no_longer_part_of_the_crowd() -> None:
    for asked_at, alarm in ((100.0, ""), (100.1, "many first-time chatters")):
        raid = RaidMode(RaidModeOptions())
        for n in range(9):
            raid.note_request(asks(f"u{n}", new=True), asked_at)
        raid.note_request(asks("late", new=True), 130.0)
        assert raid.alarm(130.0) == alarm, asked_at


def test_the_latest_300_people_are_looked_at() -> None:
    for regulars, alarm in ((180, "many first-time chatters"), (181, "")):
        raid = RaidMode(RaidModeOptions())
        raid.note_request(asks("r", "r"), 100.0)
        for n in range(400):
            raid.note_request(asks(f"u{n}", f"{n}", n < 400 - regulars), 100.5)
        raid.change(102.0)
        assert raid.alarm(102.0) == alarm, regulars


def test_refused_texts_count_for_less_than_a_minute() -> None:
    for first, alarm in ((0.0, ""), (0.1, "3 refused texts within a minute")):
        raid = RaidMode(RaidModeOptions())
        for at in (first, 30.0, 60.0):
            raid.note_blocked(at)
        assert raid.alarm(60.0) == alarm, first


def test_a_viewer_count_of_zero_ignores_raids_and_one_takes_each() -> None:
    for viewers, alarm in ((0, ""), (1, "a raid of 1")):
        raid = RaidMode(RaidModeOptions(viewers=viewers))
        raid.observe(Notice("test", NoticeKind.RAID, 0.0, count=viewers), 0.0)
        raid.observe(Notice("test", NoticeKind.RAID, 0.0, count=1), 0.0)
        assert raid.alarm(0.0) == alarm


def test_what_the_house_does_when_nothing_is_configured() -> None:
    raid = RaidMode(RaidModeOptions())
    raid.observe(Notice("test", NoticeKind.RAID, 0.0, count=20), 0.0)
    raid.note_passed(REQUEST, 1.0)
    assert (raid.objection(REQUEST, 3.9) is not None, raid.objection(REQUEST, 4.0)) == (True, None)
    assert (raid.alarm(119.9), raid.alarm(120.0)) == ("a raid of 20", "")


@pytest.mark.parametrize(
    ("option", "least", "wrong"),
    [
        ("viewers", 0, -1),
        ("newcomers", 1e-9, 0),
        ("newcomers", 1, 1.001),
        ("alike", 1e-9, 0),
        ("alike", 1, 1.001),
        ("blocks", 1, 0),
        ("calm_s", 1e-9, 0),
        ("calm_s", 1e9, math.inf),
        ("everyone_s", 0, -1e-9),
    ],
)
def test_an_option_out_of_its_range_is_refused_by_name(option: str, least: float, wrong: float) -> None:
    assert getattr(RaidModeOptions.model_validate({option: least}), option) == least
    with pytest.raises(ValidationError, match=option):
        RaidModeOptions.model_validate({option: wrong})
