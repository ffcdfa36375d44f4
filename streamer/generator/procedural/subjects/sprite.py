"""Renders drawings at any size, and cuts stickers out of them."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import resvg_py
from PIL import Image, ImageChops, ImageFilter

from streamer.generator.procedural.subjects.library import svg

Sprite = npt.NDArray[np.uint8]
"""Height x width x 4, RGB with straight alpha."""

_OUTLINE, _SHADOW = 0.045, 0.03
"""Width of the outline, and offset and blur of the shadow, in heights of the drawing."""


@lru_cache(maxsize=96)
def sprite(key: str, height: int) -> Sprite:
    """Render a drawing without its empty margins, ``height`` pixels high; raise KeyError if there is none."""
    document = svg(key)
    margins = _render(document, max(height, 32)).getbbox() or (0, 0, 1, 1)
    scale = height / (margins[3] - margins[1])
    image = _render(document, max(round(max(height, 32) * scale), 1))
    ink = image.getchannel("A").getbbox() or (0, 0, 1, 1)
    trimmed = image.crop(ink)
    pixels = np.array(
        trimmed.resize((max(round(trimmed.width * height / trimmed.height), 1), height))
        if trimmed.height != height
        else trimmed
    )
    pixels.flags.writeable = False
    return pixels


def _render(document: str, size: int) -> Image.Image:
    data = resvg_py.svg_to_bytes(svg_string=document, width=size, height=size, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(data))).convert("RGBA")


@lru_cache(maxsize=32)
def sticker(key: str, height: int) -> Sprite:
    """Cut a drawing out with a white outline and a soft shadow, ``height`` pixels high in all."""
    outline, shadow = max(height * _OUTLINE, 1.0), max(height * _SHADOW, 1.0)
    margin = round(outline + 1.5 * shadow)
    figure = Image.fromarray(sprite(key, max(height - 2 * margin, 1)))
    size = (figure.width + 2 * margin, height)
    alpha = Image.new("L", size)
    alpha.paste(figure.getchannel("A"), (margin, margin))
    edge = _grown(alpha, outline)
    soft = (
        ImageChops.offset(edge, 0, round(shadow / 2))
        .filter(ImageFilter.GaussianBlur(shadow / 2))
        .point(lambda v: v * 0.35)
    )
    result = Image.new("RGBA", size, (20, 20, 30, 0))
    result.putalpha(soft)
    white = Image.new("RGBA", size, (255, 255, 255, 255))
    white.putalpha(edge)
    result.alpha_composite(white)
    result.alpha_composite(figure, (margin, margin))
    pixels = np.array(result)
    pixels.flags.writeable = False
    return pixels


def _grown(alpha: Image.Image, width: float) -> Image.Image:
    """Grow a mask evenly to all sides by blurring and raising it."""
    blurred = alpha.filter(ImageFilter.GaussianBlur(width * 0.75))
    return blurred.point(lambda value: min(255, max(0, (value - 8) * 12)))
