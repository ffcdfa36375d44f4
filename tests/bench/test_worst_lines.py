"""No line costs more than in proportion to its length, in anything that reads it before the limiter or in the gate.

Costs are compared with the cost of walking over a text of the longest length, on the same machine at the same moment.
"""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.worst_lines import DIFFERENT, REPEATED, UNITS, Line, Subject, line_of, milliseconds, subjects
from streamer.moderation.text_filter.filter import TextFilter
from streamer.moderation.text_filter.options import TextFilterOptions
from streamer.text import LONGEST, clean

WALKS = 200
"""A text may cost as much as this many walks over the longest one; what is quadratic costs thousands."""
GROWTH = 10
"""Four times the line may take ten times as long; what is quadratic takes sixteen times as long."""

TERMS = TextFilterOptions(extra=("marmalade*", "zeppelin", "пеликан*"))
SUBJECTS = {
    **subjects(),
    "gate": Subject(lambda: TextFilter(TERMS, []).find, 1000),
    "gate, names": Subject(lambda: TextFilter(TERMS, []).name_ok, 64),
}
del SUBJECTS["line to verdict"]  # its parts are there, and it would read the shipped list each time
PIECES = st.one_of(st.sampled_from(UNITS), st.text(max_size=3))


def walk_ms() -> float:
    return milliseconds(Subject(lambda: lambda text: [ord(char) for char in text], LONGEST), "a" * LONGEST)


def costs(subject: Subject, line: Line, rounds: int) -> float:
    return milliseconds(subject, line(subject.longest), rounds)


def costs_too_much(subject: Subject, line: Line, walk: float) -> bool:
    cost = costs(subject, line, rounds=1)
    if cost < 20 * walk:
        return False
    # A busy machine explains one slow round, so it has to be slow again, and slower than a quarter of the line.
    cost = costs(subject, line, rounds=5)
    quarter = milliseconds(subject, line(subject.longest // 4), rounds=5)
    return cost > WALKS * walk or cost > GROWTH * quarter + 20 * walk


@pytest.mark.parametrize("name", SUBJECTS)
def test_lines_made_to_cost_much_cost_in_proportion(name: str) -> None:
    walk = walk_ms()
    assert [made_of for made_of, line in REPEATED.items() if costs_too_much(SUBJECTS[name], line, walk)] == []


@pytest.mark.parametrize("name", SUBJECTS)
def test_lines_of_ever_different_words_cost_no_more_than_others(name: str) -> None:
    walk, subject = walk_ms(), SUBJECTS[name]
    too_much = [made_of for made_of, line in DIFFERENT.items() if costs(subject, line, rounds=1) > WALKS * walk]
    assert [made_of for made_of in too_much if costs(subject, DIFFERENT[made_of], rounds=5) > WALKS * walk] == []


@pytest.mark.parametrize("name", ["clean", "redact", "interpret", "gate", "irc line", "irc emotes", "order of display"])
@settings(max_examples=30, deadline=None)
@given(unit=st.lists(PIECES, min_size=1, max_size=4).map("".join).filter(bool))
def test_any_repeated_text_costs_in_proportion(name: str, unit: str) -> None:
    assert not costs_too_much(SUBJECTS[name], partial(line_of, unit), walk_ms())


def test_a_quadratic_reader_is_noticed() -> None:
    def quadratic(text: str) -> int:
        return sum(text.count(char) for char in text)

    make: Callable[[], Callable[[str], object]] = lambda: quadratic  # noqa: E731
    assert costs_too_much(Subject(make, 8000), partial(line_of, "ab"), walk_ms())


def test_any_bytes_are_cleaned_to_what_a_chat_line_may_hold() -> None:
    assert len(clean(bytes(range(256)).decode("latin-1") * 256)) <= LONGEST
