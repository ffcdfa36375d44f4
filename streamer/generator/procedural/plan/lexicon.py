"""The words the painter knows: lexicon.yaml as tables that look a word of a prompt up."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Generic, TypeVar

import yaml

_SHORTEST_ENDING = 3
_LONGEST_PHRASE = 4
_WITHOUT_BLANKS = re.compile("[\u2e80-\u9fff\uf900-\ufaff\u0e00-\u0e7f]")
"""Scripts that run words together: Chinese, Japanese, Thai."""
_PARTICLES = re.compile("[\u3040-\u309f]")
Meaning = TypeVar("Meaning", bound=Hashable)


def is_unspaced(word: str) -> bool:
    """Tell whether a word is in a script that writes no blanks, and so may be many words."""
    return _WITHOUT_BLANKS.search(word) is not None


def is_particle(letter: str) -> bool:
    """Tell whether a letter is hiragana, which in a prompt is grammar far more often than a thing."""
    return _PARTICLES.match(letter) is not None


class WordTable(Generic[Meaning]):
    """What each known word means; lexicon.yaml tells how stems, endings, phrases and emoji are written."""

    def __init__(self, words_of: Mapping[Meaning, str], others: Sequence[str] = ()) -> None:
        """``others`` are words without blanks around them that merely contain known ones, and mean something else."""
        self.meanings = tuple(words_of)
        self._whole: dict[str, tuple[Meaning, ...]] = {}
        self._stems: dict[str, tuple[Meaning, ...]] = {}
        self._endings: dict[str, tuple[Meaning, ...]] = {}
        for meaning, words in words_of.items():
            for word in words.casefold().split():
                target = self._stems if word.endswith("*") else self._endings if word.startswith("*") else self._whole
                key = word.strip("*")
                target[key] = tuple(dict.fromkeys((*target.get(key, ()), meaning)))
        self._openings = {key.partition("-")[0] for key in (*self._whole, *self._stems) if "-" in key}
        self._others = others
        self._inside = [word for word in self._whole if is_unspaced(word)]

    def __iter__(self) -> Iterator[str]:
        """Yield every word as lexicon.yaml writes it."""
        yield from self._whole
        yield from (f"{stem}*" for stem in self._stems)
        yield from (f"*{ending}" for ending in self._endings)

    def knows_closely(self, word: str) -> bool:
        """Tell whether the table has just this word, or a stem that is but a letter shorter."""
        return word in self._whole or word in self._stems or word[:-1] in self._stems

    def find(self, words: Sequence[str]) -> tuple[Meaning, ...]:
        """Return what the words mean, each meaning once, in the order of the words."""
        meanings: dict[Meaning, None] = {}
        for _, found in self.hits(words):
            meanings |= dict.fromkeys(found)
        return tuple(meanings)

    def hits(self, words: Sequence[str]) -> Iterator[tuple[range, tuple[Meaning, ...]]]:
        """Yield which of the words mean something, alone or as a phrase, and what."""
        for start, word in enumerate(words):
            for part in dict.fromkeys((word, *word.split("-"))):
                if found := self._look_up(part):
                    yield range(start, start + 1), found
            for length in range(2, _LONGEST_PHRASE + 1 if word in self._openings else 2):
                phrase = "-".join(words[start : start + length])
                if start + length <= len(words) and (found := self._whole.get(phrase) or self._long_stem(phrase)):
                    yield range(start, start + length), found

    def _look_up(self, word: str) -> tuple[Meaning, ...]:
        """Look a word up as a whole, then by the longest stem that begins it, then by what ends it or is in it."""
        if word in self._whole:
            return self._whole[word]
        for length in range(len(word), 0, -1):
            if word[:length] in self._stems:
                return self._stems[word[:length]]
        for begin in range(1, len(word) - _SHORTEST_ENDING + 1):
            if word[begin:] in self._endings:
                return self._endings[word[begin:]]
        return tuple(meaning for part in self.parts(word) for meaning in self._whole[part])

    def parts(self, word: str) -> list[str]:
        """Return the known words inside a run without blanks."""
        if not is_unspaced(word):
            return []
        for other in self._others:
            word = word.replace(other, " ")
        return [part for part in self._inside if part in word]

    def _long_stem(self, phrase: str) -> tuple[Meaning, ...]:
        """Look a phrase up by a stem that itself is a phrase."""
        for length in range(len(phrase), 0, -1):
            if "-" in phrase[:length] and phrase[:length] in self._stems:
                return self._stems[phrase[:length]]
        return ()


@dataclass(frozen=True)
class Lexicon:
    """One table for each thing that a prompt may name; hues are degrees, shades lightnesses."""

    places: WordTable[str]
    times: WordTable[str]
    weather: WordTable[str]
    seasons: WordTable[str]
    hues: WordTable[float]
    moods: WordTable[str]
    features: WordTable[str]
    styles: WordTable[str]
    shades: WordTable[float]
    relations: WordTable[str]


@cache
def shipped() -> Lexicon:
    """Read lexicon.yaml once."""
    text = (files(__package__) / "lexicon.yaml").read_text(encoding="utf-8")
    # The parser in C takes 6 ms, the one in Python 50 ms; wheels of PyYAML hold both.
    tables = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # nosec B506 - both loaders are safe
    others = tables.pop("others").split()
    hues, shades = (
        WordTable({float(number): words for number, words in tables.pop(name).items()}, others)
        for name in ("hues", "shades")
    )
    return Lexicon(hues=hues, shades=shades, **{name: WordTable(words_of, others) for name, words_of in tables.items()})
