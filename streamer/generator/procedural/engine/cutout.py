"""Cuts a drawing out for a picture: heads get a body and busts a figure, then it is coloured, turned and mirrored."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from streamer.generator.procedural.plan.kinds import kind_of
from streamer.generator.procedural.subjects.library import Drawing, drawing
from streamer.generator.procedural.subjects.sprite import sprite

Cutout = npt.NDArray[np.uint8]
"""Height x width x 4: red, green, blue and straight alpha."""

_HEAD_SHARE, _BUST_SHARE = 0.62, 0.68
_FINER = 2
_PROBE = 48
Dress = tuple[tuple[int, int, int], tuple[int, int, int]]
_DRESSES: tuple[Dress, ...] = (
    ((226, 74, 66), (240, 120, 104)), ((52, 120, 210), (98, 160, 232)),
    ((60, 150, 96), (108, 186, 132)), ((128, 84, 190), (164, 128, 216)),
)  # fmt: skip
"""Colours of a shirt and of its front, for heads of people."""


def shown(key: str) -> Drawing:
    """Return a drawing that is known to exist."""
    found = drawing(key)
    if found is None:
        raise KeyError(key)
    return found


def whole(key: str, height: int) -> Cutout:
    """Draw a thing or a creature from head to foot, ``height`` pixels tall."""
    kind = kind_of(shown(key))
    if kind.is_head:
        head = sprite(key, max(4, round(height * _HEAD_SHARE)))
        return _with_body(head, height, _DRESSES[sum(key.encode()) % len(_DRESSES)] if kind.is_person else None)
    if kind.is_bust:
        return _full_length(sprite(key, max(4, round(height * _BUST_SHARE))), height)
    return sprite(key, height)


@lru_cache(maxsize=2048)
def aspect(key: str) -> float:
    """Return width divided by height of the whole drawing."""
    height, width = whole(key, _PROBE).shape[:2]
    return float(width / height)


@lru_cache(maxsize=2048)
def head_of(key: str) -> tuple[float, float, float, float]:
    """Return where the head is: its middle, its width, its top and the row of the eyes, as shares of the drawing.

    Across it is a share of the width, down a share of the height. The head is what fills the uppermost third.
    """
    picture = whole(key, _PROBE)
    alpha, height, width = picture[..., 3] > 128, *picture.shape[:2]
    kind = kind_of(shown(key))
    if kind.is_head or kind.is_bust:
        share = _HEAD_SHARE if kind.is_head else _BUST_SHARE * 0.66
        columns = np.flatnonzero(alpha[round(height * share * 0.5)])
        return _span(columns, width, 0.0, share * 0.5)
    if not kind.is_alive:
        return 0.5, 0.8, 0.0, 0.42
    # Animals of the set look to the left: their heads are in the left half, whatever their tails do.
    half = alpha[:, : width // 2] if kind.looks_left else alpha
    top = int(np.flatnonzero(half.any(1))[0])
    tip = np.flatnonzero(half[top : top + height // 8].any(0))
    columns = np.flatnonzero(alpha[top : top + height // 3].any(0))
    near = columns[np.abs(columns - tip.mean()) < width * 0.3]
    return _span(near, width, top / height + 0.02, top / height + 0.2)


def _span(columns: npt.NDArray[np.int64], width: int, top: float, eyes: float) -> tuple[float, float, float, float]:
    if columns.size == 0:
        return 0.5, 0.6, top, eyes
    left, right = int(columns[0]), int(columns[-1]) + 1
    return (left + right) / 2 / width, (right - left) / width, top, eyes


def _with_body(head: Cutout, height: int, clothes: Dress | None) -> Cutout:
    """Set a head on a small seated body, dressed or in the head's own colours."""
    width = head.shape[1]
    fur, belly = clothes if clothes is not None else _fur(head)
    size = (width * _FINER, height * _FINER)
    body = Image.new("RGBA", size, (*fur, 0))
    pen = ImageDraw.Draw(body)
    dark = tuple(int(part * 0.82) for part in fur)
    for x, y, rx, ry, ink in (
        (0.26, 0.95, 0.15, 0.05, dark), (0.74, 0.95, 0.15, 0.05, dark),
        (0.5, 0.78, 0.31, 0.2, fur), (0.5, 0.83, 0.19, 0.135, belly),
        (0.24, 0.75, 0.085, 0.12, dark), (0.76, 0.75, 0.085, 0.12, dark),
        (0.34, 0.955, 0.14, 0.045, fur), (0.66, 0.955, 0.14, 0.045, fur),
    ):  # fmt: skip
        box = ((x - rx) * size[0], (y - ry) * size[1], (x + rx) * size[0], (y + ry) * size[1])
        pen.ellipse(box, fill=(*ink, 255))
    small = body.reduce(_FINER)
    small.alpha_composite(Image.fromarray(head))
    return np.asarray(small)


