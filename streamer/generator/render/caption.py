"""Draws meme text into a picture, as a layout says: wrapped, as large as fits, and never over the edge."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw, ImageFont, ImageOps

from streamer.generator.render.fonts import font_for, sized, writable
from streamer.generator.render.layout import LayoutSlot, MemeLayout, load_layout
from streamer.generator.render.wrap import PITCH, FittedText, TextRoom, fit_text
from streamer.types import Caption

Pixels = npt.NDArray[np.uint8]

REFERENCE_SIZE = 100
FRAME = 1 / 360
SCALE = Image.Resampling.BILINEAR
ALIGN = {"left": 0.0, "center": 0.5, "right": 1.0}
ANCHOR = {"top": 0.0, "middle": 0.5, "bottom": 1.0}


@dataclass(frozen=True, slots=True)
class Block:
    """A text set in lines: masks of its letters and of its outline, of one size, cut to the outline's ink."""

    letters: Image.Image
    outline: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        return self.outline.size


def draw_caption(pixels: Pixels, caption: Caption, own_layouts: Path | None = None) -> Pixels:
    """Draw the caption into a copy of the picture."""
    layout = load_layout(caption.layout, own_layouts)
    texts = [(slot, text) for slot in layout.texts if (text := _text(slot, caption))]
    if not texts:
        return pixels
    image = _inset(Image.fromarray(pixels), layout)
    for plate in layout.plates:
        left, top, right, bottom = plate.box.pixels(image.width, image.height)
        _put(image, Image.new("L", (right - left, bottom - top), 255), (left, top), plate.colour)
    for slot, text in texts:
        _draw_text(image, slot, text)
    return np.asarray(image)


def _text(slot: LayoutSlot, caption: Caption) -> str:
    text = {"top": caption.top, "bottom": caption.bottom, "both": f"{caption.top} {caption.bottom}"}[slot.text]
    text = text.upper() if slot.upper else text
    return writable(text, font_for(text, slot.weight))


def _inset(image: Image.Image, layout: MemeLayout) -> Image.Image:
    left, top, right, bottom = layout.picture.pixels(image.width, image.height)
    if (right - left, bottom - top) == image.size:
        return image.copy()
    ground = Image.new(image.mode, image.size, ImageColor.getcolor(layout.ground, image.mode))
    ground.paste(ImageOps.fit(image, (right - left, bottom - top)), (left, top))
    if layout.frame:
        line = max(round(image.height * FRAME), 1)
        around = (left - 4 * line, top - 4 * line, right - 1 + 4 * line, bottom - 1 + 4 * line)
        ImageDraw.Draw(ground).rectangle(around, outline=layout.frame, width=line)
    return ground


def _draw_text(image: Image.Image, slot: LayoutSlot, text: str) -> None:
    box = slot.box.pixels(image.width, image.height)
    block = _inside(_set(slot, text, box, sqrt(image.width * image.height)), box)
    at = _place(block.size, box, slot)
    # The whole outline before any letter, so that no line's outline covers the letters of the line above.
    if slot.outline:
        _put(image, block.outline, at, slot.outline_colour)
    _put(image, block.letters, at, slot.colour)


def _set(slot: LayoutSlot, text: str, box: tuple[int, int, int, int], scale: float) -> Block:
    """Set the text in lines as large as the box allows."""
    font = font_for(text, slot.weight)
    reference = sized(font, REFERENCE_SIZE)
    fitted = fit_text(
        text, _room(slot, box, scale), lambda part: reference.getlength(part) * slot.squeeze / REFERENCE_SIZE
    )
    face = sized(font, fitted.size)
    letters = _write(fitted, slot, face, stroke=0)
    outline = _write(fitted, slot, face, stroke=round(slot.outline * fitted.size)) if slot.outline else letters
    ink = outline.getbbox() or (0, 0, 1, 1)
    size = (max(round((ink[2] - ink[0]) * slot.squeeze), 1), ink[3] - ink[1])
    return Block(letters.resize(size, SCALE, ink), outline.resize(size, SCALE, ink))


def _room(slot: LayoutSlot, box: tuple[int, int, int, int], scale: float) -> TextRoom:
    left, top, right, bottom = box
    smallest = max(round(slot.smallest * scale), 2)
    largest = max(round(slot.largest * scale), smallest)
    return TextRoom(right - left, bottom - top, slot.lines, largest, smallest, slot.outline)


def _write(fitted: FittedText, slot: LayoutSlot, face: ImageFont.FreeTypeFont, stroke: int) -> Image.Image:
    """Write the lines into a mask with room to spare for accents and outlines."""
    size, widths = fitted.size, [face.getlength(line) for line in fitted.lines]
    mask = Image.new("L", (int(max(widths)) + 2 * size, int((len(widths) * PITCH + 1) * size)))
    draw = ImageDraw.Draw(mask)
    for number, (line, width) in enumerate(zip(fitted.lines, widths, strict=True)):
        x = size + (max(widths) - width) * ALIGN[slot.align]
        draw.text((x, (number + 1) * PITCH * size), line, 255, face, anchor="ls", stroke_width=stroke)
    return mask


def _inside(block: Block, box: tuple[int, int, int, int]) -> Block:
    """Shrink a block whose ink is larger than expected, by stacked accents for one, to the size of the box."""
    width, height = block.size
    scale = min((box[2] - box[0]) / width, (box[3] - box[1]) / height, 1.0)
    if scale == 1.0:
        return block
    size = (max(int(width * scale), 1), max(int(height * scale), 1))
    return Block(block.letters.resize(size, SCALE), block.outline.resize(size, SCALE))


def _place(size: tuple[int, int], box: tuple[int, int, int, int], slot: LayoutSlot) -> tuple[int, int]:
    """Find the corner at which a block of this size stands in its box."""
    left, top, right, bottom = box
    x = left + (right - left - size[0]) * ALIGN[slot.align]
    y = top + (bottom - top - size[1]) * ANCHOR[slot.anchor]
    return int(x), int(y)


def _put(image: Image.Image, mask: Image.Image, at: tuple[int, int], colour: str) -> None:
    """Colour the picture where the mask is set; on a transparent picture the text is opaque."""
    *rgb, alpha = (*ImageColor.getrgb(colour), 255)[:4]
    if alpha < 255:
        mask = mask.point([value * alpha // 255 for value in range(256)])
    if image.mode == "RGB":
        image.paste(tuple(rgb), at, mask)
        return
    stencil = Image.new("RGBA", mask.size, tuple(rgb))
    stencil.putalpha(mask)
    image.alpha_composite(stencil, at)
