"""One order for the engine, in the engine's terms."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image
from torch import Tensor

DISTILLED_STEPS = 4


@dataclass(frozen=True, slots=True)
class Job:
    """What to draw; ``noise`` [1, channels, rows, columns] stands in for the seed's own in comparisons."""

    prompt: str
    width: int
    height: int
    steps: int = DISTILLED_STEPS
    seed: int = 0
    reference: Image.Image | None = None
    noise: Tensor | None = None
