"""The streamer's own simple patterns, on an engine in linear time: no pattern can hang the show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import re2

_MEMORY = 1 << 20
_LONGEST = 200


class CompiledPattern(Protocol):
    """What a compiled pattern offers."""

    def search(self, text: str) -> object | None: ...


def compiled(pattern: str) -> CompiledPattern:
    """Return a pattern ready to search; a ValueError says what is wrong with it and what to do."""
    if len(pattern) > _LONGEST:
        raise ValueError(f"'{pattern[:20]}...': use {_LONGEST} characters at most")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        found: CompiledPattern = re2.compile(pattern, options)
    except re2.error as error:
        problem = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f"'{pattern}': {problem}; use RE2 syntax, without look-around and back-references") from None
    if found.search("") is not None:
        raise ValueError(f"'{pattern}': it matches everything; use at least one letter that must be there")
    return found


def from_platform(terms: Iterable[str]) -> list[str]:
    """Turn a channel's blocked terms, where * stands for anything inside a word, into patterns of this program.

    A term that is only emoji or signs has no reading here and is left to the platform.
    """
    patterns = []
    for term in terms:
        words = term.strip().split()
        pieces = [r"[\pL\pN]*".join(re2.escape(part) for part in word.split("*")) for word in words]
        if any(char.isalnum() for char in term):
            patterns.append(rf"(?:^|[^\pL\pN])(?:{' +'.join(pieces)})(?:$|[^\pL\pN])")
    return patterns
