"""Bounds how much text one request may carry, before anything slower reads it."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streamer.interfaces import Rule
from streamer.types import ImageRequest, Refusal


class Options(BaseModel):
    """The bounds, in characters of what was typed after the command word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shortest: int = Field(1, ge=0, description="fewer characters than this are refused; 0 accepts an empty text")
    longest: int = Field(300, ge=1, description="more characters than this are refused")

    @model_validator(mode="after")
    def _bounds_leave_room(self) -> Self:
        if self.shortest > self.longest:
            raise ValueError(f"shortest ({self.shortest}) is above longest ({self.longest}); lower shortest")
        return self


class Length(Rule):
    """Compare the length of the text with both bounds."""

    def __init__(self, options: Options) -> None:
        self._shortest, self._longest = options.shortest, options.longest

    def check(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse what is too long or too short, and say by how much."""
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
