"""Reads the tables of words: what they mean, how common they are, whose forms they are, and which number they name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from streamer.generator.procedural.subjects.library import connection


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase means in a language: its stems, how the index writes it, the drawing, and how sure that is."""

    stems: str
    language: str
    form: str
    key: str
    strength: float


def by_stems(stems: Collection[str]) -> Iterator[Entry]:
    """Yield what these stems mean, in every language."""
    return (Entry(*row) for row in _rows("SELECT * FROM meanings WHERE stems IN", stems))


def by_form(forms: Collection[str]) -> Iterator[Entry]:
    """Yield what these folded words mean exactly, in every language."""
    return (Entry(*row) for row in _rows("SELECT * FROM meanings WHERE form IN", forms))


def ranks(words: Collection[str]) -> dict[str, dict[str, int]]:
    """Return how common folded words are, by language: the commonest word of a language has rank 1."""
    return {
        word: {name: int(rank) for name, rank in (pair.split(":") for pair in found.split())}
        for word, found in _rows("SELECT word, ranks FROM common WHERE word IN", words)
    }


def inflections(words: Collection[str]) -> dict[tuple[str, str], dict[str, str]]:
    """Return by form and language which words these are forms of, with their stems; "" is a word without a drawing."""
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for form, language, word, stem in _rows("SELECT * FROM inflections WHERE form IN", words):
        found[form, language][word] = stem
    return found


def numbers(words: Collection[str]) -> dict[tuple[str, str], int]:
    """Return by word and language which numbers these folded words are."""
    rows = _rows("SELECT word, language, value FROM numbers WHERE word IN", words)
    return {(word, language): value for word, language, value in rows}


@cache
def diminutives() -> dict[str, tuple[tuple[str, str], ...]]:
    """Return by language the endings that make a word small, each with what stands in its place in the plain word."""
    rows = connection().execute("SELECT language, endings FROM diminutives")
    return {name: tuple(_ending(ending) for ending in endings.split()) for name, endings in rows}


def _ending(written: str) -> tuple[str, str]:
    ending, _, replacement = written.partition(">")
    return ending, replacement


def _rows(query: str, values: Collection[str]) -> Iterable[Any]:
    marks = ",".join("?" * len(values))
    return connection().execute(f"{query} ({marks})", tuple(values))  # nosec B608: the query is one of ours
