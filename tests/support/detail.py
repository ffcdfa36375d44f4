"""How much a viewer can make out in a picture, as one number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CELL_PX = 8


def detail(pixels: npt.NDArray[np.uint8]) -> float:
    """Return the mean step in brightness (0 to 255) between neighboring cells of 8 x 8 pixels of [h, w, 3] pixels.

    A flat sheet has 0, a blurred one nearly 0, a painted scene 3 to 10; single grains of noise average out.
    """
    height, width = (side // CELL_PX * CELL_PX for side in pixels.shape[:2])
    luma = pixels[:height, :width, :3].astype(np.float32) @ np.array((0.299, 0.587, 0.114), np.float32)
    cells = luma.reshape(height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX).mean(axis=(1, 3))
    steps = (np.abs(np.diff(cells, axis=0)).mean(), np.abs(np.diff(cells, axis=1)).mean())
    return float(sum(steps) / 2)
