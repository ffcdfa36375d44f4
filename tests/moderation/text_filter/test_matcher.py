"""Terms are found among words as their patterns say."""

from __future__ import annotations

import pytest

from streamer.moderation.text_filter.lexicon import Term
from streamer.moderation.text_filter.matcher import TermMatcher

_MATCHER = TermMatcher(
    [
        Term("extra-1", "ship"),
        Term("extra-2", "sail*"),
        Term("extra-3", "*anchor*"),
        Term("extra-4", "dead calm"),
        Term("extra-5", "boon"),
        Term("extra-6", "~плыв*"),
        Term("allow-1", "sailor"),
        Term("allow-2", "ship shape"),
    ]
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ship", ["extra-1"]),
        ("ships", []),
        ("sailing", ["extra-2"]),
        ("assail", []),
        ("reanchored", ["extra-3"]),
        ("a dead calm sea", ["extra-4"]),
        ("dead sea calm", []),
        ("sailor", []),
        ("sailors", ["extra-2"]),
        ("ship shape", []),
        ("ship shape ship", ["extra-1"]),
        ("shiiiip", ["extra-1"]),
        ("shhip", ["extra-1"]),
        ("saaaailing", ["extra-2"]),
        ("saailing", []),
        ("sshhiipp", ["extra-1"]),
        ("ssaaiilloorrss", ["extra-2"]),
        ("uunnaanncchhoorreedd", ["extra-3"]),
        ("bboooonn", ["extra-5"]),
        ("sshh", []),
        ("dead calm dead calm", ["extra-4"]),
        ("ship shape ship shape", []),
        ("boooon", ["extra-5"]),
        ("saaaiiling", ["extra-2"]),
        ("sssaaiill", ["extra-2"]),
        ("bbboon", ["extra-5"]),
        ("bbbon", []),
        ("bon", []),
        ("уплывает", ["extra-6"]),
        ("сплывает", []),
        ("плывет", ["extra-6"]),
    ],
)
def test_what_a_pattern_matches(line: str, expected: list[str]) -> None:
    assert [term.id for term in _MATCHER.hits(line.split())] == expected
