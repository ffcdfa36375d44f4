"""The shipped word list; it is stored encoded, so that nobody meets it by searching the repository or opening a file.

One term a line: its id, a tab, its pattern. An id is the kind, the language (none for the first terms, which are in
English and Russian) and a number, joined by dashes. An id never changes its meaning: tests and logs name terms by id. A
pattern is a whole word or phrase; ``word*`` also matches what begins with it, ``*word*`` what contains it, ``~word*``
what begins with it after any Russian prefix. To edit the list:

    python -m streamer.moderation.text_filter decode <lexicon.dat >list.txt
    python -m streamer.moderation.text_filter encode <list.txt >lexicon.dat
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from streamer.types import Outcome

_SHIPPED = Path(__file__).with_name("lexicon.dat")


class TermKind(StrEnum):
    """What a term is about, which decides what becomes of a text that holds it."""

    HATE = "hate"
    EXTREMISM = "extremism"
    SEXUAL = "sexual"
    VIOLENCE = "violence"
    PROFANITY = "profanity"
    SELFHARM = "selfharm"
    DRUGS = "drugs"
    MINORS = "minors"
    """Refused always; no option switches it off."""
    AGE = "age"
    """Fine alone, refused together with undress or sexual."""
    UNDRESS = "undress"
    SYMBOL = "symbol"
    """Laughter as well as an extremist sign: fine alone, extremism beside a word of the kind context."""
    CONTEXT = "context"
    EXTRA = "extra"
    """The streamer's own words and patterns."""
    CHANNEL = "channel"
    """Terms that the channel blocks in its chat."""
    ALLOW = "allow"
    """Cancels a hit."""
    KNOWN = "known"
    """An ordinary word that only looks like a disguised term."""
    UNREAD = "unread"
    """No word: there are more of them than can be judged."""
    SPELLED = "spelled"
    """An ordinary word that would be a term without its accents."""


@dataclass(frozen=True, slots=True)
class Term:
    """One entry; the id starts with its kind."""

    id: str
    pattern: str

    @property
    def kind(self) -> TermKind:
        """Return the kind that the id names."""
        return TermKind(self.id.partition("-")[0])

    @property
    def core(self) -> str:
        """Return the pattern without the signs that say where it may match."""
        return self.pattern.strip("*~")


UNREAD = Term(TermKind.UNREAD, "")
"""Found in a text that has too many words."""


def shipped() -> list[Term]:
    """Return the terms that come with the program."""
    return decode(_SHIPPED.read_bytes())


def decode(data: bytes) -> list[Term]:
    """Return the terms of an encoded list."""
    lines = zlib.decompress(base64.b64decode(data)).decode().splitlines()
    return [Term(*line.split("\t")) for line in lines]


def encode(terms: Iterable[Term]) -> bytes:
    """Return terms as the lines of an encoded list."""
    lines = "".join(f"{term.id}\t{term.pattern}\n" for term in terms)
    return base64.encodebytes(zlib.compress(lines.encode(), 9))


class Reading(StrEnum):
    """How a text was read when a term was found in it; docs/safety.md describes each."""

    PLAIN = "plain"
    ENCODED = "encoded"
    TOGETHER = "together"
    PATTERN = "pattern"
    CUT = "cut"
    INITIALS = "initials"
    STARRED = "starred"
    BACKWARDS = "backwards"
    SHIFTED = "shifted"
    KEYBOARD = "keyboard"
    ALPHABET = "alphabet"
    BY_SOUND = "by-sound"
    WITHOUT_VOWELS = "without-vowels"
    ONE_LETTER = "one-letter"
    HIDDEN = "hidden"
    TAIL = "tail"


@dataclass(frozen=True, slots=True)
class Finding:
    """The term that was found, what becomes of the text, and the reading that showed it."""

    term: Term
    outcome: Outcome
    reading: Reading

    @property
    def code(self) -> str:
        """Return the kind and the reading, never the word."""
        return f"{self.term.kind}.{self.reading}"


def graver(first: Finding | None, second: Finding | None) -> Finding | None:
    """Return the finding that decides: a block before a hold, else the first."""
    if first is None or (second is not None and second.outcome is Outcome.BLOCK):
        return second
    return first
