"""Turns the scores of a judge into an outcome: each class has a threshold to hold and a threshold to block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamer.types import Outcome

Share = Annotated[float, Field(ge=0, le=1)]
Scores = Mapping[str, float]


class Thresholds(BaseModel):
    """The scores from which a human is to look, and from which nothing is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hold: Mapping[str, Share] = Field({}, description="class to score from which on a moderator is to look")
    block: Mapping[str, Share] = Field({}, description="class to score from which on the picture is refused")


def classify(scores: Scores, thresholds: Thresholds) -> tuple[Outcome, str]:
    """Return the outcome and the class that decided it: the one furthest beyond its threshold.

    A score that is not a number is beyond every threshold.
    """
    for outcome, limits in ((Outcome.BLOCK, thresholds.block), (Outcome.HOLD, thresholds.hold)):
        excess = {
            name: scores[name] - limit for name, limit in limits.items() if name in scores and not scores[name] < limit
        }
        if excess:
            return outcome, max(excess, key=lambda name: excess[name])
    return Outcome.ALLOW, ""
