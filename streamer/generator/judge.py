"""What a judge in the generator process must offer, and how a picture is cut into tiles for it.

A judge is a module in generator/judges with ``Options`` (Thresholds with more keys) and ``create(options) -> Judge``.
Importing it has no effects; weights load in ``load``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Protocol, runtime_checkable

from pydantic import Field

from streamer.generator.backend import Pixels
from streamer.moderation.thresholds import Scores, Thresholds

HOLD_SCORES = "score of each class, 0 to 1, from which a moderator decides"
BLOCK_SCORES = "score of each class from which the picture is never shown"
"""What the keys of every judge's thresholds mean, in the schema of its options."""


class ImageJudgeOptions(Thresholds):
    """Thresholds, and when and on which tiles an image judge is asked."""

    tiles: tuple[Annotated[int, Field(ge=2, le=4)], ...] = Field(
        (),
        description="cut the picture into parts and check each: [2, 3] means 2 x 2 and 3 x 3 parts, which "
        "finds small things and takes 13 more runs",
    )
    second_opinion: bool = Field(
        False, description="true: asked only about what another judge flagged; it may turn a block into a hold"
    )


class Judge(Protocol):
    """Scores classes from 0 to 1; ``version`` names the weights. One thread at a time uses it."""

    @property
    def version(self) -> str:
        """Name the weights."""
        ...

    def load(self) -> None:
        """Load the weights; raise BackendUnavailable with a fix if that is impossible."""
        ...


@runtime_checkable
class ImageJudge(Judge, Protocol):
    """A judge of pictures."""

    def look(self, pixels: Pixels) -> Scores:
        """Score one opaque picture, height x width x 3."""
        ...


@runtime_checkable
class TextJudge(Judge, Protocol):
    """A judge of texts."""

    def read(self, text: str) -> Scores:
        """Score one text."""
        ...


def highest_scores(several: list[Scores]) -> dict[str, float]:
    """Give each class its highest score; NaN counts as higher than any number."""
    highest: dict[str, float] = {}
    for scores in several:
        for name, score in scores.items():
            if name not in highest or not score <= highest[name]:
                highest[name] = score
    return highest


def tiles(pixels: Pixels, grids: tuple[int, ...]) -> Iterator[Pixels]:
    """Yield the whole picture, then n x n tiles for each n in ``grids``; a grid covers every pixel once."""
    yield pixels
    height, width = pixels.shape[:2]
    for n in grids:
        for row in range(n):
            for column in range(n):
                yield pixels[
                    height * row // n : height * (row + 1) // n, width * column // n : width * (column + 1) // n
                ]
