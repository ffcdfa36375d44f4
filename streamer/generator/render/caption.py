"""Draws meme text into a picture by a layout: wrapped, as large as fits, and never over the edge."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageOps

from streamer.commands.shown import caption_text
from streamer.generator.backend import Pixels
from streamer.generator.render.fonts import draw_line, ems, line_width
from streamer.generator.render.layout import LayoutSlot, MemeLayout, load_layout
from streamer.generator.render.wrap import LINE_HEIGHT, FittedText, TextRoom, fit_text
from streamer.types import Caption

FRAME_WIDTH = 1 / 360
RESAMPLING = Image.Resampling.BILINEAR
ALIGN = {"left": 0.0, "center": 0.5, "right": 1.0}
ANCHOR = {"top": 0.0, "middle": 0.5, "bottom": 1.0}


@dataclass(frozen=True, slots=True)
class TextMasks:
    """A text set in lines: the masks of its letters and of its outline, both cropped to the outline."""

    letters: Image.Image
    outline: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels."""
        return self.outline.size


def draw_caption(pixels: Pixels, caption: Caption, own_layouts: Path | None = None) -> Pixels:
    """Draw the caption into a copy of the picture; return the picture itself if there is nothing to write."""
    layout = load_layout(caption.layout, own_layouts)
    texts = [
        (slot, text) for slot in layout.texts if (text := caption_text(caption, slot.text, upper=slot.upper)).strip()
    ]
    if not texts:
        return pixels
    image = _inset(Image.fromarray(pixels), layout)
    for plate in layout.plates:
        left, top, right, bottom = plate.box.pixels(image.width, image.height)
        _paint(image, Image.new("L", (right - left, bottom - top), 255), (left, top), plate.colour)
    for slot, text in texts:
        _draw_text(image, slot, text)
    return np.asarray(image)


def _inset(image: Image.Image, layout: MemeLayout) -> Image.Image:
    """Return the picture where the layout places it, on its ground and in its frame."""
    left, top, right, bottom = layout.picture.pixels(image.width, image.height)
    if (right - left, bottom - top) == image.size:
        return image.copy()
    ground = Image.new(image.mode, image.size, ImageColor.getcolor(layout.ground, image.mode))
    ground.paste(ImageOps.fit(image, (right - left, bottom - top)), (left, top))
    if layout.frame:
        line = max(round(image.height * FRAME_WIDTH), 1)
        gap = 4 * line
        frame = (left - gap, top - gap, right - 1 + gap, bottom - 1 + gap)
        ImageDraw.Draw(ground).rectangle(frame, outline=layout.frame, width=line)
    return ground


def _draw_text(image: Image.Image, slot: LayoutSlot, text: str) -> None:
    box = slot.box.pixels(image.width, image.height)
    masks = _shrink_into(_set_text(slot, text, box, sqrt(image.width * image.height)), box)
    corner = _corner(masks.size, box, slot)
    # The whole outline comes first, so that no line's outline covers the letters of the line above.
    if slot.outline:
        _paint(image, masks.outline, corner, slot.outline_colour)
    _paint(image, masks.letters, corner, slot.colour)


def _set_text(slot: LayoutSlot, text: str, box: tuple[int, int, int, int], scale: float) -> TextMasks:
    """Set the text in lines, as large as the box allows."""
    fitted = fit_text(text, _room(slot, box, scale), lambda part: ems(part, slot.weight) * slot.squeeze)
    letters = _draw_lines(fitted, slot, stroke=0)
    outline = _draw_lines(fitted, slot, stroke=round(slot.outline * fitted.size)) if slot.outline else letters
    ink = outline.getbbox() or (0, 0, 1, 1)
    size = (max(round((ink[2] - ink[0]) * slot.squeeze), 1), ink[3] - ink[1])
    return TextMasks(letters.resize(size, RESAMPLING, ink), outline.resize(size, RESAMPLING, ink))


def _room(slot: LayoutSlot, box: tuple[int, int, int, int], scale: float) -> TextRoom:
    left, top, right, bottom = box
    smallest = max(round(slot.smallest * scale), 2)
    largest = max(round(slot.largest * scale), smallest)
    return TextRoom(right - left, bottom - top, slot.lines, largest, smallest, slot.outline)


def _draw_lines(fitted: FittedText, slot: LayoutSlot, stroke: int) -> Image.Image:
    """Draw the lines into a mask with a margin for accents and outlines."""
    size, widths = fitted.size, [line_width(line, slot.weight, fitted.size) for line in fitted.lines]
    mask = Image.new("L", (int(max(widths)) + 2 * size, int((len(widths) * LINE_HEIGHT + 1) * size)))
    draw = ImageDraw.Draw(mask)
    for number, (line, width) in enumerate(zip(fitted.lines, widths, strict=True)):
        x = size + (max(widths) - width) * ALIGN[slot.align]
        draw_line(draw, (x, (number + 1) * LINE_HEIGHT * size), line, slot.weight, size, 255, stroke)
    return mask


def _shrink_into(masks: TextMasks, box: tuple[int, int, int, int]) -> TextMasks:
    """Shrink text that came out larger than its box, for example because of stacked accents."""
    width, height = masks.size
    scale = min((box[2] - box[0]) / width, (box[3] - box[1]) / height, 1.0)
    if scale == 1.0:
        return masks
    size = (max(int(width * scale), 1), max(int(height * scale), 1))
    return TextMasks(masks.letters.resize(size, RESAMPLING), masks.outline.resize(size, RESAMPLING))


def _corner(size: tuple[int, int], box: tuple[int, int, int, int], slot: LayoutSlot) -> tuple[int, int]:
    """Return the top left corner of text of this size in its box."""
    left, top, right, bottom = box
    x = left + (right - left - size[0]) * ALIGN[slot.align]
    y = top + (bottom - top - size[1]) * ANCHOR[slot.anchor]
    return int(x), int(y)


def _paint(image: Image.Image, mask: Image.Image, corner: tuple[int, int], colour: str) -> None:
    """Paint one colour where the mask is set; text on a transparent picture is opaque."""
    *rgb, alpha = (*ImageColor.getrgb(colour), 255)[:4]
    if alpha < 255:
        mask = mask.point([value * alpha // 255 for value in range(256)])
    if image.mode == "RGB":
        image.paste(tuple(rgb), corner, mask)
        return
    stencil = Image.new("RGBA", mask.size, tuple(rgb))
    stencil.putalpha(mask)
    image.alpha_composite(stencil, corner)
