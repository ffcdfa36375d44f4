"""Words that are ordinary with their accents are cut out, with nothing joined over the gap."""

from __future__ import annotations

import pytest

from streamer.moderation.rules.words import Options
from streamer.moderation.text_filter import lexicon
from streamer.moderation.text_filter.filter import OrdinaryAccents, TextFilter


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("plum", "plum"),
        ("Plüm, plüms", " 0 , plüms"),
        ("mar plüm malade", "mar  0  malade"),
        ("Mármplum", " 0 plum"),
        ("einmármalade", "einmármalade"),
    ],
)
def test_ordinary_words_and_stems_are_cut_out(text: str, left: str) -> None:
    assert OrdinaryAccents(["plüm", "márm*"]).cut_out(text) == left


def test_a_word_that_is_ordinary_with_its_accents_is_not_read_without_them() -> None:
    rule = TextFilter(
        Options(extra=("marmalade", "plum")), [lexicon.Term("spelled-1", "plüm"), lexicon.Term("spelled-2", "márm*")]
    )
    assert rule.find("plum") is not None
    assert rule.find("Plüm, plüms") is None
    assert rule.find("plúm") is not None
    assert rule.find("Mármalade") is None
    assert rule.find("einmármalade") is not None
    assert rule.find("márMplum") is not None
    assert rule.find("plüm plum") is not None
    assert rule.find("mar plüm malade") is None
