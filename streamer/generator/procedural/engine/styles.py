"""Redraws a finished picture in a style: watercolour, woodcut, storybook, blueprint, clay, pixel, noir, neon."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from streamer.generator.procedural.engine.colour import lch, rgb
from streamer.generator.procedural.engine.noise import SIDE, Field, Noise, line, step

Picture = npt.NDArray[np.uint8]
"""Height x width x 3."""

_PIXEL_ROWS, _COLOURS = 120, 40
_BAYER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) * 0.7 - 5.5).astype(np.float32)
"""What ordered dithering adds to each pixel of a square of 4 x 4, of 255."""
_WORKED_AT = {"watercolour": 660, "storybook": 660, "clay": 620, "woodcut": 760}
"""The short side, in pixels, at which a style without sharp lines works on a larger picture."""
_PLATES = (20, 55, 85, 120, 190, 220, 260, 320, 380)
"""Hues (OKLCH) of a woodcut's second colour, for hues of HSV."""
_LUMA = np.array([0.30, 0.56, 0.14], np.float32)


def in_style(name: str, picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Return the picture in a style of lexicon.yaml.

    Styles without sharp lines work on a smaller copy of a large picture: it looks the same and takes half the time.
    """
    height, width = picture.shape[:2]
    share = _WORKED_AT.get(name, height) / min(height, width)
    if share >= 0.9:
        return _STYLES[name](picture, noise, rng)
    small = Image.fromarray(picture).resize((round(width * share), round(height * share)), Image.Resampling.BOX)
    styled = Image.fromarray(_STYLES[name](np.asarray(small), noise, rng))
    return np.asarray(styled.resize((width, height), Image.Resampling.BICUBIC))


def _unit(picture: Picture) -> float:
    return float(min(picture.shape[:2])) / 720


def _grey(picture: Picture) -> Field:
    """Return the lightness of a picture, 0 to 1."""
    grey: Field = np.asarray(Image.fromarray(picture).convert("L"), np.float32) * np.float32(1 / 255)
    return grey


def _smooth(picture: Picture, radius: float) -> Image.Image:
    """Even out small detail at a third of the size and keep edges."""
    image = Image.fromarray(picture).reduce(3 if min(picture.shape[:2]) > 90 else 1)
    image = image.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(radius / 3))
    return image.resize((picture.shape[1], picture.shape[0]), Image.Resampling.BICUBIC)


def _blur(field: Field, radius: float) -> Field:
    image = Image.fromarray((field.clip(0, 1) * 255).astype(np.uint8))
    small = image.reduce(2).filter(ImageFilter.GaussianBlur(radius / 2))
    large: Field = np.asarray(small.resize(image.size, Image.Resampling.BILINEAR), np.float32) * np.float32(1 / 255)
    return large


def _edges(picture: Picture, radius: float) -> Field:
    """Return where colours change, 0 to about 1, as lines some ``radius`` pixels wide; found at half the size."""
    height, width = picture.shape[:2]
    half = Image.fromarray(picture).reduce(2 if min(height, width) > 90 else 1)
    soft = np.asarray(half.filter(ImageFilter.GaussianBlur(radius / 2)), np.int16)
    by = max(1, round(radius / 2))
    edges = np.zeros(soft.shape[:2], np.int16)
    edges[:, :-by] = np.abs(soft[:, by:] - soft[:, :-by]).max(2)
    np.maximum(edges[:-by], np.abs(soft[by:] - soft[:-by]).max(2), out=edges[:-by])
    found = Image.fromarray(np.minimum(edges, 255).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(found, np.float32) * np.float32(1 / 96)


def _ranked(grey: Field) -> Field:
    """Spread lightness evenly: how many pixels of the picture are darker, 0 to 1."""
    counts, bounds = np.histogram(grey[::4, ::4], 64, (0, 1))
    share = np.cumsum(counts) / counts.sum()
    ranked: Field = np.interp(grey, (bounds[:-1] + bounds[1:]) / 2, share).astype(np.float32)
    return ranked


def _field(noise: Noise, name: str, picture: Picture, rng: np.random.Generator, tall: float, wide: float) -> Field:
    """Stretch noise over a picture at half its size."""
    height, width = picture.shape[:2]
    small = noise.field(name, -(-height // 2), -(-width // 2), rng, tall=tall, wide=wide)
    image = Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.float32)


def _tiled(table: Field, height: int, width: int) -> Field:
    return np.tile(table, (-(-height // SIDE), -(-width // SIDE)))[:height, :width]


def _bytes(planes: npt.NDArray[np.floating]) -> Picture:
    return planes.clip(0, 255).astype(np.uint8)


def _margin(picture: Picture, rng: np.random.Generator, wide: float, rough: float) -> Field:
    """Return 1 in the middle of a sheet and 0 along its edge, with an edge as a brush leaves it."""
    height, width = picture.shape[:2]
    unit = _unit(picture)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    near_x = (
        np.minimum(x, width - 1 - x)[None, :] + (rough * unit * line(rng, height, height / (46 * unit), 3))[:, None]
    )
    near_y = np.minimum(y, height - 1 - y)[:, None] + (rough * unit * line(rng, width, width / (46 * unit), 3))[None, :]
    inside: Field = np.clip((np.minimum(near_x, near_y) - wide * unit) / (2.5 * unit), 0, 1).astype(np.float32)
    return inside


def _watercolour(picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Let washes run on white paper: trembling edges, pigment that gathers at them, grain, an unpainted margin."""
    height, width = picture.shape[:2]
    unit = _unit(picture)
    wash = _lifted(np.asarray(_smooth(picture, 1.8 * unit), np.float32), 0.5)
    shake = (_field(noise, "rough", picture, rng, 0.5, 0.9) - np.float32(0.5)) * np.float32(13 * unit)
    rows = np.clip(np.arange(height)[:, None] + shake, 0, height - 1).astype(np.int32)
    columns = np.clip(np.arange(width)[None, :] + shake[::-1], 0, width - 1).astype(np.int32)
    wet = wash.reshape(-1, 3).take(rows * width + columns, 0)
    pool = np.clip(_edges(wet.astype(np.uint8), 2.4 * unit) - 0.06, 0, 1)
    bloom = _field(noise, "cloud", picture, rng, 0.3, 0.45)
    grain = _tiled(noise.rough, height, width)
    dark = 1 - _grey(wet.astype(np.uint8))
    thin = np.clip(0.1 + 0.65 * (bloom - 0.42) + 0.2 * (grain - 0.5) + 0.12 * dark, 0.04, 0.5)
    paper = np.array([251, 247, 238], np.float32)
    wet += (wet - (wet @ _LUMA)[..., None]) * np.float32(0.3)
    wet *= (1 - 0.5 * pool)[..., None]
    wet += (paper - wet) * thin[..., None]
    wet *= (0.95 + 0.1 * grain)[..., None]
    sheet = _margin(picture, rng, 26, 15)
    return _bytes(paper * (0.965 + 0.06 * grain)[..., None] * (1 - sheet)[..., None] + wet * sheet[..., None])


def _woodcut(picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Cut the picture into wood: bold lines that swell with the shade, and one flat colour under them."""
    height, width = picture.shape[:2]
    unit = _unit(picture)
    grey = _blur(_grey(picture), 2.0 * unit)
    light = np.float32(0.45) * grey + np.float32(0.55) * _ranked(grey)
    bend = (_field(noise, "smooth", picture, rng, 0.5, 0.5) - np.float32(0.5)) * 90
    y = np.arange(height, dtype=np.float32)[:, None] / unit
    phase = (y + bend + 30 * light) * np.float32(2 * np.pi / 10.5)
    wave = 0.5 + 0.5 * np.sin(phase)
    ink = np.clip((wave - (light * 1.3 + 0.02)) * 3.4 * unit + 0.5, 0, 1)
    ink = np.maximum(ink, np.clip((_edges(picture, 2.4 * unit) - 0.15) * 9, 0, 1))
    ink *= 1 - 0.5 * np.clip(_tiled(noise.grain, height, width) * 2 - 0.7, 0, 1)
    hsv = np.asarray(Image.fromarray(picture).reduce(8).convert("HSV"))
    hue = np.interp(float(np.median(hsv[..., 0])), (0, 28, 50, 85, 128, 152, 180, 213, 256), _PLATES)
    paper, plate = rgb(lch(0.94, 0.03, 85)), rgb(lch(0.69, 0.13, float(hue)))
    press = rgb(lch(0.2, 0.02, 280))
    tint = np.clip((0.66 - light) * 9, 0, 1) * np.float32(0.9)
    colour = paper + (plate - paper) * tint[..., None]
    colour += (press - colour) * ink[..., None]
    sheet = _margin(picture, rng, 20, 3)[..., None]
    return _bytes((paper * (1 - sheet) + colour * sheet) * 255)


def _storybook(picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Paint in gouache: warm flat colours with the marks of the brush, in the double frame of a picture book."""
    height, width = picture.shape[:2]
    unit = _unit(picture)
    soft = _smooth(picture, 1.6 * unit)
    flat = np.asarray(soft.quantize(48, method=Image.Quantize.FASTOCTREE).convert("RGB"), np.float32)
    paint = _lifted(np.float32(0.6) * flat + np.float32(0.4) * np.asarray(soft, np.float32), 0.52)
    paint += (paint - (paint @ _LUMA)[..., None]) * np.float32(0.3)
    strokes = _field(noise, "rough", picture, rng, 0.9, 0.14)
    paint *= (0.9 + 0.2 * strokes)[..., None]
    warm = np.array([255, 226, 178], np.float32)
    paint = paint * np.array([1.05, 1.0, 0.9], np.float32) + (warm - paint) * np.float32(0.13)
    paint += (np.clip(_edges(picture, 1.6 * unit), 0, 1) * -46)[..., None]
    ivory = np.array([250, 240, 219], np.float32)
    mask, frame = _picture_frame(width, height, unit)
    grain = (0.97 + 0.06 * _tiled(noise.rough, height, width))[..., None]
    page = ivory * grain * (1 - mask)[..., None] + paint * mask[..., None]
    ink = np.array([120, 78, 52], np.float32)
    return _bytes(page + (ink - page) * frame[..., None])


def _lifted(picture: Field, mean: float) -> Field:
    """Brighten a picture by a curve until its mean lightness is at least this."""
    now = float((picture[::8, ::8] @ _LUMA).mean()) / 255
    power = float(np.clip(np.log(mean) / np.log(max(0.05, now)), 0.45, 1.0))
    table = (np.linspace(0, 1, 256) ** power * 255).astype(np.float32)
    return table[picture.clip(0, 255).astype(np.uint8)]


def _picture_frame(width: int, height: int, unit: float) -> tuple[Field, Field]:
    """Return the mask of a picture with round corners, and the mask of the double line around it."""
    inner = Image.new("L", (width, height))
    lines = Image.new("L", (width, height))
    pad, radius = 40 * unit, 34 * unit
    ImageDraw.Draw(inner).rounded_rectangle((pad, pad, width - 1 - pad, height - 1 - pad), radius, fill=255)
    pen = ImageDraw.Draw(lines)
    for inset, wide in ((27.0, 3.4), (19.0, 1.6)):
        edge = inset * unit
        box = (edge, edge, width - 1 - edge, height - 1 - edge)
        pen.rounded_rectangle(box, radius + (pad - edge), outline=225, width=max(1, round(wide * unit)))
    for x in (pad * 0.62, width - 1 - pad * 0.62):
        for y in (pad * 0.62, height - 1 - pad * 0.62):
            size = 7 * unit
            pen.polygon([(x, y - size), (x + size, y), (x, y + size), (x - size, y)], fill=235)
    soft = ImageFilter.GaussianBlur(0.8 * max(0.5, unit))
    return (
        np.asarray(inner.filter(soft), np.float32) * np.float32(1 / 255),
        np.asarray(lines.filter(ImageFilter.GaussianBlur(0.4)), np.float32) * np.float32(1 / 255),
    )


def _blueprint(picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Draw white outlines on blue paper, over a grid, in a frame with a title block."""
    height, width = picture.shape[:2]
    unit = _unit(picture)
    fine = np.clip((_edges(picture, 1.1 * unit) - 0.05) * 3.2, 0, 0.8)
    bold = np.clip((_edges(picture, 2.2 * unit) - 0.14) * 3, 0, 1)
    chalk = np.maximum(fine, bold)
    rough = _tiled(noise.rough, height, width)
    chalk *= 0.78 + 0.3 * rough
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    np.maximum(chalk, _grid(x, y, 24 * unit) * np.float32(0.13) + _grid(x, y, 120 * unit) * np.float32(0.2), out=chalk)
    np.maximum(chalk, _title_block(width, height, unit), out=chalk)
    tone = _blur(_grey(picture), 3 * unit) * np.float32(0.22) + np.float32(0.82)
    tone *= 0.93 + 0.14 * rough
    paper = Image.merge("RGB", [Image.fromarray(_bytes(tone * part)) for part in (24, 74, 148)])
    paper.paste((236, 244, 255), (0, 0), Image.fromarray(_bytes(chalk * 255)))
    return np.asarray(paper)


def _grid(x: Field, y: Field, pitch: float) -> Field:
    """Rule lines one pixel wide every ``pitch`` pixels both ways."""
    grid: Field = np.maximum(
        (x % np.float32(pitch) < 1).astype(np.float32), (y % np.float32(pitch) < 1).astype(np.float32)
    )
    return grid


def _title_block(width: int, height: int, unit: float) -> Field:
    """Draw the sheet's frame, its marks, and the empty title block of an engineering drawing."""
    sheet = Image.new("L", (width, height))
    pen = ImageDraw.Draw(sheet)
    edge, thin = 18 * unit, max(1, round(1.4 * unit))
    pen.rectangle((edge, edge, width - 1 - edge, height - 1 - edge), outline=215, width=max(1, round(2.2 * unit)))
    right, low = width - 1 - edge, height - 1 - edge
    left, top = right - 190 * unit, low - 74 * unit
    pen.rectangle((left, top, right, low), outline=215, width=thin, fill=40)
    for share in (0.36, 0.68):
        pen.line((left, top + (low - top) * share, right, top + (low - top) * share), fill=215, width=thin)
    pen.line((left + 80 * unit, top, left + 80 * unit, low), fill=215, width=thin)
    for share in np.linspace(0.1, 0.9, 9):
        pen.line((width * share, edge, width * share, edge + 8 * unit), fill=190, width=thin)
        pen.line((edge, height * share, edge + 8 * unit, height * share), fill=190, width=thin)
    return np.asarray(sheet, np.float32) * np.float32(1 / 255)


def _clay(picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Model everything in plasticine: soft swelling shapes lit from the upper left, with finger marks."""
    height, width = picture.shape[:2]
    unit = _unit(picture)
    flat = np.asarray(_smooth(picture, 2.2 * unit).quantize(48, method=Image.Quantize.FASTOCTREE).convert("RGB"))
    flat = np.asarray(Image.fromarray(flat).filter(ImageFilter.GaussianBlur(1.3 * unit)), np.float32)
    seams = np.clip(_edges(picture, 2.6 * unit) * 1.6, 0, 1)
    swell = 1 - (0.62 * _blur(seams, 4.5 * unit) + 0.6 * _blur(seams, 13 * unit) + 0.35 * _blur(seams, 26 * unit))
    dents = _field(noise, "cloud", picture, rng, 0.75, 1.0) - np.float32(0.5)
    prints = np.sin(_field(noise, "smooth", picture, rng, 0.7, 0.9) * np.float32(260)) * np.float32(0.004)
    body = swell.clip(0, 1) * np.float32(30) + dents * np.float32(11) + prints * np.float32(30)
    slope = (np.roll(body, -2, 1) - body) + (np.roll(body, -2, 0) - body) * np.float32(1.25)
    shade = np.clip(1 + slope * np.float32(0.2 / max(0.4, unit)), 0.5, 1.5)
    shine = np.clip(slope - np.float32(1.1 * unit), 0, 3) * np.float32(16)
    hsv = Image.fromarray(_bytes(flat)).convert("HSV")
    hue, saturation, value = hsv.split()
    rich = Image.merge(
        "HSV", (hue, saturation.point(lambda v: min(235, v * 1.12 + 6)), value.point(lambda v: v * 0.9 + 20))
    )
    clay = np.asarray(rich.convert("RGB"), np.float32) * shade[..., None] + shine[..., None]
    clay *= (1 - 0.34 * np.clip(_blur(seams, 2.5 * unit) * 1.5, 0, 1))[..., None]
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    lamp = np.float32(1.08) - np.float32(0.2) * ((x + 0.3) ** 2 + (y + 0.4) ** 2)
    return _bytes(clay * lamp[..., None])


def _pixel(picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Redraw the picture in large squares of few colours, dithered as old consoles did."""
    height, width = picture.shape[:2]
    size = max(2, round(min(height, width) / _PIXEL_ROWS))
    small = Image.fromarray(picture).resize((-(-width // size), -(-height // size)), Image.Resampling.BOX)
    vivid: npt.NDArray[np.floating] = np.asarray(small, np.float32)
    grey = vivid @ _LUMA
    vivid = grey[..., None] + (vivid - grey[..., None]) * np.float32(1.25)
    rows, columns = vivid.shape[:2]
    vivid += np.tile(_BAYER, (-(-rows // 4), -(-columns // 4)))[:rows, :columns, None]
    few = Image.fromarray(_bytes(vivid)).quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    large = np.asarray(few.convert("RGB")).repeat(size, 0).repeat(size, 1)
    return np.ascontiguousarray(large[:height, :width])


def _noir(picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Develop black and white film: hard contrast, light through a blind, grain, dark corners."""
    height, width = picture.shape[:2]
    unit = _unit(picture)
    grey = _grey(picture)
    low, high = np.percentile(grey[::8, ::8], (3, 97))
    tone = np.clip((grey - low) / max(0.12, high - low), 0, 1)
    tone = step(0.1, 0.92, tone)
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    slats = np.sin((y * height / 2 + x * width * 0.11) * np.float32(2 * np.pi / (58 * unit)))
    side = float(rng.choice([-1, 1]))
    patch = np.exp(-(((x - side * 0.42) / 0.5) ** 2) - ((y + 0.05) / 0.8) ** 2)
    tone *= 0.74 + 0.5 * patch * (0.5 + 0.5 * np.clip(slats * 3, -1, 1))
    tone *= 1.06 - 0.42 * np.clip((x * x * 0.8 + y * y) * 0.62, 0, 1)
    grain = np.roll(_tiled(noise.grain, height, width), int(rng.integers(SIDE)), 1)
    planes = (tone * 255 + grain * np.float32(13))[..., None] * np.array([1.0, 0.99, 0.965], np.float32)
    return _bytes(planes)


def _neon(picture: Picture, noise: Noise, rng: np.random.Generator) -> Picture:
    """Switch the light off and draw every outline as a glowing tube."""
    unit = _unit(picture)
    size = (picture.shape[1], picture.shape[0])
    edges = np.clip((_edges(picture, 2.0 * unit) - 0.1) * 3.2, 0, 1)
    whole = Image.fromarray(picture)
    half = whole.reduce(2).filter(ImageFilter.GaussianBlur(2 * unit)).convert("HSV").split()[0]
    full = Image.new("L", half.size, 255)
    tubes = Image.merge("HSV", (half, full.point(lambda _: 215), full)).convert("RGB")
    lines = Image.fromarray(_bytes(edges * 255))
    near = lines.reduce(2).filter(ImageFilter.GaussianBlur(3 * unit))
    far = lines.reduce(4).filter(ImageFilter.GaussianBlur(5 * unit)).resize(near.size, Image.Resampling.BILINEAR)
    light = ImageChops.add(near.point(lambda v: v * 0.72), far.point(lambda v: v * 0.64))
    glow = ImageChops.multiply(tubes, Image.merge("RGB", (light, light, light)))
    dim = Image.merge(
        "RGB",
        [
            part.point([int(v * by) for v in range(256)])
            for part, by in zip(whole.split(), (0.36, 0.26, 0.46), strict=True)
        ],
    )
    lit = ImageChops.add(dim, glow.resize(size, Image.Resampling.BILINEAR))
    core = tubes.point(lambda v: v * 0.45 + 140).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(Image.composite(core, lit, lines))


_STYLES: Mapping[str, Callable[[Picture, Noise, np.random.Generator], Picture]] = {
    "watercolour": _watercolour,
    "woodcut": _woodcut,
    "storybook": _storybook,
    "blueprint": _blueprint,
    "clay": _clay,
    "pixel": _pixel,
    "noir": _noir,
    "neon": _neon,
}
STYLES = tuple(_STYLES)
