"""The last step: grade the picture for its moods, let it glow, dither it, and redraw it in its style."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.engine.styles import in_style

_BRIGHT = 0.6
_VIGNETTE = {"night": 0.24, "dusk": 0.2, "dawn": 0.1, "day": 0.08}


def finish(scene: Scene) -> npt.NDArray[np.uint8]:
    """Turn the painted planes into height x width x 3 bytes, with an alpha channel for a sticker."""
    if scene.idea.has("mono"):
        _monochrome(scene)
    glow = 0.75 if scene.idea.has("neon", "magic") else 0.5
    shade = _VIGNETTE[scene.tones.hour]
    if scene.canvas.rgb[1, ::16, ::16].mean() > _BRIGHT:
        shade = min(shade, _VIGNETTE["dawn"])  # on a bright picture dark corners look like dirt
    if scene.kind == "sticker":
        glow, shade = 0.0, 0.0
    picture = scene.canvas.finish(scene.noise, bloom=glow, vignette=shade)
    for style in scene.idea.styles[:1]:
        picture = in_style(style, picture, scene.noise, scene.rng)
    return picture if scene.kind != "sticker" else np.dstack((picture, _outline(scene)))


def _outline(scene: Scene) -> npt.NDArray[np.uint8]:
    """Return a sticker's alpha: what is cut out of the picture, or all of it."""
    if scene.canvas.alpha is None:
        return np.full((scene.height, scene.width), 255, np.uint8)
    return (scene.canvas.alpha * 255 + np.float32(0.5)).astype(np.uint8)


def _monochrome(scene: Scene) -> None:
    planes = scene.canvas.rgb
    grey = planes[0] * np.float32(0.32) + planes[1] * np.float32(0.56) + planes[2] * np.float32(0.12)
    for i, tint in enumerate((1.0, 0.985, 0.96)):
        planes[i] = grey * np.float32(tint)
    light = scene.canvas.light
    light[:] = light.mean(0, keepdims=True)
