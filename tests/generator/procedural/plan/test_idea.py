"""Reading a prompt: known words in two languages, in their inflected forms, and nothing that fails."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.plan.idea import read


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("misty mountains", "mountains"), ("в горах", "mountains"), ("neon city", "city"), ("по городу", "city"),
        ("on the beach", "sea"), ("у моря", "sea"), ("тёмный лес", "forest"), ("в лесу", "forest"),
        ("лесной дух", "forest"), ("galaxy", "space"), ("в космосе", "space"), ("комнаты", "room"), ("dunes", "desert"),
    ],
)  # fmt: skip
def test_places_are_known_in_both_languages_and_in_any_case(prompt: str, place: str) -> None:
    assert place in read(prompt).places


@pytest.mark.parametrize("prompt", ["лестница", "сельдь", "порция", "seal", "fieldwork-free catalogue"])
def test_a_short_word_does_not_match_longer_ones_it_happens_to_begin(prompt: str) -> None:
    idea = read(prompt)
    assert not {"forest", "sea"} & set(idea.places)
    assert "cat" not in idea.subjects


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [("кошка", "cat"), ("коту", "cat"), ("собаки", "dog"), ("роботы", "robot"), ("dragons", "dragon"), ("Doge", "dog")],
)
def test_characters_are_known(prompt: str, subject: str) -> None:
    assert read(prompt).subjects == (subject,)


def test_order_case_and_width_of_letters_do_not_hide_words() -> None:
    idea = read("ＮＥＯＮ Purple CITY, дождь ночью")
    assert (idea.time, idea.hues, idea.places) == ("night", (305.0,), ("city",))
    assert idea.has("neon", "rain")


def test_hyphenated_words_are_read_whole_and_in_parts() -> None:
    assert read("black-and-white").has("mono")
    assert read("cyber-cat").subjects == ("cat",)


def test_the_salt_follows_every_character() -> None:
    assert len({read(text).salt for text in ("", "a", "b", "ab", "😂", "😂😂")}) == 6


@pytest.mark.parametrize("prompt", ["", "\x00\x1b[31m", "\ud800", "\u202e" * 500, "é" * 5000, "-" * 500])
def test_no_prompt_is_too_strange(prompt: str) -> None:
    assert read(prompt).places == ()
