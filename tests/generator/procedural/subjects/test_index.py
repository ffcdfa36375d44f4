"""The tables of words that the build brought in."""

from __future__ import annotations

from streamer.generator.procedural.subjects import index


def test_a_word_is_found_by_its_stem_and_as_it_is_written() -> None:
    assert index.Entry("cat", "en", "cats", "1f408", 0.89) in list(index.by_stems(["cat"]))
    assert "cats" not in {entry.form for entry in index.by_form(["cat"])}
    assert {entry.key for entry in index.by_form(["кот"]) if entry.language == "ru"} == {"1f408"}
    assert list(index.by_form([])) == []


def test_the_commonest_word_of_a_language_has_rank_one() -> None:
    found = index.ranks(["the", "qzxv"])
    assert found["the"]["en"] == 1
    assert "qzxv" not in found


def test_a_form_leads_to_its_word_in_its_language_alone() -> None:
    found = index.inflections(["совы"])
    assert found["совы", "ru"].keys() == {"сова"}
    assert ("совы", "en") not in found


def test_number_words_are_read_per_language() -> None:
    found = index.numbers(["three", "две", "cat"])
    assert found["three", "en"] == 3
    assert found["две", "ru"] == 2
    assert not [word for word, _ in found if word == "cat"]


def test_a_diminutive_ending_says_what_the_plain_word_ends_in() -> None:
    assert ("chen", "") in index.diminutives()["de"], "Kätzchen, Katze"
    assert ("ečk", "k") in index.diminutives()["cs"]
