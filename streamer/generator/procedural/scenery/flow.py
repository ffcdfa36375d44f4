"""Abstract pictures for prompts without a known word: paper waves, silk, bands of colour."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, ramp, rgb
from streamer.generator.procedural.engine.noise import Field, line
from streamer.generator.procedural.engine.scene import Scene


def paint(scene: Scene) -> None:
    """Choose one of the abstract compositions by the words, so that a prompt keeps its character."""
    inks = _inks(scene)
    (_paper, _silk, _bands)[scene.idea.salt // 7 % 3](scene, inks)


def _inks(scene: Scene) -> list[Ink]:
    """Make five colours in one sweep of hue from dark to light, beginning where the words say."""
    hue = scene.idea.hues[0] if scene.idea.hues else float(scene.idea.salt % 360)
    sweep = float(scene.rng.choice([-1, 1])) * float(scene.rng.uniform(45, 120))
    if len(scene.idea.hues) > 1:
        sweep = (scene.idea.hues[1] - hue + 180) % 360 - 180
    low, high = (0.24, 0.86) if scene.idea.time in ("night", "dusk") or scene.idea.has("neon") else (0.36, 0.93)
    strength = 0.7 if scene.idea.has("pastel", "calm") else 1.0
    stops = np.linspace(0, 1, 5)
    return [
        lch(low + (high - low) * float(t), (0.09 + 0.10 * float(np.sin(np.pi * t))) * strength, hue + sweep * float(t))
        for t in stops
    ]


def _sweep(inks: list[Ink]) -> Ink:
    """Run through the colours without a kink at any of them: the eye sees a kink as a line."""
    colours = ramp(list(zip(np.linspace(0, 1, len(inks)), inks, strict=True)), 512)
    padded = np.pad(colours, ((0, 0), (64, 64)), mode="edge")
    window = np.hanning(129)
    rows = [np.convolve(row, window / window.sum(), "valid") for row in padded]
    return np.stack(rows).astype(np.float32)


def _backdrop(scene: Scene, inks: list[Ink]) -> None:
    canvas = scene.canvas
    shape = (canvas.coarse_height, canvas.coarse_width)
    drift = scene.noise.field("smooth", *shape, scene.rng, tall=0.5, wide=0.6)
    t = np.clip(
        0.55 * canvas.coarse_y / canvas.height + 0.25 * canvas.coarse_x / canvas.width + (drift - 0.5) * 0.9 + 0.1, 0, 1
    )
    colours = _sweep(inks[::-1])
    canvas.cover(np.take(colours, (t * 511).astype(np.int32), axis=1))


def _paper(scene: Scene, inks: list[Ink]) -> None:
    """Stack sheets of cut paper whose wavy edges throw soft shadows."""
    _backdrop(scene, [inks[3], inks[4], inks[4]])
    canvas, rng, count = scene.canvas, scene.rng, 8
    _disc(scene, scene.width * float(rng.uniform(0.3, 0.7)), scene.height * 0.34, 105 * scene.unit, inks[4], inks[2])
    tilt = float(rng.uniform(-0.16, 0.16))
    for index in range(count):
        t = index / (count - 1)
        swing = line(rng, scene.width, 1.4 + float(rng.uniform(0, 1.2)), 2, 0.3)
        edge = scene.height * (0.27 + 0.68 * t) + scene.height * (0.13 - 0.05 * t) * swing
        edge = (edge + tilt * (canvas.x - scene.width / 2) * (1 - t)).astype(np.float32)
        _shadow(scene, edge, 26 * scene.unit)
        place = (1 - t) * (len(inks) - 1.4)
        top = mix(inks[int(place)], inks[min(len(inks) - 1, int(place) + 1)], place % 1)
        low = mix(top, inks[max(0, int(place) - 1)], 0.75)
        canvas.below(edge, rgb(mix(top, inks[-1], 0.08)), rgb(low), scene.height * 0.35)
        rim = np.clip(
            1.0 - np.abs(np.arange(scene.height)[:, None] + 0.5 - edge - 1.2 * scene.unit) / (1.3 * scene.unit), 0, 1
        )
        first, last = max(0, int(edge.min()) - 2), min(scene.height, int(edge.max()) + 6)
        if last > first:
            canvas.blend(rgb(mix(top, inks[-1], 0.7)), rim[first:last].astype(np.float32) * 0.5, first)


def _shadow(scene: Scene, edge: Field, reach: float) -> None:
    canvas = scene.canvas
    coarse = np.interp(canvas.coarse_x[0], canvas.x, edge)[None, :]
    dark = np.clip(1 - np.abs(canvas.coarse_y - coarse + 3) / reach, 0, 1) ** 2 * 0.42
    canvas.wash(rgb(lch(0.15, 0.06, 280)), dark.astype(np.float32))


def _disc(scene: Scene, x: float, y: float, radius: float, light: Ink, dark: Ink) -> None:
    canvas = scene.canvas
    disc = canvas.stencil(x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2)
    if disc.empty:
        return
    disc.ellipse(x, y, radius, radius)
    mask = disc.mask()
    canvas.blend(
        canvas.gradient(rgb(light), rgb(dark), disc.y0, mask.shape[0], y - radius, radius * 2), mask, disc.y0, disc.x0
    )


def _silk(scene: Scene, inks: list[Ink]) -> None:
    """Fold a sheet of silk: noise bent by noise, lit along its folds."""
    canvas, rng = scene.canvas, scene.rng
    rows, columns = max(2, canvas.height // 2), max(2, canvas.width // 2)
    y, x = (np.arange(rows, dtype=np.float32)[:, None] / rows), (np.arange(columns, dtype=np.float32)[None, :] / rows)
    bend = scene.noise.field("smooth", rows, columns, rng, tall=0.45, wide=0.7) - 0.5
    swirl = scene.noise.field("smooth", rows, columns, rng, tall=0.55, wide=0.8) - 0.5
    angle = float(rng.uniform(-0.6, 0.6))
    along = y * math.cos(angle) + x * math.sin(angle) + bend * 1.15
    fold = np.sin((along * float(rng.uniform(2.0, 3.0)) + swirl * 0.9) * 2 * np.pi)
    gy, gx = np.gradient(fold)
    lit = np.clip((gx * 0.6 - gy) * rows / 55, -1, 1)
    t = np.clip(0.46 + 0.34 * fold + swirl * 0.5 + 0.12 * lit, 0, 1)
    colours = _sweep(inks)
    planes = np.take(colours, (t * 511).astype(np.int32), axis=1)
    planes = planes + (1 - planes) * (np.clip(lit - 0.25, 0, 1) ** 2 * 0.65)
    planes *= 1 - 0.35 * np.clip(-lit, 0, 1)
    canvas.cover(planes)
    _motes(scene, inks)


def _motes(scene: Scene, inks: list[Ink]) -> None:
    """Scatter a few grains of light."""
    x, y, size = scene.rng.random((3, 40)).astype(np.float32)
    radius = ((0.8 + 2.0 * size) * scene.unit).astype(np.float32)
    scene.canvas.dots(x * scene.width, y * scene.height, radius, rgb(mix(inks[-1], lch(0.99, 0.02, 90), 0.5)), 0.8)


def _bands(scene: Scene, inks: list[Ink]) -> None:
    """Sweep parallel bands of colour across the view, as on a poster of the seventies, under a low disc."""
    canvas, rng, unit = scene.canvas, scene.rng, scene.unit
    _backdrop(scene, [inks[4], inks[4], inks[3]])
    middle = scene.width * float(rng.uniform(0.25, 0.75))
    _disc(scene, middle, scene.height * 0.36, 150 * unit, inks[3], inks[1])
    swing = line(rng, scene.width, 1.2 + float(rng.random()), 1)
    fall = float(rng.choice([-1, 1])) * float(rng.uniform(0.12, 0.3))
    curve = scene.height * (0.5 + 0.19 * swing) + fall * (canvas.x - scene.width / 2) * scene.height / scene.width
    shown = [inks[3], inks[2], inks[4], inks[1], inks[3], inks[2], inks[0]]
    for index, ink in enumerate(shown):
        swell = 1 + 0.35 * np.sin(canvas.x / scene.width * 5 + index * 0.2)
        edge = (curve + index * 47 * unit * swell).astype(np.float32)
        if index in (0, len(shown) - 1):
            _shadow(scene, edge, 24 * unit)
        canvas.below(edge, rgb(lighter(ink, 0.03)), rgb(lighter(ink, -0.05)), scene.height * 0.6)
    _motes(scene, inks)
