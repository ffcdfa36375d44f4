"""Finds the terms of one alphabet among words: whole words, stems, phrases, and a few anywhere inside a word."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import ahocorasick

from streamer.moderation.text_filter import decoders, normalize
from streamer.moderation.text_filter.lexicon import UNREAD, Term, TermKind

SHORTEST_STEM = 3
"""Letters that a pattern with a star needs at least; stems are found by their first three."""

# Verbs of abuse take nearly any prefix. The bare "с" is left out: it makes a first name of one of them.
_PREFIXES = (
    "в въ вз взъ вы до за из изо изъ на не недо ни о об обо объ от ото отъ "
    "пере по под подъ при про раз разъ рас со съ у"
)
_DOUBLE = re.compile(r"(.)\1")
# What is too much of one letter. To take it out is several times as fast as to put the letter in its place.
_MORE_THAN_ONE = re.compile(r"(.)(?=\1)")
_MORE_THAN_TWO = re.compile(r"(.)\1+(?=\1)")
_WORDS_CACHED = 4096
_NEVER = "\0"
_CANNOT_BE_ALLOWED = (TermKind.MINORS, TermKind.AGE, TermKind.UNDRESS)


class TermMatcher:
    """Look words up in constant time; patterns must be folded and in the alphabet of the words.

    Words and phrases of the kind "allow" cancel what they cover. An allowed word still counts beside an age word, and
    what concerns minors cannot be allowed.
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
        doubled = [term for term in terms if _DOUBLE.search(term.pattern) and term.kind is not TermKind.ALLOW]
        self._runs = {term.id: _at_least_as_long_runs(term.core) for term in doubled}
        squeezed = [Term(term.id, _DOUBLE.sub(r"\1", term.pattern)) for term in doubled]
        self._squeezed = TermMatcher(squeezed) if squeezed else None
        self._first_words = frozenset(phrase.split()[0] for phrase in (*self._phrases, *self._allowed_phrases))
        # Chat uses few words; a cached word costs a tenth of a microsecond instead of three.
        self._find = lru_cache(_WORDS_CACHED)(self._find_uncached)
        self._stems_by_start: dict[str, tuple[str, ...]] = {}
        for stem in self._stems:
            start = stem[:SHORTEST_STEM]
            self._stems_by_start[start] = (*self._stems_by_start.get(start, ()), stem)

    def hits(self, words: list[str]) -> list[Term]:
        """Return the terms found among the words of one text."""
        hits: list[Term] = []
        if not self._first_words.isdisjoint(words):
            words, hits = self._take_phrases(words)
        hits += filter(None, map(self._find, words))
        return hits

    def _add(self, term: Term) -> None:
        core, is_allowed = term.core, term.kind is TermKind.ALLOW
        if " " in core:
            (self._allowed_phrases if is_allowed else self._phrases)[_spaced_apart(core.split())] = term
        elif is_allowed:
            self._allowed.add(core)
        elif term.pattern.startswith("*"):
            self._inside.add_word(core, term)
        elif term.pattern.endswith("*"):
            prefixes = _PREFIXES.split() if term.pattern.startswith("~") else []
            self._stems.update((prefix + core, term) for prefix in ("", *prefixes))
        else:
            self._words[core] = term

    def _take_phrases(self, words: list[str]) -> tuple[list[str], list[Term]]:
        """Return the words that no allowed phrase covers, and the terms of several words among them."""
        text = _spaced_apart(words)
        for phrase in self._allowed_phrases:
            text = text.replace(phrase, " | ")
        return text.split(), [term for phrase, term in self._phrases.items() if phrase in text]

    def _find_uncached(self, word: str) -> Term | None:
        if word in self._allowed:
            return _despite_allow(self._whole_or_stem(word))
        return self._whole_or_stem(word) or self._inside_word(word) or self._repeated_letters(word)

    def _whole_or_stem(self, word: str) -> Term | None:
        if (term := self._words.get(word)) is not None:
            return term
        stems = self._stems_by_start.get(word[:SHORTEST_STEM], ())
        stem = next((stem for stem in stems if word.startswith(stem)), None)
        return None if stem is None else self._stems[stem]

    def _inside_word(self, word: str) -> Term | None:
        return next((term for _, term in self._inside.iter(word)), None)

    def _repeated_letters(self, word: str) -> Term | None:
        """Look a word up with repeated letters taken out.

        Nobody means every letter twice, or one letter three times. Two of one are ordinary: with one of them gone many
        a harmless word begins like a term, so then only a whole word counts. One letter alone, repeated, is laughter.
        """
        if _DOUBLE.search(word) is None or not word.strip(word[0]):
            return None
        if word[::2] == word[1::2] and len(word) > 4:
            return self._whole_or_stem(word[::2]) or self._inside_word(word[::2])
        once, squeezed = _MORE_THAN_TWO.sub("", word), _MORE_THAN_ONE.sub("", word)
        if once == word:
            return self._words.get(squeezed)
        return self._whole_or_stem(once) or self._inside_word(once) or self._fully_squeezed(word, squeezed)

    def _fully_squeezed(self, word: str, squeezed: str) -> Term | None:
        """Look a squeezed word up; a term with double letters counts if the word repeats each at least as often."""
        if (term := self._whole_or_stem(squeezed)) is not None or self._squeezed is None:
            return term
        term = self._squeezed._whole_or_stem(squeezed) or self._squeezed._inside_word(squeezed)
        return term if term is not None and self._runs[term.id].search(word) else None


def _spaced_apart(words: Sequence[str]) -> str:
    """Join words by two spaces, one for each side, so that a phrase said twice in a row is found twice."""
    return f" {'  '.join(words)} "


def _despite_allow(term: Term | None) -> Term | None:
    """Return what remains of the hit of an allowed word."""
    if term is None or term.kind in _CANNOT_BE_ALLOWED:
        return term
    return Term("undress-allowed", term.pattern) if term.kind is TermKind.SEXUAL else None


def _at_least_as_long_runs(core: str) -> re.Pattern[str]:
    # Each run is taken whole, from its beginning, so that no word costs more than one look at each of its letters.
    return re.compile(f"(?<!{core[0]})" + "".join(f"{letter}{{{len(list(run))},}}+" for letter, run in groupby(core)))


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

    def hits_decoded(
        self, text: str, words: normalize.NormalizedWords, hits: list[Term], different: set[str]
    ) -> list[Term]:
        """Return the terms in other readings of a text, without those that an allowed phrase cancels in the text.

        The words of all readings are added to ``different``; ``UNREAD`` says that these are more than can be judged.
        """
        decoded: list[Term] = []
        for reading in dict.fromkeys(decoders.other_readings(text)):
            read = normalize.read(reading)
            different.update(read.latin, read.cyrillic)
            if read.too_many or len(different) > normalize.most_words(len(text)):
                return [UNREAD]
            decoded += self.hits(read)
        if not decoded:
            return []
        alone = {term for word in words.latin for term in self._latin.hits([word])}
        alone |= {term for word in words.cyrillic for term in self._cyrillic.hits([word])}
        return [term for term in decoded if term not in alone - set(hits)]


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
