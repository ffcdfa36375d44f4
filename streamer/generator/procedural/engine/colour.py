"""Colours in OKLab, where mixing two of them keeps hue and brightness believable (Ottosson 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Ink = npt.NDArray[np.float32]
"""Three numbers: OKLab while colours are being chosen, gamma-encoded RGB from 0 to 1 once they are painted."""

_TO_LMS = np.array(
    [[1.0, 0.3963377774, 0.2158037573], [1.0, -0.1055613458, -0.0638541728], [1.0, -0.0894841775, -1.2914855480]]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)

_GIVE_UP = (0.85, 0.7, 0.5, 0.3, 0.0)
_LMS_ROWS, _LINEAR_ROWS = _TO_LMS.tolist(), _TO_LINEAR.tolist()


def lch(lightness: float, chroma: float, hue: float) -> Ink:
    """Make an OKLab colour from lightness (0 to 1), chroma (0 to about 0.3) and hue in degrees."""
    angle = math.radians(hue)
    return np.array([lightness, chroma * math.cos(angle), chroma * math.sin(angle)], np.float32)


def rgb(lab: Ink) -> Ink:
    """Convert OKLab (..., 3) to gamma-encoded RGB, giving up chroma until the colour exists."""
    if lab.ndim == 1:
        return _rgb_of_one(float(lab[0]), float(lab[1]), float(lab[2]))
    exact = lab.astype(np.float64)
    linear = _linear(exact)
    for keep in _GIVE_UP:
        outside = (linear.min(-1) < -1e-3) | (linear.max(-1) > 1.001)
        if not outside.any():
            break
        linear = np.where(outside[..., None], _linear(exact * np.array([1.0, keep, keep])), linear)
    linear = linear.clip(0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    return encoded.astype(np.float32)


@lru_cache(maxsize=4096)
def _rgb_of_one(lightness: float, a: float, b: float) -> Ink:
    """Convert one colour with plain arithmetic, ten times faster than an array of one."""
    for keep in (1.0, *_GIVE_UP):
        roots = [row[0] * lightness + row[1] * a * keep + row[2] * b * keep for row in _LMS_ROWS]
        linear = [sum(weight * root**3 for weight, root in zip(row, roots, strict=True)) for row in _LINEAR_ROWS]
        if min(linear) >= -1e-3 and max(linear) <= 1.001:
            break
    clipped = [min(1.0, max(0.0, value)) for value in linear]
    encoded = [v * 12.92 if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in clipped]
    ink = np.array(encoded, np.float32)
    ink.setflags(write=False)
    return ink


def _linear(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    cubes: npt.NDArray[np.float64] = ((lab @ _TO_LMS.T) ** 3) @ _TO_LINEAR.T
    return cubes


def mix(first: Ink, second: Ink, share: float) -> Ink:
    """Go from ``first`` to ``second`` by ``share``."""
    return (first + (second - first) * share).astype(np.float32)


def lighter(lab: Ink, by: float) -> Ink:
    """Change the lightness of an OKLab colour by ``by`` (negative darkens)."""
    return np.array([min(0.99, max(0.02, float(lab[0]) + by)), lab[1], lab[2]], np.float32)


def toward_hue(lab: Ink, hue: float, share: float) -> Ink:
    """Pull a colour toward a hue, keeping its lightness and never passing through grey."""
    chroma = max(math.hypot(float(lab[1]), float(lab[2])), 0.07)
    mixed = mix(lab, lch(float(lab[0]), chroma, hue), share)
    left = math.hypot(float(mixed[1]), float(mixed[2]))
    return saturate(mixed, (1 - share * 0.8) + share * 0.8 * chroma / left) if left > 1e-3 else mixed


def saturate(lab: Ink, by: float) -> Ink:
    """Multiply the chroma of a colour."""
    return np.array([lab[0], lab[1] * by, lab[2] * by], np.float32)


def ramp(stops: Sequence[tuple[float, Ink]], count: int) -> Ink:
    """Interpolate OKLab stops (position 0 to 1) to ``count`` RGB colours, as 3 x count."""
    at = np.linspace(0, 1, count)
    places = [place for place, _ in stops]
    lab = np.stack([np.interp(at, places, [float(ink[i]) for _, ink in stops]) for i in range(3)], -1)
    return np.ascontiguousarray(rgb(lab.astype(np.float32)).T)
