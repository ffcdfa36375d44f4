"""Limits the length of a request's text, before anything slower reads it."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streamer.interfaces import Rule
from streamer.types import ImageRequest, Refusal


class Options(BaseModel):
    """The limits, in characters of the text after the command word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shortest: int = Field(1, ge=0, description="fewer characters than this are refused; 0 accepts an empty text")
    longest: int = Field(300, ge=1, description="more characters than this are refused")

    @model_validator(mode="after")
    def _limits_leave_room(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(f"shortest ({self.shortest}) is above longest ({self.longest}); lower shortest")
        return self


class Length(Rule):
    """Compare the length of the text with both limits."""

    def __init__(self, options: Options) -> None:
        self._shortest, self._longest = options.shortest, options.longest

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse a text that is too long or too short, and say by how much."""
        length = len(request.text)
        if self._shortest <= length <= self._longest:
            return None
        if length > self._longest:
            return Refusal(request.id, "length", f"too long: {length} characters, at most {self._longest}")
        if length == 0:
            return Refusal(request.id, "length", "say what to draw")
        return Refusal(request.id, "length", f"too short: {length} characters, at least {self._shortest}")


def create(options: Options) -> Length:
    """Build the rule."""
    return Length(options)
