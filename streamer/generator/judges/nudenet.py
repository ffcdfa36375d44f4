"""Judges pictures with NudeNet, which detects exposed and covered body parts; weights included, no GPU needed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from pydantic import Field

from streamer import installation
from streamer.errors import BackendUnavailable
from streamer.generator.backend import Pixels
from streamer.generator.judge import BLOCK_SCORES, HOLD_SCORES, ImageJudgeOptions
from streamer.moderation.thresholds import Scores, Share

EXPOSED = ("FEMALE_GENITALIA_EXPOSED", "MALE_GENITALIA_EXPOSED", "FEMALE_BREAST_EXPOSED", "ANUS_EXPOSED")
UNSURE = "BUTTOCKS_EXPOSED"
"""NudeNet sees it in a colour wheel at 0.83, so this class alone must never refuse a picture."""


class Options(ImageJudgeOptions):
    """Thresholds for NudeNet's own eighteen classes."""

    hold: Mapping[str, Share] = Field(
        {**dict.fromkeys(EXPOSED, 0.25), UNSURE: 0.5},
        description=HOLD_SCORES,
    )
    block: Mapping[str, Share] = Field(
        dict.fromkeys(EXPOSED, 0.5),
        description=f"{BLOCK_SCORES}; left out: every EXPOSED class",
    )


class NudeNet:
    """Detect with ONNX on the CPU."""

    def __init__(self) -> None:
        self._detector: Any = None

    @property
    def version(self) -> str:
        """Return the version of the package, which brings the weights."""
        return version("nudenet")

    def load(self) -> None:
        """Read the weights."""
        try:
            from nudenet import NudeDetector
        except ImportError as error:
            raise BackendUnavailable(f"{error.name} is not installed", fix=installation.add_extra("nudenet")) from error
        self._detector = NudeDetector()

    def look(self, pixels: Pixels) -> Scores:
        """Score each detected class by its surest detection."""
        scores: dict[str, float] = {}
        # The package expects OpenCV's order: blue first.
        for detection in self._detector.detect(pixels[..., ::-1].copy()):
            scores[detection["class"]] = max(scores.get(detection["class"], 0.0), detection["score"])
        return scores


def create(options: Options) -> NudeNet:
    """Make the judge."""
    return NudeNet()
