"""Reads a prompt: which place, time, weather, colours and characters it names, and a number for all it does not."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from streamer.generator.procedural.plan import lexicon

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LONGEST_READ = 2000
_SHORTEST_STEM = 3
Meaning = TypeVar("Meaning", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Idea:
    """What to paint. Tuples keep the order of the prompt; ``salt`` stands for the exact words."""

    places: tuple[str, ...]
    time: str | None
    weather: frozenset[str]
    season: str | None
    hues: tuple[float, ...]
    moods: frozenset[str]
    features: frozenset[str]
    subjects: tuple[str, ...]
    salt: int

    def has(self, *names: str) -> bool:
        """Tell whether any of these features, moods or kinds of weather is asked for."""
        return any(name in self.features or name in self.moods or name in self.weather for name in names)

    @property
    def has_striped_sun(self) -> bool:
        return "neon" in self.moods and "moon" not in self.features and "city" not in self.places


def read(prompt: str) -> Idea:
    """Find the known words of a prompt; never fails, whatever the prompt is."""
    text = unicodedata.normalize("NFKC", prompt[:_LONGEST_READ]).casefold()
    words = _WORD.findall(text)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    times, seasons = _named(words, "TIMES"), _named(words, "SEASONS")
    return Idea(
        places=tuple(map(str, _named(words, "PLACES"))),
        time=str(times[0]) if times else None,
        weather=frozenset(map(str, _named(words, "WEATHER"))),
        season=str(seasons[0]) if seasons else None,
        hues=tuple(float(hue) for hue in _named(words, "HUES")),
        moods=frozenset(map(str, _named(words, "MOODS"))),
        features=frozenset(map(str, _named(words, "FEATURES"))),
        subjects=tuple(map(str, _named(words, "SUBJECTS"))),
        salt=int.from_bytes(digest, "big"),
    )


def _named(words: list[str], table: str) -> list[str | float]:
    """List the meanings of one table that the words name, each once, in the order of the words."""
    whole, stems = _index(table)
    found: dict[str | float, None] = {}
    for word in words:
        for part in dict.fromkeys((word, *word.split("-"))):
            for meaning in _meanings(part, whole, stems):
                found.setdefault(meaning)
    return list(found)


def _meanings(
    word: str, whole: Mapping[str, tuple[Meaning, ...]], stems: Mapping[str, tuple[Meaning, ...]]
) -> tuple[Meaning, ...]:
    """Look a word up as a whole, then by the longest stem that begins it."""
    if word in whole:
        return whole[word]
    for length in range(len(word), _SHORTEST_STEM - 1, -1):
        if word[:length] in stems:
            return stems[word[:length]]
    return ()


@cache
def _index(table: str) -> tuple[dict[str, tuple[str | float, ...]], dict[str, tuple[str | float, ...]]]:
    """Turn a table of meanings into lookups by whole word and by stem."""
    whole: dict[str, tuple[str | float, ...]] = {}
    stems: dict[str, tuple[str | float, ...]] = {}
    for meaning, words in getattr(lexicon, table).items():
        for word in words.split():
            target, key = (stems, word[:-1]) if word.endswith("*") else (whole, word)
            target[key] = tuple(dict.fromkeys((*target.get(key, ()), meaning)))
    return whole, stems
