"""What every request passes, in which order, and what each step leaves undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from streamer.interfaces import Abilities
from streamer.moderation.policy import Policy
from streamer.moderation.raid_mode import RaidMode, RaidModeOptions
from streamer.moderation.rules import cooldown, words
from streamer.types import Answer, ImageRequest, Notice, NoticeKind, Refusal, Role, Toast
from tests.support.examples import REQUEST
from tests.support.show import Room, opened


def test_the_cheap_steps_come_before_the_rules_and_the_queue_last(tmp_path: Path) -> None:
    steps = Room(tmp_path).admit.steps()
    assert [step.__qualname__ for step in steps] == [
        "Intake.objection", "Bans.objection", "Privacy.objection", "Admit._ask_what_works", "RaidMode.objection",
        "Admit._ask_rules", "Admit._ask_for_approval", "Admit._add_reference", "Admit._join_equal",
        "GameMode.objection",
    ]  # fmt: skip


def test_who_is_slowed_down_by_a_raid_keeps_their_turn_and_a_refused_text_takes_nobodys(tmp_path: Path) -> None:
    room = Room(tmp_path)
    show = room.show
    show.raid_mode = RaidMode(RaidModeOptions(everyone_s=3))
    show.raid_mode.observe(Notice("test", NoticeKind.RAID, 0.0, count=99), 0.0)
    show.policy = Policy(
        [cooldown.create(cooldown.Options(user_s=30, everyone_s=0)), words.create(words.Options(extra=("badword",)))]
    )

    def asked(name: str, now: float, text: str = "harbour") -> str:
        actor = replace(REQUEST.actor, id=name, name=name)
        result = room.admit.run_steps(replace(REQUEST, id=f"{name} {now}", text=text, prompt=text, actor=actor), now)
        if isinstance(result, Refusal):
            return result.rule
        assert isinstance(result, ImageRequest)
        return result.hold.rule if result.hold is not None else ""

    said = [asked("bad", 1.0, "badword"), asked("ann", 1.0), asked("ben", 2.0), asked("ben", 4.0), asked("ben", 8.0)]
    assert said == ["words", "approval", "raid", "approval", "cooldown"]


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("!edit make it winter", "unsupported", "new ones can be drawn"),
        ("!restyle noir", "unsupported", "new ones can be drawn"),
        ("!bg harbour", "unsupported", "num_inference_steps"),
    ],
)
async def test_what_the_generator_cannot_draw_is_refused_at_once_and_costs_no_turn(
    tmp_path: Path, text: str, rule: str, words: str
) -> None:
    async with opened(tmp_path, more_rules=(cooldown.create(cooldown.Options(user_s=30, everyone_s=0)),)) as room:
        room.easel.abilities = Abilities(edits=False, most_steps=2)
        receipt = await room.admit.submit(room.trigger(text))
        assert (receipt.outcome, receipt.rule, words in receipt.reason) == ("refused", rule, True)
        room.easel.abilities = Abilities()
        await room.say("!bg harbour")


@pytest.mark.parametrize(("text", "rule"), [("!edit make it winter", "edit"), ("!restyle noir", "program")])
async def test_what_has_no_picture_to_change_is_refused_at_once_and_costs_no_turn(
    tmp_path: Path, text: str, rule: str
) -> None:
    async with opened(tmp_path, more_rules=(cooldown.create(cooldown.Options(user_s=30, everyone_s=0)),)) as room:
        assert (await room.admit.submit(room.trigger(text))).rule == rule
        await room.say("!bg harbour")


async def test_who_would_wait_too_long_is_refused_with_the_wait_and_the_overlay_says_it_once(tmp_path: Path) -> None:
    async with opened(tmp_path, at_least_s=20.0) as room:
        await room.say("!bg one", "zoe")
        await room.draw_next()
        await room.say("!bg two", "ann")
        said = [await room.admit.submit(room.trigger(f"!bg {who}", who)) for who in ("ben", "cat")]
        reason = "too many pictures wait, yours would come in about 40 s; try again in 10 s"
        assert [(one.rule, one.reason) for one in said] == [("queue", reason)] * 2
        await room.show.publisher.notified()
        toasts = [event.text for event in room.notes.events if isinstance(event, Toast) and "wait" in event.text]
        assert toasts == ["many pictures wait: a new one would take about 40 s"]


async def test_the_streamer_is_never_refused_for_the_wait_and_what_was_paid_for_passes_chat(tmp_path: Path) -> None:
    async with opened(tmp_path, at_least_s=20.0) as room:
        await room.say("!bg one", "zoe")
        await room.draw_next()
        await room.say("!bg two", "ann")
        assert (await room.admit.submit(room.trigger("!bg three", "ben"))).rule == "queue"
        assert (await room.admit.submit(room.trigger("!bg four", "eve", paid=True))).outcome == "queued"
        await room.say("!bg five", "me", Role.BROADCASTER)
        assert [one.actor.name for one in room.status().pending][-2:] == ["eve", "ann"]


async def test_whoever_typed_a_link_is_told_once_that_it_was_left_out(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        receipts = [await room.admit.submit(room.trigger("!bg sea at x.com", "ann")) for _ in range(2)]
        receipts.append(await room.admit.submit(room.trigger("!bg sea at night", "ben")))
        assert [receipt.reason for receipt in receipts] == ["a link was left out", "a link was left out", ""]
        await room.show.publisher.notified()
        told = [event for event in room.notes.events if isinstance(event, Answer)]
        assert [(answer.actor.id, answer.text) for answer in told] == [("ann", "a link was left out")]
