"""The last step: grade the picture for its moods, let it glow, and dither it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from streamer.generator.procedural.engine.scene import Scene

_PIXEL_ROWS = 135
_BRIGHT = 0.6
_VIGNETTE = {"night": 0.24, "dusk": 0.2, "dawn": 0.1, "day": 0.08}


def finish(scene: Scene) -> npt.NDArray[np.uint8]:
    """Turn the painted planes into height x width x 3 bytes."""
    if scene.idea.has("mono"):
        _monochrome(scene)
    glow = 0.75 if scene.idea.has("neon", "magic") else 0.5
    shade = _VIGNETTE[scene.tones.hour]
    if scene.canvas.rgb[1, ::16, ::16].mean() > _BRIGHT:
        shade = min(shade, _VIGNETTE["dawn"])  # on a bright picture dark corners look like dirt
    picture = scene.canvas.finish(scene.noise, bloom=glow, vignette=shade)
    return _pixelated(picture) if scene.idea.has("pixel") else picture


def _monochrome(scene: Scene) -> None:
    planes = scene.canvas.rgb
    grey = planes[0] * np.float32(0.32) + planes[1] * np.float32(0.56) + planes[2] * np.float32(0.12)
    for i, tint in enumerate((1.0, 0.985, 0.96)):
        planes[i] = grey * np.float32(tint)
    light = scene.canvas.light
    light[:] = light.mean(0, keepdims=True)


def _pixelated(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Redraw the picture in large squares of few colours."""
    height, width = picture.shape[:2]
    size = max(1, min(height, width) // _PIXEL_ROWS)
    small = Image.fromarray(picture).resize((-(-width // size), -(-height // size)), Image.Resampling.BOX)
    few = small.quantize(40, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    large = np.asarray(few).repeat(size, 0).repeat(size, 1)
    return np.ascontiguousarray(large[:height, :width])
