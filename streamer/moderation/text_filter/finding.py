"""What the text filter found in a text, and by which reading of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from streamer.moderation.text_filter.lexicon import Term
from streamer.types import Outcome


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
