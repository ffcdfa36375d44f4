"""Slips of the keyboard in the names of things."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.subjects.spelling import slips


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("asrtonaut", "astronaut"),
        ("pengiun", "penguin"),
        ("octupus", "octopus"),
        ("hedghog", "hedgehog"),
        ("treasurre", "treasure"),
        ("космонафт", "космонавт"),
        ("пингвн", "пингвин"),
    ],
    ids=["swapped", "swapped later", "another letter", "left out", "doubled", "Cyrillic", "Cyrillic, left out"],
)
def test_one_slip_is_mended(typed: str, meant: str) -> None:
    assert slips([typed]) == {typed: meant}


@pytest.mark.parametrize(
    "word", ["cat", "car", "sharp", "bureaucracy", "gandalf", "hogwarts", "katze", "猫猫猫猫猫猫", "123456"]
)
def test_short_known_and_strange_words_stay(word: str) -> None:
    assert slips([word]) == {}


def test_only_the_first_few_unknown_words_are_mended() -> None:
    words = ["pengiun", "octupus", "hedghog", "asrtonaut", "treasurre"]
    assert list(slips(words)) == words[:4]
