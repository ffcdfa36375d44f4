"""The streamer's own regular expressions and the channel's blocked terms, on an engine that cannot hang the show.

RE2 searches in time proportional to the text, whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import re2

from streamer.moderation.text_filter.lexicon import Term
from streamer.moderation.text_filter.normalize import fold

_MAX_MEMORY_BYTES = 1 << 20
_MAX_LENGTH = 200
_OWN_TERM, _CHANNEL_TERM = Term("extra-pattern", ""), Term("channel-term", "")


class CompiledPattern(Protocol):
    """What a compiled pattern offers."""

    def search(self, text: str) -> object | None: ...


class CustomPatterns:
    """Search texts for the streamer's patterns, then for the blocked terms of the channel."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._own = [(compile_pattern(pattern), _OWN_TERM) for pattern in patterns]
        self._channel: list[tuple[CompiledPattern, Term]] = []

    def replace_channel_terms(self, terms: Iterable[str]) -> int:
        """Search for these blocked terms from now on instead of the last ones; return how many can be searched for."""
        self._channel = [(compile_pattern(pattern), _CHANNEL_TERM) for pattern in patterns_of_blocked_terms(terms)]
        return len(self._channel)

    def find(self, text: str) -> Term | None:
        """Return the term that stands for the first pattern found in a text as typed, or folded."""
        patterns: Sequence[tuple[CompiledPattern, Term]] = (*self._own, *self._channel)
        if not patterns:
            return None
        readings = (text, fold(text))
        return next((term for pattern, term in patterns if any(map(pattern.search, readings))), None)


def compile_pattern(pattern: str) -> CompiledPattern:
    """Return a pattern ready to search; raise ValueError with the fix if it cannot be used."""
    if len(pattern) > _MAX_LENGTH:
        raise ValueError(f"'{pattern[:20]}...': use {_MAX_LENGTH} characters at most")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    try:
        compiled: CompiledPattern = re2.compile(pattern, options)
    except re2.error as error:
        problem = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f"'{pattern}': {problem}; use RE2 syntax, without look-around and back-references") from None
    if compiled.search("") is not None:
        raise ValueError(f"'{pattern}': it matches everything; use at least one letter that must be there")
    return compiled


def patterns_of_blocked_terms(terms: Iterable[str]) -> list[str]:
    """Turn a channel's blocked terms, where * stands for anything inside a word, into regular expressions.

    A term of emoji or signs alone has no reading here and is left to the platform.
    """
    patterns = []
    for term in terms:
        words = term.strip().split()
        pieces = [r"[\pL\pN]*".join(re2.escape(part) for part in word.split("*")) for word in words]
        if any(char.isalnum() for char in term):
            patterns.append(rf"(?:^|[^\pL\pN])(?:{' +'.join(pieces)})(?:$|[^\pL\pN])")
    return patterns
