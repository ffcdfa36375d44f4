"""Findings: the graver one decides, and the code names kind and reading."""

from __future__ import annotations

from streamer.moderation.text_filter.lexicon import Finding, Reading, Term, graver
from streamer.types import Outcome

HOLD = Finding(Term("drugs-1", "plum"), Outcome.HOLD, Reading.PLAIN)
OTHER_HOLD = Finding(Term("extra-1", "plum"), Outcome.HOLD, Reading.CUT)
BLOCK = Finding(Term("hate-en-7", "plum"), Outcome.BLOCK, Reading.BY_SOUND)


def test_a_block_wins_over_a_hold_and_the_first_of_its_kind_stays() -> None:
    assert [graver(HOLD, BLOCK), graver(BLOCK, HOLD), graver(HOLD, OTHER_HOLD)] == [BLOCK, BLOCK, HOLD]
    assert [graver(None, HOLD), graver(HOLD, None), graver(None, None)] == [HOLD, HOLD, None]


def test_the_code_names_the_kind_and_the_reading() -> None:
    assert (HOLD.code, BLOCK.code) == ("drugs.plain", "hate.by-sound")
