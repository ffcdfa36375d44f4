"""Which languages a prompt may be in."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.subjects import index, language


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("eine katze auf dem dach", "de"),
        ("un gato en el tejado", "es"),
        ("un chat sur le toit", "fr"),
        ("рибальське село біля моря", "uk"),
        ("рыбацкая деревня у моря", "ru"),
    ],
)
def test_common_words_tell_the_language(prompt: str, name: str) -> None:
    words = prompt.split()
    likely = language.likely(words, index.ranks(words), {})
    assert max(likely, key=lambda found: likely[found]) == name
    assert likely[name] == 0.0


def test_a_word_that_the_index_knows_speaks_for_its_language() -> None:
    unknown = language.likely(["kwiatek"], {}, {})
    known = language.likely(["kwiatek"], {}, {"kwiatek": ["pl"]})
    assert next(iter(unknown)) == "en"
    assert next(iter(known)) == "pl"


def test_words_of_no_language_may_be_in_the_usual_ones_of_their_script() -> None:
    assert set(language.likely(["щщщщ"], {}, {})) == {"ru", "uk"}
    assert language.likely([], {}, {}) == {}


def test_the_script_is_the_first_letters() -> None:
    assert [language.script(word) for word in ("cat", "кот", "γάτα", "חתול")] == [
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "HEBREW",
    ]
    assert language.usual("猫") == ()
