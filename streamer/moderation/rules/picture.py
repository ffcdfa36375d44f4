"""Decides over the finished picture by what the judges in the generator process found."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Rule
from streamer.types import Frame, Hold, ImageRequest, Judgement, Lane, Outcome, Refusal


class Options(BaseModel):
    """How strictly to take them; which judges there are is said under generator.judges."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    own: Literal["as chat", "blocks", "show"] = Field(
        "blocks",
        description="your own requests: as chat, blocks (only a block counts) or show (whatever the judges say)",
    )


class PictureRule(Rule):
    """Take the worst that any judge found."""

    def __init__(self, options: Options) -> None:
        self._own = options.own

    def look(self, request: ImageRequest, frame: Frame, now: float) -> Refusal | Hold | None:
        """Refuse what a judge blocks, hold what one is unsure of or could not look at."""
        own = self._own if request.priority is Lane.BROADCASTER else "as chat"
        found = gravest(frame.judgements)
        if found is None or own == "show" or (own == "blocks" and found.outcome is Outcome.HOLD):
            return None
        code = found.code or found.judge
        if found.outcome is Outcome.BLOCK:
            return Refusal(request.id, "picture", "this picture cannot be shown", code)
        return Hold(request.id, "picture", "a moderator will look at the picture first", code)


def gravest(judgements: tuple[Judgement, ...]) -> Judgement | None:
    """Return the first block, else the first hold, None when all are content."""
    for outcome in (Outcome.BLOCK, Outcome.HOLD):
        for one in judgements:
            if one.outcome is outcome:
                return one
    return None


def create(options: Options) -> PictureRule:
    """Build the rule."""
    return PictureRule(options)
