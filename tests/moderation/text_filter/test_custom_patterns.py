"""The streamer's own patterns and the channel's blocked terms."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.moderation.text_filter import custom_patterns
from streamer.moderation.text_filter.normalize import fold


def test_capitals_do_not_matter() -> None:
    assert custom_patterns.compile_pattern(r"marma\w+e").search("Fresh MARMALADE") is not None
    assert custom_patterns.compile_pattern(r"marma\w+e").search("fresh jam") is None


@pytest.mark.parametrize("wrong", ["(", "a(?=b)", r"(a)\1", "", "a*", "x" * 201])
def test_what_cannot_be_searched_is_refused_with_the_fix(wrong: str) -> None:
    with pytest.raises(ValueError, match="use"):
        custom_patterns.compile_pattern(wrong)


def test_an_error_is_raised_in_words_and_printed_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"^'\(': missing \): \(; use RE2") as caught:
        custom_patterns.compile_pattern("(")
    assert "b'" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_pattern_that_would_take_megabytes_is_refused() -> None:
    assert custom_patterns.compile_pattern(r"\pL{40}") is not None
    with pytest.raises(ValueError, match="too large"):
        custom_patterns.compile_pattern(r"\pL{100}")


def test_the_longest_pattern_is_two_hundred_characters() -> None:
    with pytest.raises(ValueError, match=r"^'x{20}\.\.\.': use 200 characters at most$"):
        custom_patterns.compile_pattern("x" * 201)
    assert custom_patterns.compile_pattern("x" * 200).search("x" * 200) is not None


def test_no_pattern_can_hang() -> None:
    started = time.thread_time()
    assert custom_patterns.compile_pattern(r"(a+)+$").search("a" * 2000 + "b") is None
    assert time.thread_time() - started < 1


@pytest.mark.parametrize(
    ("term", "text", "matches"),
    [
        ("marmalade", "a Marmalade!", True),
        ("marmalade", "marmalade", True),
        ("marmalade", "marmalades", False),
        ("marmalade", "amarmalade", False),
        ("marma*", "the marmalades", True),
        ("marma*", "marma", True),
        ("*lade", "marmalade", True),
        ("m*e", "marmalade", True),
        ("m*e", "my sake", False),
        ("two words", "say two  words now", True),
        ("two words", "two other words", False),
        (" варенье ", "Варенье с чаем", True),
        ("a.b", "a.b", True),
        ("a.b", "axb", False),
        ("4chan", "4chan", True),
    ],
)
def test_a_blocked_term_means_what_it_means_on_the_platform(term: str, text: str, matches: bool) -> None:
    (pattern,) = custom_patterns.patterns_of_blocked_terms([term])
    assert (custom_patterns.compile_pattern(pattern).search(text) is not None) is matches


def test_terms_without_a_letter_are_left_to_the_platform() -> None:
    assert custom_patterns.patterns_of_blocked_terms(["🌊", "", "***", "--"]) == []


BLOCKED = [
    "marmalade",
    "m*lade",
    "zép*elin",
    "*e*",
    "purple moon",
    "ΝΊΚΗ",
    "🌊a",
    "straße",
    "kelvin",
    "варенье*",
    "i",
    "4ch*",
]


@given(
    st.lists(st.sampled_from(BLOCKED), max_size=6),
    st.lists(
        st.sampled_from([*BLOCKED, "MARMA", "LADE", " ", "νίκη", "ZEPPELIN", "STRASSE", "\u212aELVIN", "İ", "!", "é"]),
        max_size=6,
    ),
)
def test_all_blocked_terms_are_found_although_only_those_are_searched_for_that_can_occur(
    terms: list[str], pieces: list[str]
) -> None:
    patterns = custom_patterns.CustomPatterns([])
    assert patterns.replace_channel_terms(terms) == len(terms)
    for text in ("".join(pieces), " ".join(pieces), " ".join(pieces).upper()):
        compiled = map(custom_patterns.compile_pattern, custom_patterns.patterns_of_blocked_terms(terms))
        found = any(pattern.search(reading) for pattern in compiled for reading in (text, fold(text)))
        assert (patterns.find(text) is not None) is found
