"""The noise every painter samples: tables made once, then only cropped and scaled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Field = npt.NDArray[np.float32]

SIDE = 512
_TABLE_SEED = 20240229


def _fractal(rng: np.random.Generator, slope: float, lowest: float = 1.0) -> Field:
    """Make a tileable field of mean 0.5 whose spectrum falls with ``slope``; almost all of it lies in 0 to 1."""
    fy = np.fft.fftfreq(SIDE)[:, None] * SIDE
    fx = np.fft.rfftfreq(SIDE)[None, :] * SIDE
    radius = np.hypot(fy, fx)
    weight = np.where(radius >= lowest, np.maximum(radius, 1.0) ** -slope, 0.0)
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) * weight
    field = np.fft.irfft2(spectrum, s=(SIDE, SIDE))
    table: Field = np.clip(0.5 + field / field.std() * 0.18, 0.0, 1.0).astype(np.float32)
    return table


def _grain(rng: np.random.Generator) -> Field:
    """Make triangular dither without low frequencies, so that it hides banding and shows no blotches."""
    field = rng.random((SIDE, SIDE)) - rng.random((SIDE, SIDE))
    around = sum(np.roll(field, shift, axis) for shift in (-1, 1) for axis in (0, 1)) / 4
    return (field - 0.7 * around).astype(np.float32)


class Noise:
    """Holds the tables; sampling them never changes them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(_TABLE_SEED)
        self.cloud = _fractal(rng, 1.75, 2.0)
        self.smooth = _fractal(rng, 3.2)
        self.rough = _fractal(rng, 1.25, 6.0)
        self.ridged = (1.0 - np.abs(_fractal(rng, 1.9, 3.0) - 0.5) * 2.4).clip(0, 1).astype(np.float32)
        self.grain = _grain(rng)
        self._film: Field | None = None
        self._film_strength = 0.0
        self._images = {
            name: Image.fromarray(np.tile(getattr(self, name), (2, 2)))
            for name in ("cloud", "smooth", "rough", "ridged")
        }

    def film(self, height: int, width: int, strength: float) -> Field:
        """Return dither for a whole picture, with the half that rounds to the nearest; the last one is kept."""
        if self._film is None or self._film.shape != (height, width) or self._film_strength != strength:
            tiles = np.tile(self.grain, (-(-height // SIDE), -(-width // SIDE)))[:height, :width]
            self._film, self._film_strength = tiles * np.float32(strength) + np.float32(0.5), strength
        return self._film

    def field(
        self, name: str, height: int, width: int, rng: np.random.Generator, *, tall: float = 0.5, wide: float = 0.5
    ) -> Field:
        """Stretch a random window of a table, ``tall`` and ``wide`` shares of its side, over height x width."""
        left, top = rng.uniform(0, SIDE - 1, 2)
        box = (left, top, left + max(2.0, min(1.0, wide) * SIDE), top + max(2.0, min(1.0, tall) * SIDE))
        image = self._images[name].resize((width, height), Image.Resampling.BICUBIC, box=box)
        return np.asarray(image, dtype=np.float32)

    def plane(self, name: str, depth: Field, across: Field, rng: np.random.Generator) -> Field:
        """Look a table up at (depth, across), in table pixels, wrapping: a plane seen in perspective."""
        table: Field = getattr(self, name)
        dy, dx = rng.integers(0, SIDE, 2)
        rows = ((depth.astype(np.int32) + int(dy)) & (SIDE - 1)) * SIDE
        columns = (across.astype(np.int32) + int(dx)) & (SIDE - 1)
        picked: Field = table.reshape(-1).take(rows + columns)
        return picked


def line(rng: np.random.Generator, count: int, cycles: float, octaves: int = 4, keep: float = 0.5) -> Field:
    """Draw a one-dimensional fractal of ``count`` samples, -1 to 1, with ``cycles`` bumps in its first octave."""
    total = np.zeros(count, np.float32)
    strength, weight = 1.0, 0.0
    for _ in range(octaves):
        knots = rng.uniform(-1, 1, int(cycles) + 4).astype(np.float32)
        at = np.linspace(0, cycles, count, dtype=np.float32) + float(rng.uniform(0, 1))
        index = at.astype(np.int32)
        part = at - index
        part = part * part * (3 - 2 * part)
        total += strength * (knots[index] * (1 - part) + knots[index + 1] * part)
        weight += strength
        strength *= keep
        cycles *= 2.1
    return total / np.float32(weight)


def step(low: float, high: float, value: Field) -> Field:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    t: Field = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)
