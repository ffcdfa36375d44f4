"""Finds words that are probably a refused one in a doubtful disguise: they hold a request and never refuse it.

Backwards, with shifted letters, on the wrong keyboard layout, in another alphabet's spelling, with vowels dropped or
starred, one letter off, spelled by sound, inside a longer word, or cut in two by a space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate

import ahocorasick

from streamer.moderation.text_filter import spelling
from streamer.moderation.text_filter.finding import Reading
from streamer.moderation.text_filter.lexicon import Term

SHORTEST = spelling.SHORTEST
_SHORTEST_WITHOUT_VOWELS = 4
# Letters that a term needs for the less certain disguises, and to be found inside a longer word.
_SHORTEST_NEAR, _SHORTEST_HIDDEN = 6, 7
_WORDS_CACHED = 8192
_NO_X = str.maketrans("", "", "xх")  # Latin and Cyrillic
_PIG_LATIN_TAIL = re.compile("(?:yay|way|ay|эй|ау)$")
_NEVER = "\0"


class FuzzyMatcher:
    """Look one alphabet's words up in their doubtful disguises; patterns are folded and in that alphabet.

    ``foreign`` are the terms of the other alphabet; ``known`` are ordinary words that only look like a disguised term.
    """

    def __init__(self, terms: Sequence[Term], foreign: Sequence[Term], known: Iterable[str]) -> None:
        self._cores = {term.core: term for term in terms}
        self._long = {core: term for core, term in self._cores.items() if core.isalpha() and len(core) >= SHORTEST}
        self._known = frozenset(known)
        self._known_phrases = _by_joined_words(self._known)
        self._by_length = _by_length(self._cores)
        self._automaton = _automaton(self._long)
        self._index_own_disguises()
        self._index_foreign_disguises(foreign)
        self._find = lru_cache(_WORDS_CACHED)(self._find_uncached)

    def _index_own_disguises(self) -> None:
        words = self._long.items()
        near = {core: term for core, term in words if len(core) >= _SHORTEST_NEAR}
        self._backwards = {core[::-1]: term for core, term in words}
        self._baby_talk = {spelling.baby_talk(core): term for core, term in words}
        self._steps = {spelling.letter_steps(core): term for core, term in near.items()}
        self._phonetic = {spelling.phonetic(core): term for core, term in near.items()}
        self._without_vowels = {
            bare: term
            for core, term in words
            for bare in spelling.without_vowels(core)
            if len(bare) >= _SHORTEST_WITHOUT_VOWELS
        }
        self._one_letter_out = {cut: core for core in near for cut in (core, *spelling.one_letter_out(core))}

    def _index_foreign_disguises(self, foreign: Sequence[Term]) -> None:
        words = [(term.core, term) for term in foreign if term.core.isalpha() and len(term.core) >= SHORTEST]
        self._other_layout = {
            typed: term for core, term in words for typed in spelling.on_other_layout(core) if len(typed) >= SHORTEST
        }
        self._transliterated = {other: term for core, term in words for other in spelling.transliterations(core)}
        russian = ((core, term) for core, term in words if not core.isascii())
        self._by_ear = {spelling.russian_by_ear(spelling.soften(core)): term for core, term in russian}

    def find(self, word: str) -> tuple[Term, Reading] | None:
        """Return the term that a word hides, and how."""
        return self._find(word)

    def starred(self, word: str) -> Term | None:
        """Return the term that a word with starred letters shows at least half of."""
        shown = sum(char.isalpha() for char in word)
        if not len(word) >= 3 or shown * 2 < len(word) or shown == len(word):
            return None
        pattern = re.compile("".join(char if char.isalpha() else "." for char in word))
        core = next(filter(pattern.fullmatch, self._by_length.get(len(word), ())), None)
        return None if core is None else self._cores[core]

    def across(self, words: Sequence[str]) -> Term | None:
        """Return the term that whole words make when they are joined, unless its pieces are a known phrase."""
        text = "".join(words)
        ends = set(accumulate(map(len, words)))
        for last, core in self._automaton.iter(text):
            start, end = last + 1 - len(core), last + 1
            is_joined = end in ends and (start == 0 or start in ends) and core not in words
            if is_joined and len(core) >= _SHORTEST_NEAR and not self._is_known_in_pieces(core, words):
                return self._long[core]
        return None

    def _is_known_in_pieces(self, core: str, words: Sequence[str]) -> bool:
        text = f" {' '.join(words)} "
        return any(f" {phrase} " in text for phrase in self._known_phrases.get(core, ()))

    def initials(self, words: Sequence[str]) -> Term | None:
        """Return the term that the first letters of the words spell."""
        if len(words) < _SHORTEST_NEAR:
            return None
        return self._first_inside("".join(word[0] for word in words), _SHORTEST_NEAR)

    def anywhere(self, text: str) -> Iterator[Term]:
        """Yield the terms of five letters or more that occur anywhere; names have no word boundaries."""
        for _, core in self._automaton.iter(text):
            yield self._long[core]

    def _find_uncached(self, word: str) -> tuple[Term, Reading] | None:
        if len(word) < _SHORTEST_WITHOUT_VOWELS or word in self._known or word in self._long:
            return None
        for term, reading in self._attempts(word):
            if term is not None:
                return term, reading
        return None

    def _attempts(self, word: str) -> Iterator[tuple[Term | None, Reading]]:
        if word in spelling.without_vowels(word):
            bare = self._without_vowels
            yield bare.get(word) or bare.get(word.translate(_NO_X)), Reading.WITHOUT_VOWELS
        if len(word) < SHORTEST:
            return
        yield self._backwards.get(word), Reading.BACKWARDS
        yield self._other_layout.get(word), Reading.KEYBOARD
        yield self._transliterated.get(word) or self._by_ear.get(spelling.russian_by_ear(word)), Reading.ALPHABET
        yield self._baby_talk.get(word), Reading.BY_SOUND
        yield self._shifted(word), Reading.SHIFTED
        yield self._phonetic.get(spelling.phonetic(word)), Reading.BY_SOUND
        yield self._one_letter_off(word), Reading.ONE_LETTER
        yield self._first_inside(word, _SHORTEST_HIDDEN), Reading.HIDDEN
        yield self._pig_latin(word), Reading.TAIL

    def _shifted(self, word: str) -> Term | None:
        steps = spelling.letter_steps
        return self._steps.get(steps(word)) or self._steps.get(steps(word.replace("и", "й")))

    def _one_letter_off(self, word: str) -> Term | None:
        if len(word) < _SHORTEST_NEAR:
            return None
        for cut in (word, *spelling.one_letter_out(word)):
            core = self._one_letter_out.get(cut)
            if core is not None and core != word and spelling.is_one_slip_apart(core, word):
                return self._long[core]
        return None

    def _first_inside(self, text: str, shortest: int) -> Term | None:
        return next((self._long[core] for _, core in self._automaton.iter(text) if len(core) >= shortest), None)

    def _pig_latin(self, word: str) -> Term | None:
        stem = _PIG_LATIN_TAIL.sub("", word)
        if stem == word:
            return None
        rotations = (stem[start:] + stem[:start] for start in range(len(stem), max(0, len(stem) - 4), -1))
        return next((self._long[rotation] for rotation in rotations if rotation in self._long), None)


def _by_joined_words(known: Iterable[str]) -> dict[str, list[str]]:
    phrases: dict[str, list[str]] = {}
    for phrase in known:
        if " " in phrase:
            phrases.setdefault(phrase.replace(" ", ""), []).append(phrase)
    return phrases


def _by_length(words: Iterable[str]) -> dict[int, list[str]]:
    by_length: dict[int, list[str]] = {}
    for word in words:
        by_length.setdefault(len(word), []).append(word)
    return by_length


def _automaton(words: Iterable[str]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for word in words:
        automaton.add_word(word, word)
    automaton.add_word(_NEVER, _NEVER)  # an automaton without a word cannot be asked
    automaton.make_automaton()
    return automaton
