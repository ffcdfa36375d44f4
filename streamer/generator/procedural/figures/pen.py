"""Draws flat shapes in a square from -1 to 1 (y down) and cuts them out with smooth edges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from streamer.generator.procedural.engine.colour import Ink, lch, rgb
from streamer.generator.procedural.engine.noise import Field

Points = Sequence[tuple[float, float]]
_FINER = 2


def colour(lab: Ink) -> tuple[int, int, int]:
    """Turn an OKLab colour into what Pillow draws with."""
    red, green, blue = (round(float(part) * 255) for part in rgb(lab))
    return red, green, blue


DARK = lch(0.22, 0.03, 290)
WHITE = lch(0.985, 0.006, 90)
BLUSH = lch(0.74, 0.14, 15)


class Pen:
    """Hold one sticker while it is drawn; ``size`` is its side in pixels."""

    def __init__(self, size: int) -> None:
        self.size = max(8, size)
        self._half = self.size * _FINER / 2
        side = (self.size * _FINER, self.size * _FINER)
        self._image, self._alpha = Image.new("RGB", side, (128, 128, 128)), Image.new("L", side)
        self._paint, self._cut = ImageDraw.Draw(self._image), ImageDraw.Draw(self._alpha)

    def _at(self, points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(self._half * (1 + x), self._half * (1 + y)) for x, y in points]

    def polygon(self, points: Points, ink: Ink) -> None:
        placed = self._at(points)
        self._paint.polygon(placed, fill=colour(ink))
        self._cut.polygon(placed, fill=255)

    def blob(self, points: Points, ink: Ink) -> None:
        """Fill a closed smooth curve through the points."""
        self.polygon(smooth(points), ink)

    def ellipse(self, x: float, y: float, rx: float, ry: float, ink: Ink, turn: float = 0.0) -> None:
        self.polygon(oval(x, y, rx, ry, turn), ink)

    def box(self, x0: float, y0: float, x1: float, y1: float, round_by: float, ink: Ink) -> None:
        corners = self._at([(x0, y0), (x1, y1)])
        self._paint.rounded_rectangle(corners, radius=round_by * self._half, fill=colour(ink))
        self._cut.rounded_rectangle(corners, radius=round_by * self._half, fill=255)

    def stroke(self, points: Points, width: float, ink: Ink) -> None:
        placed, wide = self._at(points), max(1, round(width * self._half))
        self._paint.line(placed, fill=colour(ink), width=wide, joint="curve")
        self._cut.line(placed, fill=255, width=wide, joint="curve")
        for x, y in (points[0], points[-1]):
            self.ellipse(x, y, width / 2, width / 2, ink)

    def shade(self, within: Points, shape: Points, ink: Ink, strength: float = 0.35) -> None:
        """Tint the part of ``shape`` that lies inside ``within``; nothing new is cut out."""
        placed = self._at(within)
        x0, y0 = (int(max(0, min(values))) for values in zip(*placed, strict=True))
        x1, y1 = (int(min(2 * self._half, max(values) + 1)) for values in zip(*placed, strict=True))
        if x1 <= x0 or y1 <= y0:
            return
        masks = []
        for points in (placed, self._at(shape)):
            mask = Image.new("L", (x1 - x0, y1 - y0))
            ImageDraw.Draw(mask).polygon([(x - x0, y - y0) for x, y in points], fill=round(255 * strength))
            masks.append(mask)
        self._image.paste(colour(ink), (x0, y0), ImageChops.darker(*masks))

    def layers(self) -> tuple[Field, Field]:
        """Give 3 x size x size RGB and the size x size mask of everything drawn."""
        # Spread the colours under the cut edge, or the background grey would fringe it.
        spread = self._image.filter(ImageFilter.BoxBlur(_FINER)) if self.size <= 96 else self._image
        body = Image.composite(self._image, spread, self._alpha).reduce(_FINER)
        planes = np.asarray(body, np.float32).transpose(2, 0, 1) * np.float32(1 / 255)
        return planes, np.asarray(self._alpha.reduce(_FINER), np.float32) * np.float32(1 / 255)


def oval(x: float, y: float, rx: float, ry: float, turn: float = 0.0, count: int = 56) -> list[tuple[float, float]]:
    """Give points around an ellipse turned by ``turn`` radians."""
    c, s = math.cos(turn), math.sin(turn)
    angles = (2 * math.pi * i / count for i in range(count))
    return [
        (x + rx * math.cos(a) * c - ry * math.sin(a) * s, y + rx * math.cos(a) * s + ry * math.sin(a) * c)
        for a in angles
    ]


def smooth(points: Points, parts: int = 10, *, closed: bool = True) -> list[tuple[float, float]]:
    """Run a Catmull-Rom curve through the points."""
    p = np.asarray(points, np.float64)
    if not closed:
        p = np.vstack((2 * p[0] - p[1], p, 2 * p[-1] - p[-2]))
        before, start, end, after = p[:-3], p[1:-2], p[2:-1], p[3:]
    else:
        before, start, end, after = np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = np.linspace(0, 1, parts, endpoint=False)[None, :, None]
    a, b, c, d = (part[:, None] for part in (before, start, end, after))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    flat = [(float(x), float(y)) for x, y in curve.reshape(-1, 2)]
    return flat if closed else [*flat, (float(points[-1][0]), float(points[-1][1]))]


def flipped(points: Points) -> list[tuple[float, float]]:
    """Mirror points left to right."""
    return [(-x, y) for x, y in points]


def arc(
    x: float, y: float, rx: float, ry: float, start: float, end: float, count: int = 18
) -> list[tuple[float, float]]:
    """Give points along an arc; angles in degrees, clockwise from the right."""
    angles = np.radians(np.linspace(start, end, count))
    return [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]
