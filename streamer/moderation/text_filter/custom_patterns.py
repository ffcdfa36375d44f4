"""The streamer's own regular expressions and the channel's blocked terms, on an engine that cannot hang the show.

RE2 searches in time proportional to the text, whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Protocol

import ahocorasick
import re2

from streamer.moderation.text_filter.lexicon import Term
from streamer.moderation.text_filter.normalize import fold

_MAX_MEMORY_BYTES = 1 << 20
_MAX_LENGTH = 200
_NEVER = "\0"
_OWN_TERM, _CHANNEL_TERM = Term("extra-pattern", ""), Term("channel-term", "")


class CompiledPattern(Protocol):
    """What a compiled pattern offers."""

    def search(self, text: str) -> object | None: ...


class CustomPatterns:
    """Search texts for the streamer's patterns, then for the blocked terms of the channel."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._own = [compile_pattern(pattern) for pattern in patterns]
        self.replace_channel_terms(())

    def replace_channel_terms(self, terms: Iterable[str]) -> int:
        """Search for these blocked terms from now on instead of the last ones; return how many can be searched for."""
        readable = [term for term in terms if any(map(str.isalnum, term))]
        # A channel blocks hundreds of terms. Only those are searched for of which a part occurs at all.
        by_part: dict[str, list[CompiledPattern]] = {}
        for term, pattern in zip(readable, patterns_of_blocked_terms(readable), strict=True):
            by_part.setdefault(_longest_part(term), []).append(compile_pattern(pattern))
        self._always = by_part.pop("", [])
        self._parts = ahocorasick.Automaton()
        for part, patterns in by_part.items():
            self._parts.add_word(part, patterns)
        self._parts.add_word(_NEVER, [])  # an automaton without a word cannot be asked
        self._parts.make_automaton()
        return len(readable)

    def find(self, text: str) -> Term | None:
        """Return the term that stands for the first pattern found in a text as typed, or folded."""
        readings = (text, fold(text))
        if any(pattern.search(reading) for pattern in self._own for reading in readings):
            return _OWN_TERM
        occurring = {id(patterns): patterns for _, patterns in self._parts.iter(_without_case(text))}
        channel = chain(self._always, *occurring.values())
        return _CHANNEL_TERM if any(pattern.search(reading) for pattern in channel for reading in readings) else None


def _longest_part(term: str) -> str:
    """Return the longest part of a blocked term that occurs in every text that the term matches, folded."""
    return max((_without_case(part) for word in term.split() for part in word.split("*")), key=len)


def _without_case(text: str) -> str:
    return fold(text.lower())  # folding keeps the capitals of Greek


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
