"""Finds the terms of one alphabet among words: whole words, stems, phrases, and a few anywhere inside a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

import ahocorasick

from streamer.moderation.text_filter.lexicon import Term

SHORTEST_STEM = 3
"""Letters a pattern with a star needs at least; stems are found by their first three."""

# Verbs of abuse take nearly any prefix. The bare "с" is left out: it makes a first name of one of them.
_PREFIXES = (
    "в въ вз взъ вы до за из изо изъ на не недо ни о об обо объ от ото отъ "
    "пере по под подъ при про раз разъ рас со съ у"
)
_DOUBLE = re.compile(r"(.)\1")
_WORDS_KEPT = 4096
_NEVER = "\0"
_RUN = re.compile(r"(.)\1{2,}")


class TermMatcher:
    """Look words up in constant time; patterns have to be folded and in the alphabet of the words.

    Words and phrases of the kind "allow" cancel what they cover. A word that is allowed keeps its part in what must not
    stand together, and what concerns minors cannot be allowed.
    """

    def __init__(self, terms: Sequence[Term]) -> None:
        self._words: dict[str, Term] = {}
        self._stems: dict[str, Term] = {}
        self._inside = ahocorasick.Automaton()
        self._phrases: dict[str, Term] = {}
        self._allowed: set[str] = set()
        self._allowed_phrases: dict[str, Term] = {}
        for term in terms:
            self._add(term)
        self._inside.add_word(_NEVER, None)  # an automaton without a word cannot be asked
        self._inside.make_automaton()
        doubled = [term for term in terms if _DOUBLE.search(term.pattern) and term.kind != "allow"]
        self._runs = {term.id: _at_least_as_long_runs(term.pattern.strip("*~")) for term in doubled}
        tight = [Term(term.id, _DOUBLE.sub(r"\1", term.pattern)) for term in doubled]
        self._tight = TermMatcher(tight) if tight else None
        self._first_words = frozenset(phrase.split()[0] for phrase in (*self._phrases, *self._allowed_phrases))
        # Chat draws with few words; a word seen lately costs a tenth of a microsecond instead of three.
        self._find = lru_cache(_WORDS_KEPT)(self._look_in_all_ways)
        self._buckets: dict[str, tuple[str, ...]] = {}
        for stem in self._stems:
            bucket = stem[:SHORTEST_STEM]
            self._buckets[bucket] = (*self._buckets.get(bucket, ()), stem)

    def hits(self, words: list[str]) -> list[Term]:
        """Return the terms found among the words of one text."""
        found: list[Term] = []
        if not self._first_words.isdisjoint(words):
            words, found = self._phrases_in(words)
        found += filter(None, map(self._find, words))
        return found

    def _add(self, term: Term) -> None:
        core = term.pattern.strip("*~")
        if " " in core:
            (self._allowed_phrases if term.kind == "allow" else self._phrases)[_apart(core.split())] = term
        elif term.kind == "allow":
            self._allowed.add(core)
        elif term.pattern.startswith("*"):
            self._inside.add_word(core, term)
        elif term.pattern.endswith("*"):
            prefixes = _PREFIXES.split() if term.pattern.startswith("~") else []
            self._stems.update((prefix + core, term) for prefix in ("", *prefixes))
        else:
            self._words[core] = term

    def _phrases_in(self, words: list[str]) -> tuple[list[str], list[Term]]:
        """Return the words that no allowed phrase covers, and the terms of several words among them."""
        text = _apart(words)
        for phrase in self._allowed_phrases:
            text = text.replace(phrase, " | ")
        return text.split(), [term for phrase, term in self._phrases.items() if phrase in text]

    def _look_in_all_ways(self, word: str) -> Term | None:
        if word in self._allowed:
            return _without_refusal(self._look(word))
        return self._look(word) or self._look_inside(word) or self._look_squeezed(word)

    def _look(self, word: str) -> Term | None:
        if (term := self._words.get(word)) is not None:
            return term
        bucket = self._buckets.get(word[:SHORTEST_STEM], ())
        stem = next((stem for stem in bucket if word.startswith(stem)), None)
        return None if stem is None else self._stems[stem]

    def _look_inside(self, word: str) -> Term | None:
        return next((term for _, term in self._inside.iter(word)), None)

    def _look_squeezed(self, word: str) -> Term | None:
        """Look at a word with repeated letters taken out.

        Each letter twice, or three of one, are never meant. Two often are: with one of them gone many a harmless word
        begins like a term, so then only a whole word counts.
        """
        if _DOUBLE.search(word) is None:
            return None
        if word[::2] == word[1::2] and len(word) > 4:
            return self._look(word[::2]) or self._look_inside(word[::2])
        once = _RUN.sub(r"\1", word)
        if once == word:
            return self._words.get(_DOUBLE.sub(r"\1", word))
        return self._look(once) or self._look_inside(once) or self._look_at_runs(word, _DOUBLE.sub(r"\1", once))

    def _look_at_runs(self, word: str, tight: str) -> Term | None:
        """Look at a word squeezed fully; a term with doubles of its own counts when no run is shorter than there."""
        if (term := self._look(tight)) is not None or self._tight is None:
            return term
        term = self._tight._look(tight) or self._tight._look_inside(tight)
        return term if term is not None and self._runs[term.id].search(word) else None


def _apart(words: Sequence[str]) -> str:
    """Join words with two spaces, one for each, so that a phrase said twice in a row is found twice."""
    return f" {'  '.join(words)} "


def _without_refusal(term: Term | None) -> Term | None:
    if term is None or term.kind in ("minors", "age", "undress"):
        return term
    return Term("undress-allowed", term.pattern) if term.kind == "sexual" else None


def _at_least_as_long_runs(core: str) -> re.Pattern[str]:
    return re.compile("".join(f"{letter}{{{len(list(run))},}}" for letter, run in groupby(core)))
