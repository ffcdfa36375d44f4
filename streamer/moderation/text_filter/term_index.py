"""Finds terms that a text holds for certain, in both alphabets."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from streamer.moderation.text_filter import decoders, normalize
from streamer.moderation.text_filter.lexicon import Term
from streamer.moderation.text_filter.matcher import SHORTEST_STEM, TermMatcher

# Cyrillic letters that look exactly like a Latin one: a word of nothing else can be typed without Cyrillic at all.
_LATIN_TWINS = str.maketrans("асекмортхувн", "acekmoptxybh")


@dataclass(frozen=True, slots=True)
class TermsByAlphabet:
    """Terms with folded patterns, each in the alphabet that its words are read in."""

    latin: list[Term]
    cyrillic: list[Term]


class TermIndex:
    """Look up the words of a text in the alphabet they are read in."""

    def __init__(self, terms: TermsByAlphabet) -> None:
        self._latin = TermMatcher(terms.latin + _typed_in_latin(terms.cyrillic))
        self._cyrillic = TermMatcher(terms.cyrillic)

    def hits(self, words: normalize.NormalizedWords) -> list[Term]:
        """Return the terms among the words of a text."""
        hits = self._latin.hits(words.latin) if words.latin else []
        if words.cyrillic:
            hits += self._cyrillic.hits(words.cyrillic)
        return hits

    def hits_decoded(self, text: str, words: normalize.NormalizedWords, hits: list[Term]) -> list[Term]:
        """Return the terms in other readings of a text, without those that an allowed phrase cancels in the text."""
        alone = {term for word in words.latin for term in self._latin.hits([word])}
        alone |= {term for word in words.cyrillic for term in self._cyrillic.hits([word])}
        cancelled = alone - set(hits)
        readings = dict.fromkeys(decoders.other_readings(text))
        decoded = (term for reading in readings for term in self.hits(normalize.read(reading)))
        return [term for term in decoded if term not in cancelled]


def fold_terms(terms: Iterable[Term]) -> list[Term]:
    """Bring patterns into the form words are read in, where single letters are dropped."""
    words = ((term.id, normalize.fold(term.pattern).split()) for term in terms)
    return [Term(id_, " ".join(word for word in pattern if len(word) > 1)) for id_, pattern in words]


def by_alphabet(folded: Collection[Term]) -> TermsByAlphabet:
    """Sort folded terms by alphabet."""
    cyrillic = [term for term in folded if not normalize.RUSSIAN.isdisjoint(term.pattern)]
    latin = [term for term in folded if normalize.RUSSIAN.isdisjoint(term.pattern)]
    return TermsByAlphabet(
        [Term(term.id, normalize.to_latin(term.pattern)) for term in latin],
        [Term(term.id, normalize.to_cyrillic(term.pattern)) for term in cyrillic],
    )


def _typed_in_latin(terms: Iterable[Term]) -> list[Term]:
    """Return the Cyrillic words that can be typed in Latin letters alone, typed so."""
    typed = (Term(term.id, term.pattern.translate(_LATIN_TWINS)) for term in terms)
    return [term for term in typed if term.pattern.isascii() and len(term.pattern.strip("*")) > SHORTEST_STEM]
