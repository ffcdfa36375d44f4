"""In which size a picture is drawn by a model made for one size, and how it becomes the size that was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from streamer.generator.backend import Pixels


@dataclass(frozen=True, slots=True)
class SizeRule:
    """What a model draws: about as many pixels as a square of ``side``, both sides multiples of ``multiple``."""

    side: int
    multiple: int

    def drawn(self, width: int, height: int) -> tuple[int, int]:
        """Return the size in which a picture of some size is drawn: never smaller, unless the model's own is."""
        scale = min(1.0, self.side / math.sqrt(width * height))
        rounded = math.ceil if scale == 1 else round
        return self._whole(rounded(width * scale / self.multiple)), self._whole(rounded(height * scale / self.multiple))

    def _whole(self, count: int) -> int:
        return max(1, count) * self.multiple


def fill(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scale a picture until it covers a size, and cut off what stands over, equally on both sides."""
    rows, columns = pixels.shape[:2]
    if (columns, rows) == (width, height):
        return pixels
    scale = max(width / columns, height / rows)
    kept_width, kept_height = width / scale, height / scale
    left, top = (columns - kept_width) / 2, (rows - kept_height) / 2
    box = (left, top, left + kept_width, top + kept_height)
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS, box=box))
