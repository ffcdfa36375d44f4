"""Ground: mountain ranges, hills, dunes, meadows, and the mist between them."""

from __future__ import annotations

import numpy as np

from streamer.generator.procedural.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.noise import Field, line, step
from streamer.generator.procedural.scene import Scene


def range_of_mountains(scene: Scene, base: float, tall: float, depth: float, *, peaks: int = 3, snow: bool = False) -> Field:
    """Paint one range standing on row ``base``, lit from the sun's side; return its upper edge."""
    edge = _ridge(scene, base, tall, peaks)
    canvas = scene.canvas
    mask, y0 = canvas.under(edge)
    if mask.shape[0] == 0:
        return edge
    lit, snowy = _facets(scene, edge, y0, mask.shape[0], tall)
    dark = scene.tones.layer_lab(depth)
    top = rgb(dark)[:, None, None]
    haze = rgb(mix(dark, scene.tones.haze, 0.6))[:, None, None]
    bright = rgb(mix(lighter(dark, 0.05), scene.tones.light, 0.22 + 0.12 * depth))[:, None, None]
    y = (np.arange(y0, y0 + mask.shape[0], dtype=np.float32))[:, None]
    mist = np.clip((y - (base - tall)) / (tall * 1.35), 0, 1) ** 1.6
    colour = top + (bright - top) * lit * (1 - mist)
    if snow:
        white = rgb(mix(scene.tones.light, scene.tones.haze, 0.12))[:, None, None]
        blue = rgb(mix(lighter(scene.tones.haze, 0.06), scene.tones.sky[0], 0.25))[:, None, None]
        colour += (blue + (white - blue) * lit - colour) * snowy
    colour += (haze - colour) * mist
    canvas.blend(colour, mask, y0)
    return edge


def _ridge(scene: Scene, base: float, tall: float, peaks: int) -> Field:
    """Give a jagged skyline: a few chosen summits, broken up by a fractal that is sharp at its crests."""
    rng, x = scene.rng, scene.canvas.x / scene.width
    profile = np.full(scene.width, -1.0, np.float32)
    places = (np.arange(peaks) + rng.uniform(0.15, 0.85, peaks)) / peaks
    heights = rng.uniform(0.5, 0.85, peaks)
    heights[int(rng.integers(peaks))] = 1.0
    aspect = scene.width / max(1.0, tall)
    for place, height in zip(places, heights, strict=True):
        left, right = rng.uniform(0.75, 1.25, 2) * min(aspect, 7.0) * 0.42
        slope = np.where(x < place, left, right)
        profile = np.maximum(profile, (height - np.abs(x - place) * slope).astype(np.float32))
    rough = 1 - 2 * np.abs(line(rng, scene.width, 5 + 3 * peaks, 6, 0.52))
    profile = np.maximum(profile, 0.12) + 0.16 * rough - 0.1
    return (base - tall * profile).astype(np.float32)


