"""The options of the text filter: a pattern that cannot work is refused with the fix."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from streamer.moderation.rules.words import Options, create
from streamer.moderation.text_filter.lexicon import TermKind
from streamer.moderation.text_filter.options import SwitchableKind


@pytest.mark.parametrize("wrong", ["", "x", "*", "x*", "ab*", "mar*malade", "c++", " "])
def test_a_pattern_that_matches_nothing_or_everything_is_refused_with_the_fix(wrong: str) -> None:
    with pytest.raises(ValidationError, match="use"):
        Options(extra=(wrong,))


def test_a_pattern_that_cannot_be_searched_is_refused_with_the_fix() -> None:
    with pytest.raises(ValidationError, match="RE2"):
        Options(patterns=("(?=a)",))


def test_a_word_of_two_letters_is_long_enough() -> None:
    assert create(Options(extra=("zq",))).find("fresh zq") is not None
    assert create(Options(extra=("*plu",))).find("theplums") is not None


def test_a_stem_of_three_letters_is_long_enough() -> None:
    assert create(Options(extra=("plu*",))).find("plums") is not None


def test_every_kind_that_can_be_switched_is_a_kind_of_terms() -> None:
    assert set(get_args(SwitchableKind)) < set(TermKind)
    assert TermKind.MINORS not in get_args(SwitchableKind)
