"""Type: every letter of a text or none at all, inside its box."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.generator.procedural.engine import typeset
from streamer.generator.procedural.engine.typeset import TypeBox, set_type
from tests.support.drawings import KNOWN, plain_sprite

BOX = TypeBox(width=800, height=300, largest=120, smallest=24)


def shown(text: str, box: TypeBox = BOX) -> str:
    set_ = set_type(text, box)
    return "" if set_ is None else " ".join(set_.lines)


@pytest.mark.parametrize(
    "text", ["quantum marmalade", "Grüße, Łódź & Çeşme!", "рыбацкая деревня", "Ελλάδα", "100 % ¿qué?"]
)
def test_a_text_is_set_letter_by_letter_as_it_is(text: str) -> None:
    assert shown(text) == text


def test_blanks_are_collapsed() -> None:
    assert shown("  two \n words ") == "two words"


@pytest.mark.parametrize(
    "text",
    ["a\u0001b", "zero\u200bwidth", "\ue000", "good \U000e0041 word", "\u202eevil", "", "   ", "\ufe00", "\u2800"],
)
def test_a_letter_that_no_font_has_leaves_the_whole_text_out(text: str) -> None:
    assert set_type(text, BOX) is None


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=60))
def test_what_is_set_is_the_whole_text_and_nothing_else(text: str) -> None:
    assert shown(text).replace(" ", "") in ("", "".join(text.split()))


@settings(max_examples=60, deadline=None)
@given(
    text=st.lists(st.sampled_from(["a", "word", "extraordinarily", "ёлка"]), min_size=1, max_size=40).map(" ".join),
    width=st.integers(120, 1600), height=st.integers(60, 500),
)  # fmt: skip
def test_nothing_is_cut_off(text: str, width: int, height: int) -> None:
    set_ = set_type(text, TypeBox(width, height, 120, 14))
    if set_ is None:
        return
    rows, columns = np.flatnonzero(set_.letters.any(1)), np.flatnonzero(set_.letters.any(0))
    assert rows[0] > 0
    assert columns[0] > 0
    assert rows[-1] < set_.letters.shape[0] - 1
    assert columns[-1] < set_.letters.shape[1] - 1
    assert columns[-1] - columns[0] <= width + 2
    assert rows[-1] - rows[0] <= height + set_.size * 0.4


def test_a_text_that_does_not_fit_is_left_out() -> None:
    text = "the extraordinarily bureaucratic procedure of renewing municipal parking permissions " * 2
    assert set_type(text, TypeBox(400, 90, 60, 24)) is None


def test_no_word_is_cut_in_a_text_without_blanks() -> None:
    assert typeset._parts("漢字漢字漢harbour漢字 a sea") == ["漢字漢字", "漢", "harbour", "漢字", "a", "sea"]


def test_short_texts_are_large_and_lines_are_even() -> None:
    one, many = set_type("hi", BOX), set_type("a much longer line of words that must be broken", BOX)
    assert one is not None
    assert many is not None
    assert one.size == 120
    assert many.size < 120
    lengths = [len(line) for line in many.lines]
    assert max(lengths) < 2 * min(lengths)


def test_an_emoji_is_drawn_among_the_letters() -> None:
    with patch.object(typeset, "drawing", KNOWN.get), patch.object(typeset, "sprite", plain_sprite):
        typeset._words.cache_clear()
        set_ = set_type("hello 🐋", BOX)
    typeset._words.cache_clear()
    assert set_ is not None
    assert set_.emoji_mask.any()
    assert set_.letters.any()
    assert set_.lines == ("hello 🐋",)
