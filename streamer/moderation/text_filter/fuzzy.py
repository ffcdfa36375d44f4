"""Finds words that are probably a refused one in a doubtful disguise: they hold a request and never refuse it.

Backwards, with shifted letters, on the wrong keyboard layout, in another alphabet's spelling, with vowels dropped or
starred, one letter off, spelled by sound, inside a longer word, or cut in two by a space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import ahocorasick

from streamer.moderation.text_filter import normalize
from streamer.moderation.text_filter.lexicon import Finding, Reading, Term
from streamer.moderation.text_filter.matcher import TermsByAlphabet
from streamer.types import Outcome

SHORTEST = 5
"""Letters a term needs to be looked for in disguise; a shorter one is too often part of something else."""

_LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_CYRILLIC_KEYS = "йцукенгшщзхъфывапролджэячсмитьбюё"
_TO_LATIN_KEYS = str.maketrans(_CYRILLIC_KEYS + "и", _LATIN_KEYS + "b")
_TO_CYRILLIC_KEYS = str.maketrans(_LATIN_KEYS, _CYRILLIC_KEYS)
_TRANSLITERATIONS = (
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdeziyklmnoprstufhyec", "", ""], strict=True))
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya"},
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdezijklmnoprstufxyec", "", ""], strict=True))
    | {"ж": "j", "ч": "4", "ш": "w", "щ": "shh", "ю": "ju", "я": "ja"},
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdeziiklmnoprstuf", "kh", "y", "e", "ts", "", ""], strict=True))
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "iu", "я": "ia"},
)
_LETTER_PAIRS = (
    ("sh", "ш"), ("ch", "ч"), ("zh", "ж"), ("ph", "ф"), ("ck", "к"), ("ya", "я"), ("yu", "ю"), ("th", "т"),
)  # fmt: skip
_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абкдефгхижклмнопкрстуввхиз")
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("(?<=[aeiou])h", ""), ("ph", "f"), ("ck|c(?![eiyh])|q", "k"), ("c(?=[eiy])|z", "s"), ("x", "ks"),
        ("ee|ea|y|ie", "i"), ("oo|ou|w", "u"), ("ai|ay|ei|ey", "e"), ("gh", "g"), ("kh", "h"), ("э", "е"),
        ("сч|шч|щ", "ш"), ("тс|дс", "ц"), ("[ьъ]", ""), ("ы", "и"), ("о(?!$)", "а"), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
_SOUNDS_IN_LATIN = (("shch", "ш"), ("sch", "ш"), ("shh", "ш"), ("sh", "ш"), ("zh", "ж"), ("ch", "ч"), ("kh", "х"))
_ONE_SOUND = str.maketrans(
    dict(zip("abcdefghijklmnopqrstuvwxyz46", "абцдефгхииклмнопкрстуввхизчш", strict=True))
    | {"ц": "тс", "c": "тс", "я": "иа", "ю": "иу", "щ": "ш", "ы": "и", "э": "е", "ь": "", "ъ": ""}
)
_SOFT_BEFORE_VOWEL = re.compile("ь(?=[аеиоуюя])")
_BABY_TALK = str.maketrans("rl", "ww")
_VOWELS = re.compile("[aeiouyаеиоуыэюя]")


def transliterations(core: str) -> set[str]:
    """Return a word in the other alphabet, in each way people write it; only what is long enough to look for."""
    if core.isascii():
        written = {_in_cyrillic(core)}
    else:
        written = {"".join(table.get(char, char) for char in core) for table in _TRANSLITERATIONS}
    return {word for word in written if len(word) >= SHORTEST and word != core}


def on_other_layout(core: str) -> tuple[str, str]:
    """Return what the same keys type on the other keyboard layout, folded, and the letters of it alone."""
    typed = core.translate(_TO_CYRILLIC_KEYS if core.isascii() else _TO_LATIN_KEYS)
    # Keys that are punctuation on the other layout are lost when words are read, hence the letters alone.
    return typed.replace("й", "и").replace("ё", "е"), "".join(char for char in typed if char.isalpha())


def russian_by_ear(word: str) -> str:
    """Return one spelling for a Russian word, however its author writes the sounds, in either alphabet."""
    for letters, sound in _SOUNDS_IN_LATIN:
        word = word.replace(letters, sound)
    return word.translate(_ONE_SOUND)


def soften(core: str) -> str:
    """Replace a soft sign before a vowel, which is heard, by the vowel that it is written as in Latin letters."""
    return _SOFT_BEFORE_VOWEL.sub("и", core)


def phonetic(word: str) -> str:
    """Return one spelling for all words that sound alike in the alphabet they are written in."""
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


def baby_talk(word: str) -> str:
    """Return a word with w for r and l."""
    return word.translate(_BABY_TALK)


def letter_steps(word: str) -> str:
    """Return the distances between neighbouring letters: the same for every shift of the alphabet."""
    first_letter, size = (97, 26) if word.isascii() else (1072, 32)
    codes = [ord(char) - first_letter for char in word]
    return f"{first_letter}:" + "".join(chr(48 + (later - earlier) % size) for earlier, later in pairwise(codes))


def without_vowels(word: str) -> tuple[str, str]:
    """Return a word without its vowels, with y taken for a vowel and for a consonant."""
    return _VOWELS.sub("", word), _VOWELS.sub("", word.replace("y", "\0")).replace("\0", "y")


def one_letter_out(word: str) -> list[str]:
    """Return a word with each of its letters left out in turn."""
    return [word[:index] + word[index + 1 :] for index in range(len(word))]


def is_one_slip_apart(first: str, second: str) -> bool:
    """Tell whether one letter more, less or changed, or two neighbours swapped, turn one word into the other."""
    if len(first) == len(second):
        differing = [index for index, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
        if len(differing) == 2:
            left, right = differing
            return right == left + 1 and first[left] == second[right] and first[right] == second[left]
        return len(differing) == 1
    longer, shorter = (first, second) if len(first) > len(second) else (second, first)
    return len(longer) == len(shorter) + 1 and shorter in one_letter_out(longer)


def _in_cyrillic(core: str) -> str:
    for pair, letter in _LETTER_PAIRS:
        core = core.replace(pair, letter)
    return core.translate(_LETTERS)


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
        self._baby_talk = {baby_talk(core): term for core, term in words}
        self._steps = {letter_steps(core): term for core, term in near.items()}
        self._phonetic = {phonetic(core): term for core, term in near.items()}
        self._without_vowels = {
            bare: term for core, term in words for bare in without_vowels(core) if len(bare) >= _SHORTEST_WITHOUT_VOWELS
        }
        self._one_letter_out = {cut: core for core in near for cut in (core, *one_letter_out(core))}

    def _index_foreign_disguises(self, foreign: Sequence[Term]) -> None:
        words = [(term.core, term) for term in foreign if term.core.isalpha() and len(term.core) >= SHORTEST]
        self._other_layout = {
            typed: term for core, term in words for typed in on_other_layout(core) if len(typed) >= SHORTEST
        }
        self._transliterated = {other: term for core, term in words for other in transliterations(core)}
        russian = ((core, term) for core, term in words if not core.isascii())
        self._by_ear = {russian_by_ear(soften(core)): term for core, term in russian}

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
        if word in without_vowels(word):
            bare = self._without_vowels
            yield bare.get(word) or bare.get(word.translate(_NO_X)), Reading.WITHOUT_VOWELS
        if len(word) < SHORTEST:
            return
        yield self._backwards.get(word), Reading.BACKWARDS
        yield self._other_layout.get(word), Reading.KEYBOARD
        yield self._transliterated.get(word) or self._by_ear.get(russian_by_ear(word)), Reading.ALPHABET
        yield self._baby_talk.get(word), Reading.BY_SOUND
        yield self._shifted(word), Reading.SHIFTED
        yield self._phonetic.get(phonetic(word)), Reading.BY_SOUND
        yield self._one_letter_off(word), Reading.ONE_LETTER
        yield self._first_inside(word, _SHORTEST_HIDDEN), Reading.HIDDEN
        yield self._pig_latin(word), Reading.TAIL

    def _shifted(self, word: str) -> Term | None:
        steps = letter_steps
        return self._steps.get(steps(word)) or self._steps.get(steps(word.replace("и", "й")))

    def _one_letter_off(self, word: str) -> Term | None:
        if len(word) < _SHORTEST_NEAR:
            return None
        for cut in (word, *one_letter_out(word)):
            core = self._one_letter_out.get(cut)
            if core is not None and core != word and is_one_slip_apart(core, word):
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


_STARRED = re.compile(r"[*#•?_-]*[^\W\d_](?:[*#•?_-]|[^\W\d_])+")
_STARS = re.compile("[*#•?_-]")


class Guesser:
    """Try each doubtful disguise on the words of a text; ``known`` are ordinary words that are never held."""

    def __init__(self, terms: TermsByAlphabet, known: Iterable[str]) -> None:
        known = list(known)
        self._latin = FuzzyMatcher(terms.latin, terms.cyrillic, known)
        self._cyrillic = FuzzyMatcher(terms.cyrillic, terms.latin, known)

    def find(self, words: normalize.NormalizedWords, text: str) -> Finding | None:
        """Return the first finding; its outcome is always to hold."""
        for matcher, typed in ((self._latin, words.latin), (self._cyrillic, words.cyrillic)):
            for word in typed:
                if (match := matcher.find(word)) is not None:
                    return Finding(match[0], Outcome.HOLD, match[1])
        return self._over_several_words(words) or self._starred(text)

    def is_inside(self, words: normalize.NormalizedWords) -> bool:
        """Tell whether a longer term occurs anywhere, even in the middle of a word: names glue words together."""
        hits = [self._latin.anywhere(word) for word in words.latin]
        hits += [self._cyrillic.anywhere(word) for word in words.cyrillic]
        return any(True for terms in hits for _ in terms)

    def _over_several_words(self, words: normalize.NormalizedWords) -> Finding | None:
        pieces = words.pieces()
        in_latin = pieces if words.folded.isascii() else list(map(normalize.to_latin, pieces))
        in_cyrillic = list(map(normalize.to_cyrillic, pieces)) if words.cyrillic else []
        for matcher, typed in ((self._latin, in_latin), (self._cyrillic, in_cyrillic)):
            if (term := matcher.across(typed)) is not None:
                return Finding(term, Outcome.HOLD, Reading.CUT)
            if (term := matcher.initials(typed)) is not None:
                return Finding(term, Outcome.HOLD, Reading.INITIALS)
        return None

    def _starred(self, text: str) -> Finding | None:
        if _STARS.search(text) is None:
            return None
        for word in _STARRED.findall(normalize.fold(text)):
            for matcher, typed in ((self._latin, normalize.to_latin(word)), (self._cyrillic, word)):
                if (term := matcher.starred(typed)) is not None:
                    return Finding(term, Outcome.HOLD, Reading.STARRED)
        return None
