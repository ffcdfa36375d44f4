"""A judge that scores how red a picture is, or fails as its options tell it to."""

import time
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Pixels
from streamer.generator.judge import ImageJudgeOptions
from streamer.moderation.thresholds import Scores


class Options(ImageJudgeOptions):
    """What to do."""

    does: Literal["work", "unavailable", "raise", "nonsense"] = "work"
    takes_s: float = 0.0
    hold: Mapping[str, float] = Field({"red": 0.3})
    block: Mapping[str, float] = Field({"red": 0.6})


class Scripted:
    version = "1"

    def __init__(self, options: Options) -> None:
        self._does, self._takes_s = options.does, options.takes_s
        self.sizes: list[tuple[int, ...]] = []

    def load(self) -> None:
        if self._does == "unavailable":
            raise BackendUnavailable("no weights", fix="get some")

    def look(self, pixels: Pixels) -> Scores:
        self.sizes.append(pixels.shape)
        time.sleep(self._takes_s)
        if self._does == "raise":
            raise RuntimeError("the model is confused")
        return {"red": float("nan") if self._does == "nonsense" else float(pixels[..., 0].mean() / 255)}


def create(options: Options) -> Scripted:
    return Scripted(options)
