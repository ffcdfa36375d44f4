"""Refuses or holds a finished picture by the judgements of the judges in the generator process."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from streamer.interfaces import Rule
from streamer.moderation.policy import gravest
from streamer.types import Frame, Hold, ImageRequest, Outcome, Refusal


class OwnPictures(StrEnum):
    """What judgements mean for the streamer's own pictures."""

    AS_CHAT = "as chat"
    BLOCKS = "blocks"
    SHOW = "show"


class Options(BaseModel):
    """How strictly to take the judgements; generator.judges says which judges there are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    own: OwnPictures = Field(
        OwnPictures.BLOCKS,
        description="for your own requests: as chat (judged like chat), blocks (only a block counts) or show "
        "(judges are ignored)",
    )


class PictureRule(Rule):
    """Act on the gravest judgement."""

    def __init__(self, options: Options) -> None:
        self._own = options.own

    def look(self, request: ImageRequest, frame: Frame, now: float) -> Refusal | Hold | None:
        """Refuse a picture that a judge blocks; hold one that a judge is unsure of or could not look at."""
        strictness = self._own if request.own else OwnPictures.AS_CHAT
        judgement = gravest(frame.judgements)
        if judgement is None or strictness is OwnPictures.SHOW:
            return None
        code = judgement.code or judgement.judge
        if judgement.outcome is Outcome.BLOCK:
            return Refusal(request.id, "picture", "this picture cannot be shown", code)
        if strictness is OwnPictures.BLOCKS:
            return None
        return Hold(request.id, "picture", "a moderator will look at the picture first", code)


def create(options: Options) -> PictureRule:
    """Build the rule."""
    return PictureRule(options)
