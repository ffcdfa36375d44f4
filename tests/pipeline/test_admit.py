"""What every request passes, in which order, and what each step leaves undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streamer.moderation.policy import Policy
from streamer.moderation.raid_mode import RaidMode, RaidModeOptions
from streamer.moderation.rules import cooldown, words
from streamer.types import ImageRequest, Notice, NoticeKind, Refusal
from tests.support.examples import REQUEST
from tests.support.show import Room


def test_the_cheap_steps_come_before_the_rules_and_the_queue_last(tmp_path: Path) -> None:
    steps = Room(tmp_path).admit.steps()
    assert [step.__qualname__ for step in steps] == [
        "Intake.objection", "Bans.objection", "Privacy.objection", "RaidMode.objection", "Admit._ask_rules",
        "Admit._ask_for_approval", "Admit._add_reference", "Admit._join_equal", "GameMode.admit",
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
