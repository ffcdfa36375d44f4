"""Compiles emoji drawings, their names and keywords, and lists of common words into the painter's database."""

from __future__ import annotations

import sqlite3
import tomllib
import zlib
from collections.abc import Mapping
from pathlib import Path

from scripts.subjects.emoji import Emoji, cldr_annotations, drawings, emojis
from scripts.subjects.languages import INFLECTED, LANGUAGES, common_words, inflections
from scripts.subjects.meanings import Meaning, Vocabulary, phrase
from streamer.generator.procedural.subjects import tokens
from streamer.generator.procedural.subjects.library import VERSION

BY_HAND = Path(__file__).with_name("words.toml")
BY_HAND_STRENGTH = 1.2

SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE drawings (key TEXT PRIMARY KEY, name TEXT, grouping TEXT, subgroup TEXT, svg BLOB) WITHOUT ROWID;
CREATE TABLE meanings (
  stems TEXT, language TEXT, form TEXT, key TEXT, strength REAL, PRIMARY KEY (stems, language, form)
) WITHOUT ROWID;
CREATE INDEX forms ON meanings (form);
CREATE TABLE inflections (
  form TEXT, language TEXT, word TEXT, stem TEXT, PRIMARY KEY (form, language, word)
) WITHOUT ROWID;
CREATE TABLE numbers (word TEXT, language TEXT, value INTEGER, PRIMARY KEY (word, language)) WITHOUT ROWID;
CREATE TABLE diminutives (language TEXT PRIMARY KEY, endings TEXT) WITHOUT ROWID;
CREATE TABLE common (word TEXT PRIMARY KEY, ranks TEXT) WITHOUT ROWID;
"""


def compile_database(modules: Path, target: Path, fingerprint: str) -> None:
    """Compile the packages under node_modules, and what was written by hand, into a database."""
    by_hand = tomllib.loads(BY_HAND.read_text(encoding="utf-8"))
    database = sqlite3.connect(target)
    database.executescript(SCHEMA)
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("INSERT INTO about VALUES ('fingerprint', ?)", (fingerprint,))
    known = _write_drawings(database, modules)
    ranks = common_words(modules)
    for language in LANGUAGES:
        of_language = {word: found[language] for word, found in ranks.items() if language in found}
        found = Vocabulary(language, cldr_annotations(modules, language), known, of_language).meanings()
        found += _own_meanings(language, by_hand["words"].get(language, {}), known)
        _write_meanings(database, language, found, of_language)
    _silence(database, by_hand["silent"])
    _write_common_words(database, ranks)
    _write_numbers(database, by_hand["numbers"])
    rows = ((language, " ".join(endings)) for language, endings in by_hand["diminutives"].items())
    database.executemany("INSERT INTO diminutives VALUES (?, ?)", rows)
    database.commit()
    database.execute("VACUUM")
    database.close()


def _own_meanings(language: str, table: Mapping[str, str], known: list[Emoji]) -> list[Meaning]:
    """Return the words that were written by hand; a name that no drawing has raises KeyError."""
    keys = {one.name: one.key for one in known}
    return [
        Meaning(phrase(word.strip(), language), keys[name], BY_HAND_STRENGTH)
        for name, words in table.items()
        for word in words.split(",")
    ]


def _write_drawings(database: sqlite3.Connection, modules: Path) -> list[Emoji]:
    """Write every drawing; return what words may name: all that have one, but no variants in skin tones."""
    drawn = drawings(modules)
    found = [(one, is_toned) for one, is_toned in emojis(modules)]
    database.executemany(
        "INSERT OR IGNORE INTO drawings VALUES (?, ?, ?, ?, ?)",
        (
            (one.key, one.name, one.group, one.subgroup, zlib.compress(drawn[one.key].encode(), 9))
            for one, _ in found
            if one.key in drawn
        ),
    )
    return [one for one, is_toned in found if not is_toned and (one.key in drawn or one.group == "flags")]


def _write_meanings(
    database: sqlite3.Connection, language: str, found: list[Meaning], common: Mapping[str, int]
) -> None:
    database.executemany(
        "INSERT OR REPLACE INTO meanings VALUES (?, ?, ?, ?, ?)",
        ((" ".join(one.phrase.stems), language, one.phrase.form, one.key, round(one.strength, 3)) for one in found),
    )
    if language in INFLECTED:
        bases = {word for one in found for word in one.phrase.written}
        stems = {one.phrase.stems[0] for one in found if len(one.phrase.stems) == 1}
        rows = ((form, language, word, stem) for form, word, stem in inflections(language, bases, stems, common))
        database.executemany("INSERT OR IGNORE INTO inflections VALUES (?, ?, ?, ?)", rows)


def _silence(database: sqlite3.Connection, table: Mapping[str, str]) -> None:
    """Take the meanings of words that name nothing, and write down that their stems do not name anything either."""
    silent = list({(tokens.fold(word), language) for language, words in table.items() for word in words.split()})
    for statement in ("DELETE FROM meanings", "DELETE FROM inflections"):
        database.executemany(f"{statement} WHERE form = ? AND language = ?", silent)
    database.executemany("INSERT INTO inflections VALUES (?, ?, '', '')", silent)


def _write_common_words(database: sqlite3.Connection, ranks: Mapping[str, Mapping[str, int]]) -> None:
    rows = ((word, " ".join(f"{name}:{rank}" for name, rank in found.items())) for word, found in ranks.items())
    database.executemany("INSERT INTO common VALUES (?, ?)", rows)


def _write_numbers(database: sqlite3.Connection, table: Mapping[str, list[str]]) -> None:
    rows = (
        (tokens.fold(word), language, value)
        for language, numbers in table.items()
        for value, words in enumerate(numbers, 2)
        for word in words.split()
    )
    database.executemany("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?)", rows)
