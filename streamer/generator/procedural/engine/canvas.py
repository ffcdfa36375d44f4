"""The canvas: three float planes, shapes with soft edges, glowing light, and dithering at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from streamer.generator.procedural.engine.colour import Ink
from streamer.generator.procedural.engine.noise import Field, Noise

Points = Sequence[tuple[float, float]]

_CACHED = 65536
"""How many numbers of a plane are worked on at once."""
_COARSE = 4
"""Smooth parts (sky, glow, mist) are painted at a quarter of the size: it looks the same and costs a sixteenth."""


class Stencil:
    """A mask over a box of the canvas, drawn larger and averaged down for smooth edges; canvas coordinates."""

    def __init__(self, box: tuple[float, float, float, float], width: int, height: int, finer: int = 3) -> None:
        self.x0, self.y0 = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
        self.x1, self.y1 = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
        self.empty = self.x1 <= self.x0 or self.y1 <= self.y0
        size = (1, 1) if self.empty else ((self.x1 - self.x0) * finer, (self.y1 - self.y0) * finer)
        self._finer = finer
        self._image = Image.new("L", size)
        self._draw = ImageDraw.Draw(self._image)

    def _at(self, points: Points) -> list[tuple[float, float]]:
        return [((x - self.x0) * self._finer, (y - self.y0) * self._finer) for x, y in points]

    def polygon(self, points: Points, value: int = 255) -> None:
        self._draw.polygon(self._at(points), fill=value)

    def ellipse(self, x: float, y: float, rx: float, ry: float, value: int = 255) -> None:
        rx, ry = max(rx, 0.2), max(ry, 0.2)
        self._draw.ellipse(self._at([(x - rx, y - ry), (x + rx, y + ry)]), fill=value)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, round_by: float = 0, value: int = 255) -> None:
        if x1 > x0 and y1 > y0:
            corners = self._at([(x0, y0), (x1, y1)])
            self._draw.rounded_rectangle(corners, radius=round_by * self._finer, fill=value)

    def stroke(self, points: Points, width: float, value: int = 255) -> None:
        line_width = max(1, round(width * self._finer))
        self._draw.line(self._at(points), fill=value, width=line_width, joint="curve")
        for x, y in (points[0], points[-1]):
            self.ellipse(x, y, width / 2, width / 2, value)

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float, value: int = 255) -> None:
        """Draw one straight line with blunt ends."""
        self._draw.line(self._at([(x0, y0), (x1, y1)]), fill=value, width=max(1, round(width * self._finer)))

    def soften(self, radius: float) -> None:
        """Blur what was drawn so far; ``radius`` in canvas pixels."""
        self._image = self._image.filter(ImageFilter.GaussianBlur(radius * self._finer))
        self._draw = ImageDraw.Draw(self._image)

    def mask(self) -> Field:
        small = self._image.reduce(self._finer) if self._finer > 1 else self._image
        return np.asarray(small, dtype=np.float32) * np.float32(1 / 255)


@lru_cache(maxsize=256)
def _row_mix(few: int, many: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Field]:
    """Return, for each of many rows, the two coarse rows around it and its share of the way between them."""
    place = (np.arange(many, dtype=np.float32) + np.float32(0.5)) * np.float32(few / many) - np.float32(0.5)
    above = np.clip(np.floor(place), 0, few - 1).astype(np.int32)
    share = np.clip(place - above, 0, 1).astype(np.float32)
    return above, np.minimum(above + 1, few - 1), share[:, None]


def _multiplied_rows(wide: Field, times: int, large: Field) -> None:
    """Mix whole numbers of rows between coarse ones, one phase after the other, into ``large``."""
    rows = wide.shape[0]
    around = np.concatenate((wide[:1], wide, wide[-1:]))
    change = around[1:] - around[:-1]
    large = large.reshape(rows, times, wide.shape[1])
    for phase in range(times):
        at = (phase + 0.5) / times - 0.5
        first = int(at >= 0)
        np.multiply(change[first : first + rows], np.float32(at + 1 - first), out=large[:, phase])
        large[:, phase] += around[first : first + rows]


class Canvas:
    """Paint from back to front, then finish() once."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rgb = np.full((3, height, width), 0.5, np.float32)
        self.coarse_width, self.coarse_height = -(-width // _COARSE), -(-height // _COARSE)
        self.light = np.zeros((3, self.coarse_height, self.coarse_width), np.float32)
        ys = (np.arange(self.coarse_height, dtype=np.float32) + 0.5) * (height / self.coarse_height)
        xs = (np.arange(self.coarse_width, dtype=np.float32) + 0.5) * (width / self.coarse_width)
        self.coarse_y, self.coarse_x = ys[:, None], xs[None, :]
        self.unit = min(width, height) / 720
        self.alpha: Field | None = None
        # One plane that is written over again and again: new memory costs more than the arithmetic done in it.
        self._spare = np.empty((height, width), np.float32)
        self.x = np.arange(width, dtype=np.float32)

    def stencil(self, x0: float, y0: float, x1: float, y1: float, finer: int = 3) -> Stencil:
        return Stencil((x0, y0, x1, y1), self.width, self.height, finer)

    def enlarge(self, field: Field, height: int | None = None, out: Field | None = None) -> Field:
        """Scale a coarse field to the canvas's width and to ``height`` rows, into ``out`` if that is given.

        Pillow widens the few rows, numpy mixes them into many: a sixth of the time of leaving both to Pillow,
        which copies a large float image twice on its way out.
        """
        rows, height = field.shape[0], height or self.height
        small = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
        wide = np.asarray(small.resize((self.width, rows), Image.Resampling.BILINEAR))
        large: Field = np.empty((height, self.width), np.float32) if out is None else out
        if height % rows == 0:
            _multiplied_rows(wide, height // rows, large)
            return large
        above, below, share = _row_mix(rows, height)
        wide.take(above, 0, out=large, mode="clip")
        change = wide.take(below, 0)
        change -= large
        change *= share
        large += change
        return large

    def cover(self, planes: Field) -> None:
        """Replace everything by coarse RGB planes."""
        for i in range(3):
            self.enlarge(planes[i], out=self.rgb[i])

    def blend(self, colour: Field, mask: Field, y0: int = 0, x0: int = 0) -> None:
        """Paint ``colour`` (3, 3 x rows x 1 or 3 x rows x columns, RGB) through ``mask`` at (x0, y0)."""
        height, width = mask.shape
        colour = colour.reshape(3, 1, 1) if colour.ndim == 1 else colour
        # A few rows at a time stay in the processor's cache: twice as fast on a large mask.
        many = max(1, _CACHED // max(1, width))
        for start in range(0, height, many):
            part = mask[start : start + many]
            for i in range(3):
                plane = self.rgb[i, y0 + start : y0 + start + part.shape[0], x0 : x0 + width]
                ink = colour[i] if colour.shape[1] == 1 else colour[i, start : start + many]
                change = ink - plane
                change *= part
                plane += change

    def stamp(self, stencil: Stencil, colour: Ink, strength: float = 1.0) -> None:
        """Paint one colour through a stencil."""
        if not stencil.empty:
            mask = stencil.mask()
            self.blend(colour, mask * np.float32(strength) if strength < 1 else mask, stencil.y0, stencil.x0)

    def wash(self, colour: Ink, coarse: Field) -> None:
        """Paint one colour through a coarse full-size mask, touching only the rows it covers."""
        rows = np.flatnonzero(coarse.max(1) > 0.004)
        if rows.size == 0:
            return
        first, last = int(rows[0]), int(rows[-1]) + 1
        y0, y1 = round(first * self.height / self.coarse_height), round(last * self.height / self.coarse_height)
        if y1 > y0:
            mask = self.enlarge(np.ascontiguousarray(coarse[first:last]), y1 - y0, self._spare[: y1 - y0])
            self.blend(colour, mask, y0)

    def below(
        self, edge: Field, top: Ink, bottom: Ink, reach: float, strength: float = 1.0, until: float | None = None
    ) -> None:
        """Fill what lies under the curve ``edge`` (a y for each column), from ``top`` to ``bottom`` over ``reach``.

        Rows from ``until`` on are left alone: something nearer will cover them.
        """
        low = float(edge.max()) + 2
        mask, y0 = self.under(edge, low if strength == 1.0 else until)
        rows = mask.shape[0]
        if rows:
            colour = self.gradient(top, bottom, y0, rows, float(edge.min()), reach)
            self.blend(colour, mask * strength if strength != 1.0 else mask, y0)
        y1, y2 = y0 + rows, self.height if until is None else min(self.height, math.ceil(until))
        if strength == 1.0 and y2 > y1:
            self.rgb[:, y1:y2] = self.gradient(top, bottom, y1, y2 - y1, float(edge.min()), reach)

    def under(self, edge: Field, until: float | None = None) -> tuple[Field, int]:
        """Return the mask of what lies under a curve, as far as row ``until``, and the row it begins at."""
        y0 = int(np.clip(math.floor(float(edge.min())) - 1, 0, self.height))
        y1 = self.height if until is None else int(np.clip(math.ceil(until), y0, self.height))
        rows = np.arange(y0, y1, dtype=np.float32)[:, None] + 0.5
        softness = 1 / np.sqrt(1 + np.gradient(edge) ** 2) if edge.size > 1 else np.ones_like(edge)
        mask: Field = (rows - edge) * softness.astype(np.float32)
        mask += 0.5
        return np.clip(mask, 0, 1, out=mask), y0

    def gradient(self, top: Ink, bottom: Ink, y0: int, rows: int, start: float, reach: float) -> Field:
        """Make 3 x rows x 1 colours from ``top`` at row ``start`` to ``bottom`` at ``start + reach``."""
        t = np.clip((np.arange(y0, y0 + rows, dtype=np.float32) - start) / max(reach, 1.0), 0, 1)
        colours: Field = (top[:, None] + (bottom - top)[:, None] * t).astype(np.float32)
        return colours[:, :, None]

    def dots(self, x: Field, y: Field, radius: Field, colour: Ink, strength: Field | float, soft: float = 1.0) -> None:
        """Paint many small discs at once; ``soft`` is the width of their edge in pixels."""
        if x.size == 0:
            return
        reach = math.ceil(float(radius.max()) + soft / 2) + 1
        offsets = np.arange(-reach, reach + 1, dtype=np.int32)
        columns = np.floor(x).astype(np.int32)[:, None, None] + offsets[None, None, :]
        rows = np.floor(y).astype(np.int32)[:, None, None] + offsets[None, :, None]
        distance = np.hypot(columns + np.float32(0.5) - x[:, None, None], rows + np.float32(0.5) - y[:, None, None])
        weight = np.clip((radius[:, None, None] - distance) / np.float32(soft) + np.float32(0.5), 0, 1)
        weight *= np.asarray(strength, np.float32).reshape(-1, 1, 1)
        inside = (weight > 0) & (columns >= 0) & (columns < self.width) & (rows >= 0) & (rows < self.height)
        place = (rows * self.width + columns)[inside]
        weight = weight[inside]
        for i in range(3):
            flat = self.rgb[i].reshape(-1)
            here = flat[place]
            flat[place] = here + (colour[i] - here) * weight

    def glow(self, x: float, y: float, radius: float, colour: Ink, strength: float) -> None:
        """Add light around a point; it is laid over the finished picture."""
        reach = radius * 3
        scale = self.coarse_width / self.width
        c0, c1 = max(0, int((x - reach) * scale)), min(self.coarse_width, int((x + reach) * scale) + 1)
        r0, r1 = max(0, int((y - reach) * scale)), min(self.coarse_height, int((y + reach) * scale) + 1)
        if c1 <= c0 or r1 <= r0:
            return
        distance = ((self.coarse_x[:, c0:c1] - x) ** 2 + (self.coarse_y[r0:r1] - y) ** 2) / radius**2
        fall = np.float32(strength) / (1 + 2.2 * distance) ** 2
        fall *= np.clip(1.5 - distance / 6, 0, 1)
        self.light[:, r0:r1, c0:c1] += colour[:, None, None] * fall

    def blur(self, radius: float) -> None:
        """Put what is painted so far out of focus; ``radius`` in pixels."""
        half = self.rgb[:, ::2, ::2]
        for i in range(3):
            image = Image.fromarray((half[i].clip(0, 1) * 255).astype(np.uint8))
            soft = image.filter(ImageFilter.GaussianBlur(radius / 2)).resize(
                (self.width, self.height), Image.Resampling.BILINEAR
            )
            self.rgb[i] = np.asarray(soft, np.float32) * np.float32(1 / 255)

    def cut_out(self, mask: Field) -> None:
        """Leave only what ``mask`` covers; the rest of the finished picture is transparent."""
        self.alpha = mask

    def shade_light(self, mask: Field, y0: int, x0: int) -> None:
        """Hide the light behind something that is painted through ``mask`` at (x0, y0)."""
        rows = np.arange(-(-y0 // _COARSE), -(-(y0 + mask.shape[0]) // _COARSE))
        columns = np.arange(-(-x0 // _COARSE), -(-(x0 + mask.shape[1]) // _COARSE))
        if rows.size and columns.size:
            cover = mask[np.ix_(rows * _COARSE - y0, columns * _COARSE - x0)]
            self.light[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] *= 1 - np.float32(0.85) * cover

    def thumbnail(self, width: int = 96) -> npt.NDArray[np.uint8]:
        """Sample what is painted so far, at most ``width`` pixels wide and tall."""
        every = max(1, -(-max(self.width, self.height) // width))
        small = self.rgb[:, every // 2 :: every, every // 2 :: every]
        return np.ascontiguousarray((small.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0))

    def finish(
        self, noise: Noise, *, bloom: float = 0.5, vignette: float = 0.25, grain: float = 1.6
    ) -> npt.NDArray[np.uint8]:
        """Let bright parts glow, darken the corners and dither; return height x width x 3 bytes."""
        dark = 1 - self._halo(bloom)
        down, across = self._vignette(vignette)
        film = noise.film(self.height, self.width, grain)
        out = np.empty((self.height, self.width, 3), np.uint8)
        many = max(1, _CACHED // self.width)
        for i in range(3):
            kept = self.enlarge(dark[i], out=self._spare)
            for start in range(0, self.height, many):
                rows = slice(start, start + many)
                plane = 1 - self.rgb[i, rows]
                plane *= kept[rows]
                np.subtract(1, plane, out=plane)
                plane *= down[rows]
                plane *= across
                plane += film[rows]
                out[rows, :, i] = np.clip(plane, 0, 255, out=plane)
        return out

    def _halo(self, strength: float) -> Field:
        """Return the coarse light to lay over the picture, together with a blurred copy of its bright parts."""
        first = self.rgb[:, ::_COARSE, ::_COARSE]
        second = self.rgb[:, _COARSE // 2 :: _COARSE, _COARSE // 2 :: _COARSE]
        small = first.copy()
        small[:, : second.shape[1], : second.shape[2]] += second
        small[:, : second.shape[1], : second.shape[2]] *= np.float32(0.5)
        np.clip(small, 0, 1, out=small)
        bright = np.clip((small - 0.62) * 2.0, 0, 1) * small
        image = Image.fromarray((bright * 255).astype(np.uint8).transpose(1, 2, 0))
        radius = max(1.0, min(self.coarse_width, self.coarse_height) / 60)
        near = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32)
        tiny = image.reduce(4).filter(ImageFilter.GaussianBlur(radius))
        far = np.asarray(tiny.resize(image.size, Image.Resampling.BILINEAR), np.float32)
        halo = (near * np.float32(0.55) + far * np.float32(0.75)) * np.float32(strength / 255)
        added: Field = np.clip(halo.transpose(2, 0, 1) + self.light, 0, 1).astype(np.float32)
        return added

    def _vignette(self, strength: float) -> tuple[Field, Field]:
        """Return the factors of the rows, times 255, and of the columns."""
        y = np.linspace(-1, 1, self.height, dtype=np.float32)[:, None] ** 2
        x = np.linspace(-1, 1, self.width, dtype=np.float32)[None, :] ** 2
        down: Field = (1 - np.float32(strength) * y * (0.6 + 0.4 * y)) * np.float32(255)
        across: Field = 1 - np.float32(strength) * x * x
        return down, across
