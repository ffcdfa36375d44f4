"""Facts about finding terms among words."""

from __future__ import annotations

import pytest

from streamer.moderation.text_filter.lexicon import Term
from streamer.moderation.text_filter.matcher import TermMatcher

_MATCHER = TermMatcher(
    [
        Term("x-1", "ship"),
        Term("x-2", "sail*"),
        Term("x-3", "*anchor*"),
        Term("x-4", "dead calm"),
        Term("x-5", "boon"),
        Term("x-6", "~плыв*"),
        Term("allow-1", "sailor"),
        Term("allow-2", "ship shape"),
    ]
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ship", ["x-1"]),
        ("ships", []),
        ("sailing", ["x-2"]),
        ("assail", []),
        ("reanchored", ["x-3"]),
        ("a dead calm sea", ["x-4"]),
        ("dead sea calm", []),
        ("sailor", []),
        ("sailors", ["x-2"]),
        ("ship shape", []),
        ("ship shape ship", ["x-1"]),
        ("shiiiip", ["x-1"]),
        ("shhip", ["x-1"]),
        ("saaaailing", ["x-2"]),
        ("saailing", []),
        ("sshhiipp", ["x-1"]),
        ("ssaaiilloorrss", ["x-2"]),
        ("uunnaanncchhoorreedd", ["x-3"]),
        ("bboooonn", ["x-5"]),
        ("sshh", []),
        ("dead calm dead calm", ["x-4"]),
        ("ship shape ship shape", []),
        ("boooon", ["x-5"]),
        ("saaaiiling", ["x-2"]),
        ("sssaaiill", ["x-2"]),
        ("bbboon", ["x-5"]),
        ("bbbon", []),
        ("bon", []),
        ("уплывает", ["x-6"]),
        ("сплывает", []),
        ("плывет", ["x-6"]),
    ],
)
def test_what_a_pattern_matches(line: str, expected: list[str]) -> None:
    assert [term.id for term in _MATCHER.hits(line.split())] == expected
