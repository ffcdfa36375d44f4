"""A block wins over a hold, and a hold over silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.moderation.admission import combine_verdicts
from streamer.types import Hold, Judgement, Lane, Outcome, Refusal
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