def _fur(head: Cutout) -> Dress:
    """Return the colour that fills most of a head, and a lighter one for the belly."""
    sample = head[::3, ::3]
    opaque = sample[sample[..., 3] > 200][:, :3].astype(np.int32) >> 3
    if opaque.size == 0:
        return (128, 128, 128), (200, 200, 200)
    counts = np.bincount((opaque[:, 0] << 10) + (opaque[:, 1] << 5) + opaque[:, 2], minlength=1 << 15)
    common = counts.argsort()[::-1][:4]
    ordered = np.stack((common >> 10, common >> 5 & 31, common & 31), 1) * 8 + 4
    # White and near-black fill eyes, teeth and masks: a body takes the first colour that is neither.
    fitting = next((ink for ink in ordered if 60 < ink.sum() / 3 < 235), ordered[0])
    fur = (int(fitting[0]), int(fitting[1]), int(fitting[2]))
    red, green, blue = (int(part + (248 - part) * 0.55) for part in fur)
    return fur, (red, green, blue)


def _full_length(bust: Cutout, height: int) -> Cutout:
    """Let the clothes of a bust fall to the ground, narrowing, with two shoes below."""
    width = bust.shape[1]
    low = int(np.flatnonzero(bust[..., 3].max(1) > 200)[-1])
    hem = bust[max(0, low - 1)]
    shoes = max(2, round(height * 0.045))
    rows = height - low - shoes
    if rows < 2:
        return bust
    t = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    keep = 1 - 0.34 * t**1.4
    opaque = np.flatnonzero(hem[:, 3] > 128)
    left, right = (int(opaque[0]), int(opaque[-1])) if opaque.size else (0, width - 1)
    middle, half = (left + right) / 2, (right - left) / 2
    away = np.abs(np.arange(width, dtype=np.float32)[None, :] - middle)
    across = (np.arange(width, dtype=np.float32)[None, :] - middle) / keep + middle
    robe = hem[np.clip(across, left + 1, right - 1).astype(np.int32)].copy()
    robe[..., 3] = np.clip(half * keep - away + 0.5, 0, 1) * 255
    shade = (1 - 0.22 * t)[..., None]
    robe[..., :3] = (robe[..., :3] * shade).astype(np.uint8)
    figure = np.zeros((height, width, 4), np.uint8)
    figure[:low], figure[low : low + rows] = bust[:low], robe
    image = Image.new("RGBA", (width * _FINER, height * _FINER), (52, 46, 60, 0))
    pen = ImageDraw.Draw(image)
    for x in (0.38, 0.62):
        top = (height - 2.1 * shoes) * _FINER
        box = ((x - 0.13) * width * _FINER, top, (x + 0.13) * width * _FINER, height * _FINER - 1)
        pen.rounded_rectangle(box, radius=shoes * _FINER, fill=(52, 46, 60, 255))
    feet = image.reduce(_FINER)
    feet.alpha_composite(Image.fromarray(figure))
    return np.asarray(feet)


def dyed(picture: Cutout, hue: float | None, lightness: float | None) -> Cutout:
    """Turn a drawing's colours so that its main colour gets this hue (degrees of OKLCH), or black or white."""
    rgb = Image.fromarray(picture[..., :3]).convert("HSV")
    hsv = np.array(rgb)
    if lightness is not None:
        hsv[..., 1] = hsv[..., 1] // 6
        value = hsv[..., 2].astype(np.float32)
        hsv[..., 2] = (value * 0.34 if lightness < 0.5 else 255 - (255 - value) * 0.3).astype(np.uint8)
    elif hue is not None:
        strong = (picture[..., 3] > 128) & (hsv[..., 1] > 60)
        main = np.bincount(hsv[..., 0][strong] >> 3, minlength=32).argmax() * 8 + 4 if strong.any() else 0
        near = np.abs((hsv[..., 0].astype(int) - main + 128) % 256 - 128) < 40
        chosen = near & (hsv[..., 1] > 30) if strong.sum() * 6 > (picture[..., 3] > 128).sum() else hsv[..., 2] > 90
        hsv[..., 0] = np.where(chosen, _hsv_hue(hue), hsv[..., 0])
        hsv[..., 1] = np.where(chosen, np.maximum(hsv[..., 1], 150), hsv[..., 1])
    return np.dstack((np.asarray(Image.fromarray(hsv, mode="HSV").convert("RGB")), picture[..., 3]))


def _hsv_hue(hue: float) -> int:
    """Convert degrees of OKLCH to Pillow's 256 steps of HSV."""
    degrees = np.interp(
        hue % 360,
        (0, 25, 45, 85, 140, 195, 245, 285, 305, 345, 360),
        (-20, 0, 26, 48, 120, 180, 214, 252, 282, 322, 340),
    )
    return round(float(degrees) / 360 * 256) % 256


def turned(picture: Cutout, *, mirrored: bool, degrees: float) -> Cutout:
    """Mirror a cutout, then turn it; the canvas grows as needed."""
    image = Image.fromarray(picture)
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if abs(degrees) > 0.5:
        image = image.rotate(degrees, Image.Resampling.BILINEAR, expand=True)
    return np.asarray(image)
