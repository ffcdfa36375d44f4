"""What a prompt asks to see, in any language."""

from __future__ import annotations

import pytest

from streamer.generator.procedural.subjects.words import mentions


def named(prompt: str) -> list[tuple[str, int]]:
    return [(mention.drawing.name, mention.count) for mention in mentions(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat on a windowsill", [("cat", 1)]),
        ("three owls", [("owl", 3)]),
        ("gato astronauta en la luna", [("cat", 1), ("astronaut", 1), ("crescent moon", 1)]),
        ("🐈 in space 🚀", [("cat", 1), ("rocket", 1)]),
        ("2 cats and a red apple", [("cat", 2), ("red apple", 1)]),
        ("две совы ночью", [("owl", 2)]),
        ("котик", [("cat", 1)]),
        ("деревня, 3 лисы", [("fox", 3)]),
        ("屋根の上の猫", [("cat", 1)]),
        ("ラーメンを食べる犬", [("steaming bowl", 1), ("dog", 1)]),
        ("고양이 세 마리", [("cat", 3)]),
        ("die Burg mit einem Drachen", [("castle", 1), ("dragon", 1)]),
        ("dzikie konie", [("horse", 1)]),
        ("dogs playing", [("dog", 1)]),
        ("an der See unter dem Dach", []),
        ("pengiuns on the ice", [("penguin", 1)]),
        ("a pile of gold", []),
        ("ein Fuchs liest ein Buch", [("fox", 1), ("open book", 1)]),
    ],
)
def test_a_prompt_names_drawings(prompt: str, expected: list[tuple[str, int]]) -> None:
    assert named(prompt) == expected


def test_a_mention_says_where_it_stands() -> None:
    (mention,) = mentions("eine Katze!")
    assert (mention.word, mention.start, mention.end) == ("Katze", 5, 10)
