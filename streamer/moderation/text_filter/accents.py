"""Ordinary words that would be a term without their accents, like Polish "góry": cut out before accents are folded."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Stands where a word was, so that its neighbours do not become one.
_CUT_OUT = " 0 "
_WORD = re.compile(r"\w+")


class OrdinaryAccents:
    """Know ordinary words, and stems marked by a star, by their exact spelling."""

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = list(patterns)
        self._words = frozenset(pattern for pattern in patterns if "*" not in pattern)
        self._stems = tuple(pattern.rstrip("*") for pattern in patterns if "*" in pattern)

    def cut_out(self, text: str) -> str:
        """Return a text without its ordinary words."""
        return text if text.isascii() else _WORD.sub(self._cut, text)

    def _cut(self, match: re.Match[str]) -> str:
        word = match[0].lower()
        if word in self._words:
            return _CUT_OUT
        # What follows an ordinary stem is checked by itself: anything can be appended to it.
        stem = next(filter(word.startswith, self._stems), None)
        return match[0] if stem is None else _CUT_OUT + word[len(stem) :]
