"""Words that are probably a refused one in disguise, with room for doubt: they hold a request, they never refuse it.

Backwards, shifted letters, the wrong keyboard layout, another alphabet's spelling, dropped or starred vowels, one
letter wrong, spelled by sound, hidden in a longer word, or cut in two by a space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import ahocorasick

from streamer.moderation.text_filter.lexicon import Term

SHORTEST = 5
"""Letters of a term that is looked for in disguise; shorter ones are too often part of something else."""

_NEAR = 6
_HIDDEN = 7
_KEPT = 8192
_LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_CYRILLIC_KEYS = "йцукенгшщзхъфывапролджэячсмитьбюё"
_TO_LATIN_KEYS = str.maketrans(_CYRILLIC_KEYS + "и", _LATIN_KEYS + "b")
_TO_CYRILLIC_KEYS = str.maketrans(_LATIN_KEYS, _CYRILLIC_KEYS)
_SPELLINGS = (
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdeziyklmnoprstufhyec", "", ""], strict=True))
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya"},
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdezijklmnoprstufxyec", "", ""], strict=True))
    | {"ж": "j", "ч": "4", "ш": "w", "щ": "shh", "ю": "ju", "я": "ja"},
    dict(zip("абвгдезийклмнопрстуфхыэцьъ", [*"abvgdeziiklmnoprstuf", "kh", "y", "e", "ts", "", ""], strict=True))
    | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "iu", "я": "ia"},
)
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("(?<=[aeiou])h", ""), ("ph", "f"), ("ck|c(?![eiyh])|q", "k"), ("c(?=[eiy])|z", "s"), ("x", "ks"),
        ("ee|ea|y|ie", "i"), ("oo|ou|w", "u"), ("ai|ay|ei|ey", "e"), ("gh", "g"), ("kh", "h"), ("э", "е"),
        ("сч|шч|щ", "ш"), ("тс|дс", "ц"), ("[ьъ]", ""), ("ы", "и"), ("о(?!$)", "а"), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
# For comparing a word typed in Latin letters with a Russian one, however its author writes the sounds.
_SOUNDS_IN_LATIN = (("shch", "ш"), ("sch", "ш"), ("shh", "ш"), ("sh", "ш"), ("zh", "ж"), ("ch", "ч"), ("kh", "х"))
_ONE_SOUND = str.maketrans(
    dict(zip("abcdefghijklmnopqrstuvwxyz46", "абцдефгхииклмнопкрстуввхизчш", strict=True))
    | {"ц": "тс", "c": "тс", "я": "иа", "ю": "иу", "щ": "ш", "ы": "и", "э": "е", "ь": "", "ъ": ""}
)
_SOFT = re.compile("ь(?=[аеиоуюя])")
_NO_X = str.maketrans("", "", "xх")  # Latin and Cyrillic
_CUTE = str.maketrans("rl", "ww")
_VOWELS = re.compile("[aeiouyаеиоуыэюя]")
_TAILS = re.compile("(?:yay|way|ay|эй|ау)$")


class FuzzyMatcher:
    """Look one alphabet's words up in their less certain disguises; patterns are folded and in that alphabet.

    ``known`` are ordinary words that look like a disguised one and are not; they are never held.
    """

    def __init__(self, terms: Sequence[Term], foreign: Sequence[Term], known: Iterable[str]) -> None:
        cores = {term.pattern.strip("*~"): term for term in terms}
        self._plain = {core: term for core, term in cores.items() if core.isalpha() and len(core) >= SHORTEST}
        self._known = frozenset(known)
        self._known_phrases: dict[str, list[str]] = {}
        for phrase in filter(lambda one: " " in one, self._known):
            self._known_phrases.setdefault(phrase.replace(" ", ""), []).append(phrase)
        self._backwards = {core[::-1]: term for core, term in self._plain.items()}
        self._layouts = {
            typed: term for core, term in _cores(foreign) for typed in _typed(core) if len(typed) >= SHORTEST
        }
        self._spelled = {other: term for core, term in _cores(foreign) for other in respelled(core)}
        self._heard = {_heard(_SOFT.sub("и", core)): term for core, term in _cores(foreign) if not core.isascii()}
        self._cute = {core.translate(_CUTE): term for core, term in self._plain.items()}
        self._steps = {_steps(core): term for core, term in self._plain.items() if len(core) >= _NEAR}
        self._sounds = {_sound(core): term for core, term in self._plain.items() if len(core) >= _NEAR}
        self._bare = {bare: term for core, term in self._plain.items() for bare in _bare(core) if len(bare) >= 4}
        self._deletions = {cut: core for core in self._plain if len(core) >= _NEAR for cut in (core, *_cuts(core))}
        self._by_length: dict[int, list[str]] = {}
        for core in cores:
            self._by_length.setdefault(len(core), []).append(core)
        self._cores = cores
        self._anywhere = _automaton(self._plain)
        self._find = lru_cache(_KEPT)(self._look)

    def find(self, word: str) -> tuple[Term, str] | None:
        """Return the term that a word hides, and how."""
        return self._find(word)

    def starred(self, word: str) -> Term | None:
        """Return the term that a word with some of its letters starred out shows at least half of."""
        shown = sum(char.isalpha() for char in word)
        if not len(word) >= 3 or shown * 2 < len(word) or shown == len(word):
            return None
        pattern = re.compile("".join(char if char.isalpha() else "." for char in word))
        core = next(filter(pattern.fullmatch, self._by_length.get(len(word), ())), None)
        return None if core is None else self._cores[core]

    def across(self, words: Sequence[str]) -> Term | None:
        """Return the term that several words make together, cut only where they are cut; not if known in pieces."""
        text = "".join(words)
        ends = set(accumulate(map(len, words)))
        for end, core in self._anywhere.iter(text):
            first, last = end + 1 - len(core), end + 1
            whole = last in ends and (first == 0 or first in ends) and len(core) >= _NEAR and core not in words
            if whole and not self._is_known_in_pieces(core, words):
                return self._plain[core]
        return None

    def _is_known_in_pieces(self, core: str, words: Sequence[str]) -> bool:
        said = f" {' '.join(words)} "
        return any(f" {phrase} " in said for phrase in self._known_phrases.get(core, ()))

    def initials(self, words: Sequence[str]) -> Term | None:
        """Return the term that the first letters of the words spell."""
        if len(words) < _NEAR:
            return None
        found = (core for _, core in self._anywhere.iter("".join(word[0] for word in words)) if len(core) >= _NEAR)
        core = next(found, None)
        return None if core is None else self._plain[core]

    def anywhere(self, text: str) -> Iterator[Term]:
        """Yield the terms of five letters or more that occur anywhere; names have no word boundaries."""
        for _, core in self._anywhere.iter(text):
            yield self._plain[core]

    def _look(self, word: str) -> tuple[Term, str] | None:
        if len(word) < 4 or word in self._known or word in self._plain:
            return None
        for term, how in self._answers(word):
            if term is not None:
                return term, how
        return None

    def _answers(self, word: str) -> Iterator[tuple[Term | None, str]]:
        if word in _bare(word):
            yield self._bare.get(word) or self._bare.get(word.translate(_NO_X)), "without-vowels"
        if len(word) < SHORTEST:
            return
        yield self._backwards.get(word), "backwards"
        yield self._layouts.get(word), "keyboard"
        yield self._spelled.get(word) or self._heard.get(_heard(word)), "alphabet"
        yield self._cute.get(word), "by-sound"
        yield self._steps.get(_steps(word)) or self._steps.get(_steps(word.replace("и", "й"))), "shifted"
        yield self._sounds.get(_sound(word)), "by-sound"
        yield self._nearly(word), "one-letter"
        yield self._hidden(word), "hidden"
        yield self._tailed(word), "tail"

    def _nearly(self, word: str) -> Term | None:
        if len(word) < _NEAR:
            return None
        for cut in (word, *_cuts(word)):
            core = self._deletions.get(cut)
            if core is not None and core != word and one_apart(core, word):
                return self._plain[core]
        return None

    def _hidden(self, word: str) -> Term | None:
        found = (core for _, core in self._anywhere.iter(word) if len(core) >= _HIDDEN)
        core = next(found, None)
        return None if core is None else self._plain[core]

    def _tailed(self, word: str) -> Term | None:
        stem = _TAILS.sub("", word)
        if stem == word:
            return None
        turns = (stem[place:] + stem[:place] for place in range(len(stem), max(0, len(stem) - 4), -1))
        return next((self._plain[turn] for turn in turns if turn in self._plain), None)


def respelled(core: str) -> set[str]:
    """Return a Cyrillic word in Latin letters and the other way round, as people do it; only what is long enough."""
    if core.isascii():
        written = {_in_cyrillic(core)}
    else:
        written = {"".join(table.get(char, char) for char in core) for table in _SPELLINGS}
    return {one for one in written if len(one) >= SHORTEST and one != core}


def one_apart(one: str, other: str) -> bool:
    """Tell whether one letter more, less, changed, or two neighbours swapped make one word of the other."""
    if len(one) == len(other):
        differ = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(differ) == 2:
            first, second = differ
            return second == first + 1 and one[first] == other[second] and one[second] == other[first]
        return len(differ) == 1
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return len(longer) == len(shorter) + 1 and shorter in _cuts(longer)


def _heard(word: str) -> str:
    for letters, sound in _SOUNDS_IN_LATIN:
        word = word.replace(letters, sound)
    return word.translate(_ONE_SOUND)


def _cores(terms: Iterable[Term]) -> Iterator[tuple[str, Term]]:
    for term in terms:
        core = term.pattern.strip("*~")
        if core.isalpha() and len(core) >= SHORTEST:
            yield core, term


def _typed(core: str) -> tuple[str, ...]:
    typed = core.translate(_TO_CYRILLIC_KEYS if core.isascii() else _TO_LATIN_KEYS)
    # Keys that are punctuation on the other layout are lost when words are read, and so they are here.
    return (typed.replace("й", "и").replace("ё", "е"), "".join(char for char in typed if char.isalpha()))


def _in_cyrillic(core: str) -> str:
    for pair, letter in (
        ("sh", "ш"),
        ("ch", "ч"),
        ("zh", "ж"),
        ("ph", "ф"),
        ("ck", "к"),
        ("ya", "я"),
        ("yu", "ю"),
        ("th", "т"),
    ):
        core = core.replace(pair, letter)
    return core.translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "абкдефгхижклмнопкрстуввхиз"))


def _steps(word: str) -> str:
    """Return the distances between neighbouring letters: the same for every shift of the alphabet."""
    base, size = (97, 26) if word.isascii() else (1072, 32)
    codes = [ord(char) - base for char in word]
    return f"{base}:" + "".join(chr(48 + (later - earlier) % size) for earlier, later in pairwise(codes))


def _sound(word: str) -> str:
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


def _bare(word: str) -> tuple[str, str]:
    """Return a word without its vowels, y taken for one and not."""
    return _VOWELS.sub("", word), _VOWELS.sub("", word.replace("y", "\0")).replace("\0", "y")


def _cuts(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def _automaton(words: Iterable[str]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for word in words:
        automaton.add_word(word, word)
    automaton.add_word("\0", "\0")  # an automaton without a word cannot be asked
    automaton.make_automaton()
    return automaton
