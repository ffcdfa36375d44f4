"""Tells which languages a prompt may be in, by how common its words are in each of them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping
from math import log

_UNKNOWN, _KNOWN = 200_000, 15_000
"""Rank of a word that a language does not know, and of one that it knows although it is not among its commonest."""
_WEIGHT = 0.9
_WORST = 3.0
_MOST = 6
_PRIOR = {
    "en": 1.5, "ru": 0.9, "es": 0.8, "de": 0.7, "fr": 0.7, "pt": 0.7, "it": 0.5, "pl": 0.4, "tr": 0.4, "uk": 0.4,
    "nl": 0.3, "id": 0.2, "cs": 0.1, "sv": 0.1, "ar": 0.3,
}  # fmt: skip
"""How much likelier a prompt is in a language before a word is read, as a logarithm: about the languages of viewers."""

_USUAL = {
    "LATIN": ("en", "es", "de", "fr", "pt", "it", "pl", "tr", "nl", "id", "cs", "sv", "hu", "fi", "ro"),
    "CYRILLIC": ("ru", "uk"), "ARABIC": ("ar", "fa"), "DEVANAGARI": ("hi",), "GREEK": ("el",), "HEBREW": ("he",),
}  # fmt: skip


def script(word: str) -> str:
    """Return the name of a word's script: LATIN, CYRILLIC ..."""
    return unicodedata.name(word[0], "").split(" ")[0]


def usual(word: str) -> tuple[str, ...]:
    """Return the languages that are tried for a word of a script although nothing is known of it."""
    return _USUAL.get(script(word), ())


def likely(
    words: Collection[str], ranks: Mapping[str, Mapping[str, int]], known: Mapping[str, Collection[str]]
) -> dict[str, float]:
    """Return the languages that explain folded words best, each with how likely it is: 0 for the likeliest, else less.

    ``ranks`` and ``known`` say in which languages a word is common, or at least known.
    """
    scores: dict[str, float] = defaultdict(float)
    candidates = {language for word in words for language in (*ranks.get(word, ()), *known.get(word, ()))}
    candidates |= {language for word in words for language in usual(word)}
    for language in candidates:
        scores[language] = _PRIOR.get(language, 0.0)
        for word in words:
            rank = ranks.get(word, {}).get(language) or (_KNOWN if language in known.get(word, ()) else _UNKNOWN)
            scores[language] -= _WEIGHT * log(rank)
    best = max(scores.values(), default=0.0)
    first = sorted(scores, key=lambda language: -scores[language])[:_MOST]
    return {language: scores[language] - best for language in first if scores[language] > best - _WORST}
