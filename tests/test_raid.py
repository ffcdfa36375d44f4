"""Raid mode comes and goes by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.raid import Options, Raid
from streamer.types import Actor, Lane, Notice, NoticeKind, Role
from tests.test_store import REQUEST


def crowd(raid: Raid, people: int, now: float = 100.0, new: float = 0.0, same: float = 0.0) -> None:
    """Let so many people ask, a share of them new, a share of them with the same text."""
    for n in range(people):
        text = "the same" if n < same * people else f"text {n}"
        actor = Actor(f"u{n}", f"u{n}", Role.VIEWER)
        raid.asked(replace(REQUEST, actor=actor, text=text, first_time=n < new * people), now + n * 0.5)
    raid.asked(replace(REQUEST, actor=Actor("last", "last", Role.VIEWER), text="last"), now + 20)


@pytest.mark.parametrize(
    ("people", "new", "same", "why"),
    [(30, 0.0, 0.0, ""), (30, 0.5, 0.0, "many first-time chatters"), (30, 0.0, 0.7, "many ask for the same"),
     (5, 1.0, 1.0, "")],
)  # fmt: skip
def test_a_crowd_of_newcomers_or_of_one_text_raises_the_alarm(people: int, new: float, same: float, why: str) -> None:
    raid = Raid(Options())
    crowd(raid, people, new=new, same=same)
    assert raid.alarm(120.0) == why


def test_one_person_who_floods_is_no_crowd() -> None:
    raid = Raid(Options())
    for n in range(200):
        raid.asked(replace(REQUEST, first_time=True), n * 0.1)
    assert raid.alarm(20.0) == ""


def test_one_person_who_floods_hides_no_crowd() -> None:
    raid = Raid(Options())
    for n in range(30):
        raid.asked(replace(REQUEST, actor=Actor(f"u{n}", f"u{n}", Role.VIEWER), first_time=True), 100 + n * 0.01)
        for _ in range(20):
            raid.asked(replace(REQUEST, text="noise"), 100 + n * 0.01)
    raid.asked(REQUEST, 102.0)
    assert raid.alarm(102.0) == "many first-time chatters"


def test_a_burst_within_a_second_is_looked_at_though_nobody_asks_after_it() -> None:
    raid = Raid(Options())
    for n in range(30):
        raid.asked(replace(REQUEST, actor=Actor(f"u{n}", f"u{n}", Role.VIEWER), first_time=True), 100 + n * 0.01)
    assert (raid.turn(100.3), raid.wakeup()) == (None, 101.0)
    assert raid.turn(101.0) is not None
    assert raid.wakeup() == 221.0


def test_refused_texts_raise_it_and_it_is_over_when_it_has_been_calm() -> None:
    raid = Raid(Options(blocks=3, calm_s=120))
    for at in (0.0, 50.0, 70.0):
        raid.blocked(at)
    assert not raid.alarm(70.0)
    raid.blocked(75.0)
    assert raid.alarm(194.9)
    assert not raid.alarm(195.0)


def test_each_change_is_announced_once() -> None:
    raid = Raid(Options())
    assert raid.turn(0.0) is None
    raid.hear(Notice("test", NoticeKind.RAID, 0.0, count=19), 0.0)
    assert raid.turn(0.0) is None
    raid.hear(Notice("test", NoticeKind.RAID, 0.0, count=20), 0.0)
    turn = raid.turn(1.0)
    assert turn is not None
    assert (turn.on, turn.text) == (True, "raid mode: a raid of 20")
    assert (raid.turn(2.0), raid.wakeup()) == (None, 120.0)
    turn = raid.turn(120.0)
    assert turn is not None
    assert (turn.on, raid.wakeup()) == (False, None)


def test_shield_mode_holds_until_it_is_lifted() -> None:
    raid = Raid(Options())
    raid.hear(Notice("test", NoticeKind.SHIELD_ON, 0.0), 0.0)
    assert raid.alarm(1e6) == "Shield Mode is on"
    raid.hear(Notice("test", NoticeKind.SHIELD_OFF, 0.0), 1e6)
    assert raid.alarm(1e6) == ""


def test_chat_is_slowed_down_meanwhile_and_what_was_paid_for_is_not() -> None:
    raid = Raid(Options(everyone_s=3))
    raid.passed(REQUEST, 0.0)
    raid.hear(Notice("test", NoticeKind.RAID, 0.0, count=99), 0.0)
    assert raid.objection(REQUEST, 1.0) is None
    raid.passed(REQUEST, 1.0)
    refusal = raid.objection(REQUEST, 2.1)
    assert refusal is not None
    assert refusal.reason.endswith("ready again in 2 s")
    assert raid.objection(replace(REQUEST, priority=Lane.PAID), 2.0) is None
    assert raid.objection(replace(REQUEST, actor=Actor("m", "m", Role.MODERATOR)), 2.0) is None
    assert raid.objection(REQUEST, 4.0) is None
