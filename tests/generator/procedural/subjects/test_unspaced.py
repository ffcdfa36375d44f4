"""Drawings that are named in scripts without spaces between words, and in Korean."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.subjects import unspaced


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("屋根の上の猫", [("cat", 5, 6, 1)]),
        ("三只猫", [("cat", 2, 3, 3)]),
        ("猫三匹", [("cat", 0, 1, 3)]),
        ("猫が五匹いる", [("cat", 0, 1, 5)]),
        ("ペンギンの家族", [("penguin", 0, 4, 1)]),
        ("バスケットボール", [("basketball", 0, 8, 1)]),
        ("แมว", [("cat", 0, 3, 1)]),
        ("고양이 세 마리", [("cat", 0, 3, 3)]),
        ("a cat on the moon", []),
    ],
)
def test_the_longest_words_are_found_with_their_place_and_number(
    prompt: str, expected: list[tuple[str, int, int, int]]
) -> None:
    assert [(found.name, start, end, count) for found, start, end, count in unspaced.find(prompt)] == expected


def test_a_word_in_katakana_is_not_found_inside_another() -> None:
    assert not [found.name for found, *_ in unspaced.find("ネコノメ")]


def test_the_endings_of_a_korean_word_are_not_read_as_words() -> None:
    assert [found.name for found, *_ in unspaced.find("고양이가")] == ["cat"]
