"""Other spellings of a word: transliterations as people write them, and one slip of the finger."""

from __future__ import annotations

import pytest

from streamer.moderation.text_filter.fuzzy import is_one_slip_apart, transliterations


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ("harbour", "harbor", True),
        ("harbour", "harbours", True),
        ("harbour", "harbuor", True),
        ("harbour", "hxrbour", True),
        ("harbour", "rahbour", False),
        ("harbour", "hrabuor", False),
        ("harbour", "harbour", False),
        ("harbour", "hxrboxr", False),
        ("harbour", "xarbouy", False),
        ("harbour", "abour", False),
        ("harbour", "sailor", False),
        ("harbour", "harb", False),
        ("ab", "ba", True),
    ],
)
def test_one_slip_of_the_finger(first: str, second: str, apart: bool) -> None:
    assert is_one_slip_apart(first, second) is apart
    assert is_one_slip_apart(second, first) is apart


def test_a_word_is_written_in_the_other_alphabet_as_people_do() -> None:
    assert transliterations("щукарь") == {"schukar", "shhukar", "shchukar"}
    assert transliterations("ship") == set()
    assert transliterations("shipya") == set()
    assert transliterations("shippers") == {"шипперс"}
    assert transliterations("утка") == set()
    assert transliterations("ведро") == {"vedro"}
    assert transliterations("утята") == {"utyata", "utjata", "utiata"}
    assert transliterations("боцмана") == {"bocmana", "botsmana"}
    assert transliterations("щука") == {"schuka", "shhuka", "shchuka"}
