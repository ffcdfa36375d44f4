"""A block wins over a hold, and a hold over silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.interfaces import Rule
from streamer.moderation.admission import Admission, combine_verdicts
from streamer.moderation.approval import ApprovalOptions
from streamer.moderation.policy import Policy
from streamer.moderation.raid_mode import RaidMode, RaidModeOptions
from streamer.moderation.rules import cooldown, words
from streamer.types import Hold, Judgement, Lane, Notice, NoticeKind, Outcome, Refusal
from tests.support.examples import REQUEST

HOLD, BLOCK = Hold("r1", "words", "unsure", "fuzzy"), Refusal("r1", "picture", "no", "nudity")
FINE = Judgement(Outcome.ALLOW, "", "llm", "1")
UNSURE = Judgement(Outcome.HOLD, "doubt", "llm", "1")
BAD = Judgement(Outcome.BLOCK, "hate", "llm", "1")
LATE = Judgement(Outcome.HOLD, "late", "llm", "1")


@pytest.mark.parametrize(
    ("admitted", "looked", "judgements", "outcome"),
    [(None, None, [FINE], None), (HOLD, None, [FINE], HOLD), (HOLD, BLOCK, [], BLOCK), (None, HOLD, [], HOLD),
     (HOLD, None, [BAD], Refusal("r1", "llm", "this cannot be shown", "hate")),
     (None, None, [FINE, UNSURE], Hold("r1", "llm", "a judge is not sure", "doubt")),
     (None, None, [LATE], Hold("r1", "llm", "a judge is not sure", "late"))],
)  # fmt: skip
def test_the_worst_that_anybody_said_counts(
    admitted: Hold | None, looked: Refusal | Hold | None, judgements: list[Judgement], outcome: object
) -> None:
    assert combine_verdicts(REQUEST, admitted, looked, judgements) == outcome


def test_a_silent_judge_holds_chat_and_never_the_streamer() -> None:
    mine = replace(REQUEST, priority=Lane.BROADCASTER)
    assert combine_verdicts(mine, None, None, [LATE]) is None
    assert combine_verdicts(mine, None, None, [UNSURE]) is not None
    assert combine_verdicts(mine, None, None, [BAD]) is not None


def test_who_is_slowed_down_by_a_raid_keeps_their_turn_and_a_refused_text_takes_nobodys() -> None:
    raid = RaidMode(RaidModeOptions(everyone_s=3))
    raid.hear(Notice("test", NoticeKind.RAID, 0.0, count=99), 0.0)
    rules: list[Rule] = [
        cooldown.create(cooldown.Options(user_s=30, everyone_s=0)),
        words.create(words.Options(extra=("badword",))),
    ]
    admission = Admission((), Policy(rules), raid, ApprovalOptions())

    def asked(name: str, now: float, text: str = "harbour") -> str:
        found = admission.objection(
            replace(REQUEST, text=text, prompt=text, actor=replace(REQUEST.actor, id=name)), now
        )
        return found.rule if found is not None else ""

    said = [asked("bad", 1.0, "badword"), asked("ann", 1.0), asked("ben", 2.0), asked("ben", 4.0), asked("ben", 8.0)]
    assert said == ["words", "approval", "raid", "approval", "cooldown"]
