"""Words as the index knows them: folded, stemmed, with their marks."""

from __future__ import annotations

from streamer.generator.procedural.subjects.tokens import fold, is_unspaced, stem, words


def test_words_keep_their_marks_and_places() -> None:
    assert [(word[0], word.start()) for word in words("a कुत्ता, b")] == [("a", 0), ("कुत्ता", 2), ("b", 10)]


def test_folding_takes_capitals_and_accents() -> None:
    assert [fold(word) for word in ("Café", "ЁЖ", "Łódź", "cat")] == ["cafe", "еж", "lodz", "cat"]


def test_forms_of_a_word_have_one_stem() -> None:
    assert stem("cats", "en") == stem("cat", "en")
    assert stem("коты", "ru") == stem("коту", "ru")


def test_scripts_without_spaces_are_known() -> None:
    assert is_unspaced("猫")
    assert not is_unspaced("cat")
