"""The lexicon ships as data: every word is in the form that a prompt is looked up in."""

from __future__ import annotations

from dataclasses import fields

import pytest

from streamer.generator.procedural.plan.lexicon import Lexicon, WordTable, shipped

TABLES = [field.name for field in fields(Lexicon)]


@pytest.mark.parametrize("name", TABLES)
def test_words_are_lower_case_and_stems_long_enough_to_be_found(name: str) -> None:
    table: WordTable[str] = getattr(shipped(), name)
    for word in table:
        assert word == word.casefold()
        assert "*" not in word or len(word) >= 4 or "가" <= word[0] <= "힣", word


def test_some_hundred_words_are_known() -> None:
    assert sum(len(list(getattr(shipped(), name))) for name in TABLES) > 1000


def test_every_hue_is_a_number_of_degrees() -> None:
    assert all(isinstance(hue, float) and 0 <= hue < 360 for hue in shipped().hues.meanings)


def test_a_whole_word_wins_over_a_stem_and_a_long_stem_over_a_short_one() -> None:
    table = WordTable({"short": "star*", "long": "starfish*", "whole": "starlit"})
    assert table.find(["starry", "starfishes", "starlit"]) == ("short", "long", "whole")


def test_an_ending_matches_compounds_and_a_phrase_matches_with_blanks() -> None:
    table = WordTable({"forest": "wald *wald", "moon": "auf-dem-mond", "night": "night*"})
    assert table.find(["herbstwald"]) == ("forest",)
    assert table.find(["auf", "dem", "mond"]) == ("moon",)
    assert table.find(["auf", "dem", "tisch"]) == ()


def test_a_word_in_a_script_without_blanks_is_found_inside_a_longer_one() -> None:
    table = WordTable({"sea": "海", "city": "街"})
    assert table.find(["夜の街を走る"]) == ("city",)
    assert table.parts("海の中の街") == ["海", "街"]
    assert table.parts("seas") == []


def test_a_word_may_mean_several_things_and_each_is_named_once() -> None:
    table = WordTable({"tree": "sakura*", "spring": "sakura* april"})
    assert table.find(["sakura", "april", "unknown"]) == ("tree", "spring")
