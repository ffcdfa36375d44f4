"""Finds words that are probably a refused one in a doubtful disguise: they hold a request and never refuse it.

Backwards, with shifted letters, on the wrong keyboard layout, in another alphabet's spelling, with vowels dropped or
starred, one letter off, spelled by sound, inside a longer word, or cut in two by a space.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
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
# They read a word, or words in lines. A run of one letter is cut by what stands before the last of it: with nothing to
# put in its place, that is several times as fast as putting the letter there.
_SOUNDS = tuple(
    (re.compile(pattern, re.MULTILINE), sound)
    for pattern, sound in (
        ("(?<=[aeiou])h", ""), ("ph", "f"), ("ck|c(?![eiyh])|q", "k"), ("c(?=[eiy])|z", "s"), ("x", "ks"),
        ("ee|ea|y|ie", "i"), ("oo|ou|w", "u"), ("ai|ay|ei|ey", "e"), ("gh", "g"), ("kh", "h"), ("э", "е"),
        ("сч|шч|щ", "ш"), ("тс|дс", "ц"), ("[ьъ]", ""), ("ы", "и"), ("о(?!$)", "а"), (r"(.)(?=\1)", ""),
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
_VOWELS_BUT_Y = re.compile("[aeiouаеиоуыэюя]")


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


def _first_step(word: str) -> tuple[int, int]:
    """Return the length of a word and its first distance: nearly all words are told apart from shifted ones by them."""
    return len(word), (ord(word[1]) - ord(word[0])) % (26 if word.isascii() else 32)


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
# No term is as long in any spelling. A longer word only hides one: trying more would cost the square of its length.
_LONGEST_DISGUISE = 80
_WORDS_CACHED = 8192
_NO_X = str.maketrans("", "", "xх")  # Latin and Cyrillic
_PIG_LATIN_TAIL = re.compile("(?:yay|way|ay|эй|ау)$")
_PIG_LATIN_TAILS = ("ay", "эй", "ау")
_NEVER = "\0"

Hidden = tuple[Term, Reading]
"""A term and the disguise in which a word hides it."""


class FuzzyMatcher:
    """Look one alphabet's words up in their doubtful disguises; patterns are folded and in that alphabet.

    ``foreign`` are the terms of the other alphabet; ``known`` are ordinary words that only look like a disguised term.
    """

    def __init__(self, terms: Sequence[Term], foreign: Sequence[Term], known: Iterable[str]) -> None:
        self._cores = {term.core: term for term in terms}
        self._long = {core: term for core, term in self._cores.items() if core.isalpha() and len(core) >= SHORTEST}
        self._known = frozenset(known)
        self._known_phrases = _by_joined_words(self._known)
        self._by_letter = _by_letter(self._cores)
        self._automaton = _automaton(self._long)
        self._index_own_disguises()
        self._index_foreign_disguises(foreign)
        self._found: dict[str, Hidden | None] = {}

    def _index_own_disguises(self) -> None:
        words = self._long.items()
        near = {core: term for core, term in words if len(core) >= _SHORTEST_NEAR}
        self._backwards = {core[::-1]: (term, Reading.BACKWARDS) for core, term in words}
        self._baby_talk = {baby_talk(core): (term, Reading.BY_SOUND) for core, term in words}
        self._steps = {letter_steps(core): (term, Reading.SHIFTED) for core, term in near.items()}
        self._first_steps = frozenset(map(_first_step, near))
        self._phonetic = {phonetic(core): (term, Reading.BY_SOUND) for core, term in near.items()}
        self._without_vowels = {
            bare: (term, Reading.WITHOUT_VOWELS)
            for core, term in words for bare in without_vowels(core) if len(bare) >= _SHORTEST_WITHOUT_VOWELS
        }  # fmt: skip
        self._one_letter_out = {cut: core for core in near for cut in (core, *one_letter_out(core))}

    def _index_foreign_disguises(self, foreign: Sequence[Term]) -> None:
        words = [(term.core, term) for term in foreign if term.core.isalpha() and len(term.core) >= SHORTEST]
        layouts = ((typed, term) for core, term in words for typed in on_other_layout(core) if len(typed) >= SHORTEST)
        spellings = ((other, term) for core, term in words for other in transliterations(core))
        # Looked up as they are, the likelier first.
        self._written = (
            self._baby_talk
            | {other: (term, Reading.ALPHABET) for other, term in spellings}
            | {typed: (term, Reading.KEYBOARD) for typed, term in layouts}
            | self._backwards
        )
        russian = ((core, term) for core, term in words if not core.isascii())
        self._by_ear = {russian_by_ear(soften(core)): (term, Reading.ALPHABET) for core, term in russian}

    def find(self, words: Iterable[str]) -> Hidden | None:
        """Return the term that the first such word hides, and how."""
        words = dict.fromkeys(words)
        if unread := [word for word in words if word not in self._found]:
            if len(self._found) > _WORDS_CACHED:
                self._found.clear()
                unread = list(words)
            self._found |= dict.fromkeys(unread)
            self._found |= self._hidden_in(unread)
        return next(filter(None, map(self._found.__getitem__, words)), None)

    def starred(self, word: str) -> Term | None:
        """Return the term that a word with starred letters shows at least half of."""
        if not 3 <= len(word) <= _LONGEST_DISGUISE:
            return None
        shown = sum(map(str.isalpha, word))
        if shown * 2 < len(word) or shown == len(word):
            return None
        cores: frozenset[str] | None = None
        for at, char in enumerate(word):
            if char.isalpha():
                fitting = self._by_letter.get((len(word), at, char), frozenset())
                cores = fitting if cores is None else cores & fitting
                if not cores:
                    return None
        return self._cores[min(cores)] if cores else None

    def across(self, words: Sequence[str]) -> Term | None:
        """Return the term that whole words make when they are joined, unless its pieces are a known phrase."""
        ends = {0, *accumulate(map(len, words))}
        found = ((last + 1, core) for last, core in self._automaton.iter("".join(words)))
        joined = dict.fromkeys(core for end, core in found if end in ends and end - len(core) in ends)
        whole, spaced = frozenset(words), f" {' '.join(words)} " if joined else ""
        for core in joined:
            if len(core) >= _SHORTEST_NEAR and core not in whole and not self._is_known_in_pieces(core, spaced):
                return self._long[core]
        return None

    def _is_known_in_pieces(self, core: str, spaced: str) -> bool:
        return any(f" {phrase} " in spaced for phrase in self._known_phrases.get(core, ()))

    def initials(self, words: Sequence[str]) -> Term | None:
        """Return the term that the first letters of the words spell."""
        if len(words) < _SHORTEST_NEAR:
            return None
        return self._first_inside("".join(word[0] for word in words), _SHORTEST_NEAR)

    def anywhere(self, text: str) -> Iterator[Term]:
        """Yield the terms of five letters or more that occur anywhere; names have no word boundaries."""
        for _, core in self._automaton.iter(text):
            yield self._long[core]

    def _hidden_in(self, words: Iterable[str]) -> Iterator[tuple[str, Hidden]]:
        """Yield the words that hide a term. What costs most is done for all of them at once, as lines of one text."""
        words = [
            word for word in words
            if len(word) >= _SHORTEST_WITHOUT_VOWELS and word not in self._known and word not in self._long
        ]  # fmt: skip
        if not words:
            return
        lines = "\n".join(words)
        by_ear = russian_by_ear(lines).split("\n") if self._by_ear else words
        for word, heard, sound, inside in zip(
            words, by_ear, phonetic(lines).split("\n"), self._inside_each(words, lines), strict=True
        ):
            if found := self._bare(word) or self._disguised(word, heard, sound, inside):
                yield word, found

    def _inside_each(self, words: Sequence[str], lines: str) -> Sequence[Hidden | None]:
        """Return the first longer term inside each word."""
        hits = [(last, core) for last, core in self._automaton.iter(lines) if len(core) >= _SHORTEST_HIDDEN]
        inside: list[Hidden | None] = [None] * len(words)
        ends = list(accumulate(len(word) + 1 for word in words)) if hits else []
        for last, core in reversed(hits):
            inside[bisect_right(ends, last)] = self._long[core], Reading.HIDDEN
        return inside

    def _bare(self, word: str) -> Hidden | None:
        if _VOWELS_BUT_Y.search(word) is not None:
            return None
        return self._without_vowels.get(word) or self._without_vowels.get(word.translate(_NO_X))

    def _disguised(self, word: str, heard: str, sound: str, inside: Hidden | None) -> Hidden | None:
        if len(word) < SHORTEST:
            return None
        if len(word) > _LONGEST_DISGUISE:
            return inside
        return (
            self._written.get(word) or self._by_ear.get(heard) or self._shifted(word) or self._phonetic.get(sound)
            or self._one_letter_off(word) or inside or self._pig_latin(word)
        )  # fmt: skip

    def _shifted(self, word: str) -> Hidden | None:
        for spelling in (word, word.replace("и", "й")) if "и" in word else (word,):
            if _first_step(spelling) in self._first_steps and (found := self._steps.get(letter_steps(spelling))):
                return found
        return None

    def _one_letter_off(self, word: str) -> Hidden | None:
        if len(word) < _SHORTEST_NEAR:
            return None
        for cut in (word, *one_letter_out(word)):
            core = self._one_letter_out.get(cut)
            if core is not None and core != word and is_one_slip_apart(core, word):
                return self._long[core], Reading.ONE_LETTER
        return None

    def _first_inside(self, text: str, shortest: int) -> Term | None:
        return next((self._long[core] for _, core in self._automaton.iter(text) if len(core) >= shortest), None)

    def _pig_latin(self, word: str) -> Hidden | None:
        if not word.endswith(_PIG_LATIN_TAILS):
            return None
        stem = _PIG_LATIN_TAIL.sub("", word)
        rotations = (stem[start:] + stem[:start] for start in range(len(stem), max(0, len(stem) - 4), -1))
        return next(((self._long[rotation], Reading.TAIL) for rotation in rotations if rotation in self._long), None)


def _by_joined_words(known: Iterable[str]) -> dict[str, list[str]]:
    phrases: dict[str, list[str]] = {}
    for phrase in known:
        if " " in phrase:
            phrases.setdefault(phrase.replace(" ", ""), []).append(phrase)
    return phrases


def _by_letter(words: Iterable[str]) -> dict[tuple[int, int, str], frozenset[str]]:
    """Return the words of a length that have a letter at a place, by length, place and letter."""
    by_letter: dict[tuple[int, int, str], set[str]] = {}
    for word in words:
        for at, letter in enumerate(word):
            by_letter.setdefault((len(word), at, letter), set()).add(word)
    return {key: frozenset(words) for key, words in by_letter.items()}


def _automaton(words: Iterable[str]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for word in words:
        automaton.add_word(word, word)
    automaton.add_word(_NEVER, _NEVER)  # an automaton without a word cannot be asked
    automaton.make_automaton()
    return automaton


_STARRED = re.compile(r"(?<![*#•?_-])[*#•?_-]*[^\W\d_](?:[*#•?_-]|[^\W\d_])+")
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
            if (match := matcher.find(typed)) is not None:
                return Finding(match[0], Outcome.HOLD, match[1])
        return self._over_several_words(words) or self._starred(text)

    def is_inside(self, words: normalize.NormalizedWords) -> bool:
        """Tell whether a longer term occurs anywhere, even in the middle of a word: names glue words together."""
        hits = [self._latin.anywhere(word) for word in words.latin]
        hits += [self._cyrillic.anywhere(word) for word in words.cyrillic]
        return any(True for terms in hits for _ in terms)

    def _over_several_words(self, words: normalize.NormalizedWords) -> Finding | None:
        pieces = " ".join(words.pieces())
        in_latin, in_cyrillic = normalize.to_latin(pieces).split(), normalize.to_cyrillic(pieces).split()
        for matcher, typed in ((self._latin, in_latin), (self._cyrillic, in_cyrillic if words.cyrillic else [])):
            if (term := matcher.across(typed)) is not None:
                return Finding(term, Outcome.HOLD, Reading.CUT)
            if (term := matcher.initials(typed)) is not None:
                return Finding(term, Outcome.HOLD, Reading.INITIALS)
        return None

    def _starred(self, text: str) -> Finding | None:
        if _STARS.search(text) is None:
            return None
        for word in _STARRED.findall(normalize.fold(text)):
            term = self._latin.starred(normalize.to_latin(word)) or self._cyrillic.starred(word)
            if term is not None:
                return Finding(term, Outcome.HOLD, Reading.STARRED)
        return None
