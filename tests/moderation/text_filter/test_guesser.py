"""Guesses: a word in doubtful disguise is found in either alphabet, over several words and under stars, and held."""

from __future__ import annotations

import pytest

from streamer.moderation.text_filter import normalize
from streamer.moderation.text_filter.fuzzy import Guesser
from streamer.moderation.text_filter.lexicon import Term
from streamer.moderation.text_filter.matcher import TermsByAlphabet
from streamer.types import Outcome

GUESSER = Guesser(TermsByAlphabet([Term("extra-1", "marmalade")], [Term("extra-2", "варенье")]), ["marmolade"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("fresh edalamram", "extra.backwards"),
        ("fresh marma lade", "extra.cut"),
        ("ва рен ье", "extra.cut"),
        ("my apple rests mostly at lake and dries early", "extra.initials"),
        ("fresh ma**al*de", "extra.starred"),
        ("свежее ва**нь*", "extra.starred"),
        ("fresh marmolade", None),
        ("fresh marmalade", None),
        ("fresh jam", None),
    ],
)
def test_a_doubtful_word_is_held_and_certain_or_known_words_are_ignored(text: str, code: str | None) -> None:
    finding = GUESSER.find(normalize.read(text), text)
    assert (finding and finding.code) == code
    assert finding is None or finding.outcome is Outcome.HOLD


def test_a_term_glued_into_a_longer_word_is_inside() -> None:
    texts = ("mymarmaladejar", "моевареньедома", "my jam")
    assert [GUESSER.is_inside(normalize.read(text)) for text in texts] == [True, True, False]