def _facets(scene: Scene, edge: Field, y0: int, rows: int, tall: float) -> tuple[Field, Field]:
    """Tell lit from shaded slopes and where snow lies: the ridge's own slope, carried down and bent by noise."""
    canvas = scene.canvas
    smooth = max(1, int(tall / 26))
    kernel = np.ones(smooth, np.float32) / smooth
    slope = np.convolve(np.gradient(edge), kernel, "same").astype(np.float32)
    toward = 1.0 if scene.sun[0] > scene.width / 2 else -1.0
    half_rows, half_width = max(2, rows // 2), max(2, canvas.width // 2)
    bend = scene.noise.field("cloud", half_rows, half_width, scene.rng, tall=0.55, wide=0.55) - 0.5
    fine = scene.noise.field("rough", half_rows, half_width, scene.rng, tall=0.4, wide=0.5) - 0.5
    y = np.linspace(y0, y0 + rows, half_rows, dtype=np.float32)[:, None]
    columns = np.linspace(0, canvas.width - 1, half_width, dtype=np.float32)
    under = np.maximum(y - edge[columns.astype(np.int32)], 0)
    at = np.clip(columns + bend * under * 1.5 + fine * under * 0.35, 0, canvas.width - 1).astype(np.int32)
    lit = step(-0.12, 0.16, slope[at] * toward + fine * 0.5)
    line_of_snow = tall * (0.34 + 0.5 * bend + 0.25 * fine) - (edge[at] - edge.min()) * 0.75
    snowy = step(-0.025 * tall, 0.025 * tall, line_of_snow - under * 0.8)
    return canvas.enlarge(lit, rows), canvas.enlarge(snowy, rows)


def hills(scene: Scene, base: float, tall: float, top: Ink, bottom: Ink, *, cycles: float = 2.5) -> Field:
    """Paint one row of soft hills with grass-like texture; return its upper edge."""
    edge = (base - tall * (0.5 + 0.75 * line(scene.rng, scene.width, cycles, 3, 0.35))).astype(np.float32)
    mask, y0 = scene.canvas.under(edge)
    if mask.shape[0]:
        reach = scene.height - float(edge.min())
        colour = scene.canvas.gradient(top, bottom, y0, mask.shape[0], float(edge.min()), reach)
        scene.canvas.blend(colour, mask, y0)
    return edge


def meadow(scene: Scene) -> None:
    """Paint rolling fields toward the viewer, striped by furrows or flowers, lit where the sun grazes them."""
    tones, rows = scene.tones, 4
    for index in range(rows):
        depth = (index + 1) / rows
        base = scene.horizon + (scene.height - scene.horizon) * (depth - 0.75) ** 1.0 * 0.9 + 10 * scene.unit
        base = scene.horizon + (scene.height - scene.horizon) * (index / rows) ** 1.25
        earth = mix(tones.haze, tones.ground, 0.35 + 0.65 * depth)
        top = rgb(mix(lighter(earth, 0.05), tones.light, 0.16))
        edge = hills(scene, base, (26 + 40 * depth) * scene.unit, top, rgb(lighter(earth, -0.12)), cycles=1.5 + 0.6 * index)
        if "flowers" in scene.idea.features or scene.idea.season == "spring":
            flowers(scene, edge, depth)
        if index < rows - 1:
            mist(scene, base + 14 * scene.unit, 26 * scene.unit, 0.16)


def flowers(scene: Scene, edge: Field, depth: float) -> None:
    """Strew flowers over a slope in drifts, larger toward the viewer."""
    rng, canvas = scene.rng, scene.canvas
    size = (1.3 + 4.2 * depth * depth) * scene.unit
    y0 = max(0.0, float(edge.min()))
    reach = min(scene.height - y0, (40 + 170 * depth) * scene.unit)
    for index in range(3):
        ink = rgb(lighter(scene.tones.accents[index % len(scene.tones.accents)], 0.02 - 0.16 * scene.tones.is_dark))
        dots = canvas.stencil(0, y0, scene.width, y0 + reach + size, finer=2)
        count = int(420 * (1.1 - 0.6 * depth))
        xs = rng.random(count) * scene.width
        drift = line(rng, 256, 14, 2)
        for x, fall in zip(xs, rng.random(count), strict=True):
            if drift[int(x / scene.width * 255)] < -0.25:
                continue
            y = float(edge[int(x)]) + 4 * scene.unit + fall * reach * 0.95
            grown = size * (0.6 + 0.7 * fall)
            dots.ellipse(float(x), float(y), grown, grown * 0.8)
        canvas.stamp(dots, ink, 0.9)


def dunes(scene: Scene) -> None:
    """Paint sand dunes: each a crest with a lit and a shaded flank and wind ripples."""
    tones = scene.tones
    sand = lch({"night": 0.42, "dusk": 0.66, "dawn": 0.78, "day": 0.84}[tones.hour], 0.085, 68)
    sand = mix(sand, tones.haze, 0.35)
    for index in range(4):
        depth = (index + 1) / 4
        base = scene.horizon + (scene.height - scene.horizon) * (index / 4) ** 1.2 + 8 * scene.unit
        wave = line(scene.rng, scene.width, 1.6 + 0.5 * (3 - index), 2, 0.3)
        crest = np.abs(wave) * 1.3 - 0.35
        edge = (base - (40 + 55 * depth) * scene.unit * crest).astype(np.float32)
        _dune(scene, edge, mix(tones.haze, mix(sand, tones.near, 0.25 * depth), 0.4 + 0.6 * depth), depth)


def _dune(scene: Scene, edge: Field, ink: Ink, depth: float) -> None:
    canvas = scene.canvas
    mask, y0 = canvas.under(edge)
    rows = mask.shape[0]
    if rows == 0:
        return
    slope = np.gradient(edge) * (1.0 if scene.sun[0] > scene.width / 2 else -1.0)
    width = max(3, int(30 * scene.unit)) | 1
    slope = np.convolve(slope, np.ones(width) / width, "same")
    y = np.arange(y0, y0 + rows, dtype=np.float32)[:, None]
    under = np.maximum(y - edge, 0) / (scene.unit * (60 + 160 * depth))
    ripple = scene.noise.field("rough", rows, canvas.width, scene.rng, tall=0.9, wide=0.12) - 0.5
    lit = np.clip(0.5 + slope * 2.2 + 0.25 * np.exp(-under * 6) + ripple * 0.16, 0, 1)
    lit = lit * np.clip(1.1 - under * 0.5, 0.25, 1)
    dark = rgb(mix(lighter(ink, -0.2), scene.tones.near, 0.25))[:, None, None]
    bright = rgb(mix(lighter(ink, 0.02), scene.tones.light, 0.4))[:, None, None]
    canvas.blend((dark + (bright - dark) * lit).astype(np.float32), mask, y0)


def mist(scene: Scene, y: float, tall: float, strength: float, ink: Ink | None = None) -> None:
    """Lay a bank of mist along row ``y``."""
    canvas = scene.canvas
    shape = (canvas.coarse_height, canvas.coarse_width)
    patches = scene.noise.field("cloud", *shape, scene.rng, tall=0.3, wide=0.3)
    band = np.exp(-(((canvas.coarse_y - y) / max(tall, 1.0)) ** 2)) * np.clip(patches * 1.5, 0, 1.2)
    colour = rgb(ink if ink is not None else mix(scene.tones.haze, scene.tones.sky[-1], 0.5))
    canvas.wash(colour, np.clip(band * strength, 0, 0.96).astype(np.float32))
