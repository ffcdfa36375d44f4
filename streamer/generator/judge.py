"""What a judge in the generator process is, and how a picture is cut for it.

A judge is a module in generator/judges with ``Options`` (a Band with more keys) and ``create(options) -> Judge``.
Nothing happens at import; weights load in ``load``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Protocol, runtime_checkable

from pydantic import Field

from streamer.generator.backend import Pixels
from streamer.moderation.thresholds import Scores, Thresholds


class ImageJudgeOptions(Thresholds):
    """Thresholds, and how a judge of pictures is asked."""

    tiles: tuple[Annotated[int, Field(ge=2, le=4)], ...] = Field(
        (), description="also look at the picture cut into 2 x 2, 3 x 3 ... tiles: finds what is small, in collages"
    )
    second_opinion: bool = Field(False, description="ask only about what another judge has held or blocked")


class Judge(Protocol):
    """Scores classes from 0 to 1; ``version`` names the weights; used by one thread at a time."""

    @property
    def version(self) -> str: ...

    def load(self) -> None:
        """Make the weights ready; raise BackendUnavailable with a fix when that cannot be done."""
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

    def read(self, text: str) -> Scores: ...


def worst(several: list[Scores]) -> dict[str, float]:
    """Give each class its highest score; what is not a number is higher than any."""
    found: dict[str, float] = {}
    for scores in several:
        for name, score in scores.items():
            if name not in found or not score <= found[name]:
                found[name] = score
    return found


def tiles(pixels: Pixels, grids: tuple[int, ...]) -> Iterator[Pixels]:
    """Yield the whole picture, then for each grid n its n x n tiles, which together cover every pixel."""
    yield pixels
    height, width = pixels.shape[:2]
    for n in grids:
        for row in range(n):
            for column in range(n):
                yield pixels[
                    height * row // n : height * (row + 1) // n, width * column // n : width * (column + 1) // n
                ]
