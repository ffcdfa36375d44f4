"""Certain terms: each is found in the alphabet it is read in; what an allowed phrase cancels stays cancelled."""

from __future__ import annotations

import pytest

from streamer.moderation.text_filter import normalize
from streamer.moderation.text_filter.lexicon import Term
from streamer.moderation.text_filter.matcher import TermIndex, by_alphabet, fold_terms

TERMS = fold_terms(
    [
        Term("extra-1", "Marmaladé"),
        Term("extra-2", "варенье*"),
        Term("extra-3", "сасао"),
        Term("extra-4", "a Purple moon"),
        Term("allow-1", "marmalade skies"),
    ]
)
INDEX = TermIndex(by_alphabet(TERMS))


def test_patterns_are_folded_and_lose_their_single_letters() -> None:
    assert [term.pattern for term in TERMS] == ["marmalade", "варенье*", "сасао", "purple moon", "marmalade skies"]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("fresh MARMALADE", ["extra-1"]),
        ("с вареньем", ["extra-2"]),
        ("без варенья", []),
        ("cacao typed in Latin letters", ["extra-3"]),
        ("the purple moon", ["extra-4"]),
        ("marmalade skies", []),
    ],
)
def test_a_term_is_found_among_the_words(text: str, ids: list[str]) -> None:
    assert [term.id for term in INDEX.hits(normalize.read(text))] == ids


def test_other_readings_are_looked_up_without_what_the_text_itself_allows() -> None:
    def decoded(text: str) -> list[str]:
        words = normalize.read(text)
        return [term.id for term in INDEX.hits_decoded(text, words, INDEX.hits(words), set())]

    assert set(decoded("fresh &#109;armalade")) == {"extra-1"}
    assert decoded("marmalade skies &amp; sea") == []
