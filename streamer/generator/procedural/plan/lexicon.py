"""The words the painter knows: lexicon.yaml as tables that look a word of a prompt up."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Generic, TypeVar

import yaml

_SHORTEST_STEM = 3
Meaning = TypeVar("Meaning", bound=Hashable)


class WordTable(Generic[Meaning]):
    """What each known word means; a word that ends in a star is a stem and stands for all that begin with it."""

    def __init__(self, words_of: Mapping[Meaning, str]) -> None:
        self.meanings = tuple(words_of)
        self._whole: dict[str, tuple[Meaning, ...]] = {}
        self._stems: dict[str, tuple[Meaning, ...]] = {}
        for meaning, words in words_of.items():
            for word in words.split():
                target, key = (self._stems, word[:-1]) if word.endswith("*") else (self._whole, word)
                target[key] = tuple(dict.fromkeys((*target.get(key, ()), meaning)))

    def __iter__(self) -> Iterator[str]:
        """Yield every word as lexicon.yaml writes it."""
        yield from self._whole
        yield from (f"{stem}*" for stem in self._stems)

    def find(self, words: Iterable[str]) -> tuple[Meaning, ...]:
        """Return what the words mean, each meaning once, in the order of the words."""
        meanings: dict[Meaning, None] = {}
        for word in words:
            for part in dict.fromkeys((word, *word.split("-"))):
                meanings |= dict.fromkeys(self._look_up(part))
        return tuple(meanings)

    def _look_up(self, word: str) -> tuple[Meaning, ...]:
        """Look a word up as a whole, then by the longest stem that begins it."""
        if word in self._whole:
            return self._whole[word]
        for length in range(len(word), _SHORTEST_STEM - 1, -1):
            if word[:length] in self._stems:
                return self._stems[word[:length]]
        return ()


@dataclass(frozen=True)
class Lexicon:
    """One table for each thing that a prompt may name; hues are degrees."""

    places: WordTable[str]
    times: WordTable[str]
    weather: WordTable[str]
    seasons: WordTable[str]
    hues: WordTable[float]
    moods: WordTable[str]
    features: WordTable[str]
    subjects: WordTable[str]


@cache
def shipped() -> Lexicon:
    """Read lexicon.yaml once."""
    text = (files(__package__) / "lexicon.yaml").read_text(encoding="utf-8")
    # The parser in C takes 6 ms, the one in Python 50 ms; wheels of PyYAML hold both.
    tables = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # nosec B506 - both loaders are safe
    hues = {float(hue): words for hue, words in tables.pop("hues").items()}
    return Lexicon(hues=WordTable(hues), **{name: WordTable(words_of) for name, words_of in tables.items()})
