"""NudeNet: finds exposed and covered parts of bodies; its weights come with the package, no GPU is needed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from pydantic import Field

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Pixels
from streamer.generator.judge import ImageJudgeOptions
from streamer.moderation.thresholds import Scores, Share

EXPOSED = ("FEMALE_GENITALIA_EXPOSED", "MALE_GENITALIA_EXPOSED", "FEMALE_BREAST_EXPOSED", "ANUS_EXPOSED")
UNSURE = "BUTTOCKS_EXPOSED"
"""Found at 0.83 in a colour wheel: this class alone must never refuse a picture."""


class Options(ImageJudgeOptions):
    """From which score on; the classes are NudeNet's own eighteen."""

    hold: Mapping[str, Share] = Field({**dict.fromkeys(EXPOSED, 0.25), UNSURE: 0.5}, description="see Looking")
    block: Mapping[str, Share] = Field(dict.fromkeys(EXPOSED, 0.5), description="see Looking")


class NudeNet:
    """Detect with ONNX on the CPU."""

    def __init__(self) -> None:
        self._detector: Any = None

    @property
    def version(self) -> str:
        return version("nudenet")

    def load(self) -> None:
        """Read the weights, and look once so that the first picture is not slower."""
        try:
            from nudenet import NudeDetector
        except ImportError as error:
            raise BackendUnavailable(f"{error.name} is not installed", fix='pip install "streamer[nudenet]"') from error
        self._detector = NudeDetector()

    def look(self, pixels: Pixels) -> Scores:
        """Give each class found its highest score."""
        scores: dict[str, float] = {}
        # The package reads pictures with OpenCV, which has blue first.
        for found in self._detector.detect(pixels[..., ::-1].copy()):
            scores[found["class"]] = max(scores.get(found["class"], 0.0), found["score"])
        return scores


def create(options: Options) -> NudeNet:
    """Make the judge."""
    return NudeNet()
