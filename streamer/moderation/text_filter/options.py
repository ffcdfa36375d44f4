"""The options of the text filter."""

from __future__ import annotations

import re
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from streamer.moderation.text_filter import custom_patterns, normalize
from streamer.moderation.text_filter.matcher import SHORTEST_STEM

SwitchableKind = Literal["hate", "extremism", "sexual", "violence", "profanity", "selfharm", "drugs"]

_WORDS_PATTERN = re.compile(r"\*?[^\W_]+(?: [^\W_]+)*\*?")


class TextFilterOptions(BaseModel):
    """The streamer's own words on top of the shipped ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extra: tuple[str, ...] = Field(
        (),
        description="your own words to refuse, in addition to the built-in list; spoil* also refuses spoiler, "
        "*spoil* also despoiled",
    )
    patterns: tuple[str, ...] = Field(
        (), description="regular expressions to refuse, in RE2 syntax; capitals do not matter"
    )
    allow: tuple[str, ...] = Field((), description="words on that list to allow here")
    kinds: tuple[SwitchableKind, ...] = Field(
        get_args(SwitchableKind),
        description="which parts of the list to use; the part about minors is always used",
    )
    hold: tuple[SwitchableKind, ...] = Field(
        ("selfharm", "drugs"), description="parts of the list whose words are held for a moderator instead of refused"
    )
    doubtful: Literal["hold", "allow"] = Field(
        "hold",
        description="what to do with a word that is probably a refused word in disguise: hold it for a moderator,"
        " or allow it",
    )
    channel_terms: bool = Field(
        True, description="true: also refuse the terms that the channel blocks in its chat, once a login can read them"
    )

    @field_validator("extra", "allow")
    @classmethod
    def _are_words(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            core = normalize.fold(pattern).strip("*")
            if not _WORDS_PATTERN.fullmatch(normalize.fold(pattern)) or len(core) < 2:
                raise ValueError(f"'{pattern}': use at least two letters or digits, with an optional * at either end")
            if "*" in pattern and len(core) < SHORTEST_STEM:
                raise ValueError(
                    f"'{pattern}': with a * it would match far too much; use {SHORTEST_STEM} letters or more"
                )
        return patterns

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            custom_patterns.compile_pattern(pattern)
        return patterns
