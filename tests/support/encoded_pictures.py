"""Small encoded pictures."""

from __future__ import annotations

import numpy as np

from streamer.generator.render.encode import encode


def encoded(colour: tuple[int, int, int] = (51, 102, 153)) -> bytes:
    return encode(np.full((352, 640, 3), colour, np.uint8), 88)[1]
