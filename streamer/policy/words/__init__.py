"""Refuses text with words that must not go on air: a first filter, in front of whatever judges more slowly.

It reads English and Russian through the usual disguises and knows some words that are fine alone but not together.
It does not understand sentences, and it stands behind the limiter, which keeps it from being flooded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from streamer.policy.words import lexicon, skeleton
from streamer.policy.words.lexicon import Term
from streamer.policy.words.matching import SHORTEST_STEM, Matcher
from streamer.types import ImageRequest, Refusal

Kind = Literal["hate", "extremism", "sexual", "violence", "profanity"]

# Fine alone, never together, whatever else is allowed: an age word with a state of undress.
_TOGETHER = Term("minors-together", "")
_NAMES_KEPT = 4096
_GLUED_LETTERS = 5
_HUMP = re.compile(r"(?<=[a-zа-яё])(?=[A-ZА-ЯЁ])")
_PATTERN = re.compile(r"\*?[^\W_]+(?: [^\W_]+)*\*?")
# Cyrillic letters that look exactly like a Latin one: a word of nothing else can be typed without Cyrillic at all.
_TWINS = str.maketrans("асекмортхувн", "acekmoptxybh")


class Options(BaseModel):
    """The streamer's own words on top of the shipped ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extra: tuple[str, ...] = Field(
        (),
        description='words and phrases to refuse as well; "spoil*" also refuses "spoiler", "*spoil*" "despoiled" too',
    )
    allow: tuple[str, ...] = Field((), description="words and phrases that are fine although the shipped list has them")
    kinds: tuple[Kind, ...] = Field(
        ("hate", "extremism", "sexual", "violence", "profanity"),
        description="which parts of the shipped list to use; what concerns minors is always refused",
    )

    @field_validator("extra", "allow")
    @classmethod
    def _are_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            core = skeleton.fold(pattern).strip("*")
            if not _PATTERN.fullmatch(skeleton.fold(pattern)) or len(core) < 2:
                raise ValueError(f"'{pattern}': use at least two letters or digits, with a * at either end or none")
            if "*" in pattern and len(core) < SHORTEST_STEM:
                raise ValueError(
                    f"'{pattern}': with a * it would match far too much; use {SHORTEST_STEM} letters or more"
                )
        return patterns


class Words:
    """Judge the text and the caption of a request, and names before they are shown."""

    def __init__(self, options: Options, shipped: Iterable[Term]) -> None:
        self._refused = frozenset({"extra", "minors", *options.kinds})
        terms = [_folded(term) for term in (*shipped, *_own(options.extra, "extra"), *_own(options.allow, "allow"))]
        cyrillic = [term for term in terms if not skeleton.RUSSIAN.isdisjoint(term.pattern)]
        latin = [term for term in terms if skeleton.RUSSIAN.isdisjoint(term.pattern)]
        self._latin = Matcher([Term(one.id, skeleton.to_latin(one.pattern)) for one in latin] + _in_latin(cyrillic))
        self._cyrillic = Matcher([Term(one.id, skeleton.to_cyrillic(one.pattern)) for one in cyrillic])
        self._name_ok = lru_cache(_NAMES_KEPT)(self._judge_name)

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse a request for its words, without repeating them."""
        text = request.text
        if request.caption is not None:
            text = f"{text} | {request.caption.top} | {request.caption.bottom}"
        if len(text) > skeleton.LONGEST:
            return Refusal(request.id, "words", "too long to be read")
        if self.judge(text) is not None:
            return Refusal(request.id, "words", "some of these words cannot be drawn here")
        return None

    def judge(self, text: str) -> Term | None:
        """Return the first refused term of a text of 1000 characters at most; log its id, never its pattern."""
        words = skeleton.read(text)
        hits = self._latin.hits(words.latin) if words.latin else []
        if words.cyrillic:
            hits += self._cyrillic.hits(words.cyrillic)
        for term in hits:
            if term.kind in self._refused:
                return term
        kinds = {term.kind for term in hits}
        return _TOGETHER if "age" in kinds and kinds & {"undress", "sexual"} else None

    def name_ok(self, name: str) -> bool:
        """Say whether a name may be shown on air; stricter than ``judge``, because a name glues its words together.

        Who has another name may ask all the same: a picture can be drawn without saying for whom.
        """
        return self._name_ok(name)

    def _judge_name(self, name: str) -> bool:
        parted = _HUMP.sub(" ", name)
        if self.judge(parted) is not None or self.judge(parted.strip("0123456789_")) is not None:
            return False
        words = skeleton.read(name.replace("_", ""))
        readings = [(self._latin, one) for one in words.latin] + [(self._cyrillic, one) for one in words.cyrillic]
        glued = (term for matcher, one in readings for term in matcher.glued(one, _GLUED_LETTERS))
        return not any(term.kind in self._refused for term in glued)


def create(options: Options) -> Words:
    """Build the rule with the shipped list."""
    return Words(options, lexicon.shipped())


def _own(patterns: Iterable[str], kind: str) -> list[Term]:
    return [Term(f"{kind}-own{number}", pattern) for number, pattern in enumerate(patterns, 1)]


def _folded(term: Term) -> Term:
    """Bring a pattern into the form words are read in; single letters are dropped there, so they are here."""
    return Term(term.id, " ".join(word for word in skeleton.fold(term.pattern).split() if len(word) > 1))


def _in_latin(terms: Iterable[Term]) -> list[Term]:
    """Return the Cyrillic words that can be typed in Latin letters alone, typed so."""
    typed = (Term(term.id, term.pattern.translate(_TWINS)) for term in terms)
    return [term for term in typed if term.pattern.isascii() and len(term.pattern.strip("*")) > SHORTEST_STEM]
