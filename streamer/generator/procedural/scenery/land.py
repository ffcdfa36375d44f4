"""Ground: mountain ranges, hills, dunes, meadows, and the mist between them."""

from __future__ import annotations

import numpy as np

from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb, toward_hue
from streamer.generator.procedural.engine.noise import Field, line, step
from streamer.generator.procedural.engine.scene import Scene


def range_of_mountains(
    scene: Scene, base: float, tall: float, depth: float, *, peaks: int = 3, snow: bool = False
) -> Field:
    """Paint one range standing on row ``base``, lit from the sun's side; return its upper edge."""
    edge = _ridge(scene, base, tall, peaks)
    canvas = scene.canvas
    mask, y0 = canvas.under(edge, base + 90 * scene.unit)
    if mask.shape[0] < 2:
        return edge
    lit, snowy = _facets(scene, edge, y0, mask.shape[0], tall)
    colour = _rock(scene, depth, lit, snowy if snow else None)
    y = np.linspace(y0, y0 + mask.shape[0], lit.shape[0], dtype=np.float32)[:, None]
    mist = np.clip((y - (base - tall)) / (tall * 1.35), 0, 1) ** 1.6
    haze = rgb(mix(scene.tones.layer_lab(depth), scene.tones.haze, 0.6))[:, None, None]
    colour += (haze - colour) * mist
    canvas.blend(np.stack([canvas.enlarge(plane, mask.shape[0]) for plane in colour]), mask, y0)
    return edge


def _rock(scene: Scene, depth: float, lit: Field, snowy: Field | None) -> Field:
    """Colour the facets: bare rock, and snow where ``snowy`` says so."""
    tones, dark = scene.tones, scene.tones.layer_lab(depth)
    top = rgb(dark)[:, None, None]
    bright = rgb(mix(lighter(dark, 0.05), tones.light, 0.22 + 0.12 * depth))[:, None, None]
    colour = top + (bright - top) * lit
    if snowy is not None:
        white = rgb(mix(tones.light, tones.haze, 0.12))[:, None, None]
        blue = rgb(mix(lighter(tones.haze, 0.06), tones.sky[0], 0.25))[:, None, None]
        colour += (blue + (white - blue) * lit - colour) * snowy
    return colour.clip(0, 1).astype(np.float32)


def _ridge(scene: Scene, base: float, tall: float, peaks: int) -> Field:
    """Give a jagged skyline: a few chosen summits, broken up by a fractal that is sharp at its crests."""
    rng, x = scene.rng, scene.canvas.x / scene.width
    profile: Field = np.full(scene.width, -1.0, np.float32)
    places = (np.arange(peaks) + rng.uniform(0.15, 0.85, peaks)) / peaks
    heights = rng.uniform(0.5, 0.85, peaks)
    heights[int(rng.integers(peaks))] = 1.0
    aspect = scene.width / max(1.0, tall)
    for place, height in zip(places, heights, strict=True):
        left, right = rng.uniform(0.75, 1.25, 2) * min(aspect, 7.0) * 0.42
        slope = np.where(x < place, left, right)
        profile = np.maximum(profile, (height - np.abs(x - place) * slope).astype(np.float32))
    rough = 1 - 2 * np.abs(line(rng, scene.width, 5 + 3 * peaks, 6, 0.52))
    crest = np.maximum(profile, 0.12) + 0.16 * rough - 0.1
    edge: Field = (base - tall * crest).astype(np.float32)
    return edge


def _facets(scene: Scene, edge: Field, y0: int, rows: int, tall: float) -> tuple[Field, Field]:
    """Tell lit from shaded slopes and where snow lies: the ridge's own slope, carried down and bent by noise."""
    canvas = scene.canvas
    smooth = max(1, int(tall / 9))
    kernel = np.ones(smooth, np.float32) / smooth
    slope = np.convolve(np.gradient(edge), kernel, "same").astype(np.float32)
    toward = 1.0 if scene.sun[0] > scene.width / 2 else -1.0
    half_rows, half_width = max(2, rows // 2), max(2, canvas.width // 2)
    bend = scene.noise.field("cloud", half_rows, half_width, scene.rng, tall=0.55, wide=0.55) - 0.5
    fine = scene.noise.field("rough", half_rows, half_width, scene.rng, tall=0.4, wide=0.5) - 0.5
    y = np.linspace(y0, y0 + rows, half_rows, dtype=np.float32)[:, None]
    columns = np.linspace(0, canvas.width - 1, half_width, dtype=np.float32)
    under = np.maximum(y - edge[columns.astype(np.int32)], 0)
    at = np.clip(columns + bend * under * 1.3 + fine * under * 0.2, 0, canvas.width - 1).astype(np.int32)
    lit = step(-0.1, 0.14, slope[at] * toward + bend * 0.35 + fine * 0.3)
    line_of_snow = tall * (0.34 + 0.5 * bend + 0.25 * fine) - (edge[at] - edge.min()) * 0.75
    snowy = step(-0.025 * tall, 0.025 * tall, line_of_snow - under * 0.8)
    return lit, snowy


def hills(scene: Scene, base: float, tall: float, top: Ink, bottom: Ink, *, cycles: float = 2.5) -> Field:
    """Paint one row of soft hills with grass-like texture; return its upper edge."""
    edge = (base - tall * (0.5 + 0.75 * line(scene.rng, scene.width, cycles, 3, 0.35))).astype(np.float32)
    scene.canvas.below(edge, top, bottom, scene.height - float(edge.min()))
    return edge


def meadow(scene: Scene) -> None:
    """Paint rolling fields toward the viewer, in rows of flowers if the prompt names any."""
    tones, rows, unit = scene.tones, 4, scene.unit
    for depth in (0.12, 0.26):
        far = rgb(mix(tones.layer_lab(depth + 0.12), tones.ground, 0.2))
        hills(scene, scene.horizon - (10 - 20 * depth) * unit, 70 * unit, far, tones.layer(depth * 0.5), cycles=3.2)
    for index in range(rows):
        depth = (index + 1) / rows
        base = scene.horizon + (scene.height - scene.horizon) * (index / rows) ** 1.15 + 16 * unit
        earth = mix(tones.haze, tones.ground, 0.45 + 0.55 * depth)
        earth = toward_hue(earth, 95 if index % 2 else 150, 0.12)
        top = rgb(mix(lighter(earth, 0.07), tones.light, 0.2))
        edge = hills(scene, base, (44 + 40 * depth) * unit, top, rgb(lighter(earth, -0.16)), cycles=1.3 + 0.5 * index)
        if _has_flowers(scene) and index in (1, 2):
            _rows_of_flowers(scene, edge, depth)
        if _has_flowers(scene) and index == rows - 1:
            flowers(scene, edge, depth)
        if index < rows - 1:
            mist(scene, base + 20 * unit, 26 * unit, 0.14)


def _has_flowers(scene: Scene) -> bool:
    return "flowers" in scene.idea.features or scene.idea.season == "spring"


def _rows_of_flowers(scene: Scene, edge: Field, depth: float) -> None:
    """Plant rows that run together at a point on the horizon, each in one colour."""
    canvas = scene.canvas
    mask, y0 = canvas.under(edge + 3 * scene.unit)
    rows = min(mask.shape[0], int((150 + 120 * depth) * scene.unit))
    if rows < 2:
        return
    y = np.arange(y0, y0 + rows, dtype=np.float32)[:, None]
    meet = (scene.width * (0.3 + 0.4 * depth), scene.horizon - 60 * scene.unit)
    slant = (canvas.x[None, :] - meet[0]) / (y - meet[1]) * 3.2
    tuft = scene.noise.field("rough", rows, canvas.width, scene.rng, tall=0.5, wide=0.9) - 0.5
    along = slant + tuft * 0.5
    beds = np.clip(1.25 - 3.0 * np.abs(along % 1.0 - 0.5) + 0.9 * tuft, 0, 1)
    dim = -0.22 if scene.tones.is_dark else 0.0
    hues = scene.idea.hues or (25.0, 88.0, 350.0, 305.0)
    inks = np.stack(
        [rgb(mix(lighter(lch(0.70, 0.19, hue), dim), scene.tones.haze, 0.35 * (1 - depth))) for hue in hues]
    )
    which = np.floor(along).astype(np.int32) % len(hues)
    canvas.blend(np.ascontiguousarray(inks[which].transpose(2, 0, 1)), (beds * mask[:rows]).astype(np.float32), y0)


def flowers(scene: Scene, edge: Field, depth: float) -> None:
    """Strew flowers over a slope in drifts, larger toward the viewer."""
    rng, canvas = scene.rng, scene.canvas
    size = (1.3 + 4.2 * depth * depth) * scene.unit
    reach = min(scene.height - max(0.0, float(edge.min())), (40 + 170 * depth) * scene.unit)
    for index in range(3):
        ink = rgb(lighter(scene.tones.accents[index % len(scene.tones.accents)], 0.02 - 0.16 * scene.tones.is_dark))
        x, fall = (rng.random((2, int(420 * (1.1 - 0.6 * depth)))) * 0.9999).astype(np.float32)
        drift = line(rng, 256, 14, 2)[(x * 255).astype(np.int32)]
        x, fall = x[drift > -0.25] * np.float32(scene.width), fall[drift > -0.25]
        y = edge[x.astype(np.int32)] + np.float32(4 * scene.unit) + fall * np.float32(reach * 0.95)
        canvas.dots(x, y, size * (0.6 + 0.7 * fall), ink, 0.9)


def dunes(scene: Scene) -> None:
    """Paint sand dunes: each a sharp crest with a lit and a shaded flank."""
    tones = scene.tones
    sand = lch({"night": 0.42, "dusk": 0.66, "dawn": 0.78, "day": 0.84}[tones.hour], 0.085, 68)
    sand = mix(sand, tones.haze, 0.3)
    for index in range(4):
        depth = (index + 1) / 4
        base = scene.horizon + (scene.height - scene.horizon) * (index / 4) ** 1.1 + 14 * scene.unit
        wave = line(scene.rng, scene.width, 2.4 - 0.4 * index + float(scene.rng.random()), 1)
        crest = 1 - 1.7 * np.abs(wave) + 0.12 * line(scene.rng, scene.width, 5, 2)
        edge = (base - (40 + 62 * depth) * scene.unit * crest).astype(np.float32)
        _dune(scene, edge, mix(tones.haze, mix(sand, tones.near, 0.12 * depth), 0.4 + 0.6 * depth), depth)


def beach(scene: Scene) -> None:
    """Run a strip of sand with a foaming edge across the foot of the view."""
    tones, unit, canvas = scene.tones, scene.unit, scene.canvas
    sand = mix(lch({"night": 0.40, "dusk": 0.68, "dawn": 0.84, "day": 0.9}[tones.hour], 0.06, 78), tones.haze, 0.25)
    slope = (canvas.x / scene.width - 0.5) * float(scene.rng.choice([-1, 1])) * 90 * unit
    edge = scene.height * 0.86 + slope + 26 * unit * line(scene.rng, scene.width, 2.5, 3, 0.4)
    for lift, ink, strength in ((26, mix(sand, tones.near, 0.25), 0.45), (12, tones.light, 0.75), (0, sand, 1.0)):
        lifted = (edge - lift * unit * (1 + 0.3 * np.sin(canvas.x / (37 * unit)))).astype(np.float32)
        canvas.below(lifted, rgb(ink), rgb(lighter(ink, -0.06)), scene.height * 0.2, strength)


def _dune(scene: Scene, edge: Field, ink: Ink, depth: float) -> None:
    """Shade one dune: the slope at the crest decides, and the line between light and shade winds downhill."""
    canvas, unit = scene.canvas, scene.unit
    mask, y0 = canvas.under(edge)
    rows = mask.shape[0]
    if rows == 0:
        return
    toward = 1.0 if scene.sun[0] > scene.width / 2 else -1.0
    slope = (np.gradient(edge) * toward).astype(np.float32)
    y = np.arange(y0, y0 + rows, dtype=np.float32)[:, None]
    under = np.maximum(y - edge, 0)
    winding = under * (0.9 * toward) + np.sin(under / (34 * unit)) * 22 * unit
    at = np.clip(canvas.x[None, :] + winding, 0, canvas.width - 1).astype(np.int32)
    lit = step(-0.12, 0.12, slope[at]) * np.clip(1 - under / (unit * (150 + 260 * depth)), 0, 1)
    ripple = np.sin((under * 0.9 + canvas.x[None, :] * 0.12) / (5.5 * unit * (0.4 + depth)))
    lit = np.clip(0.22 + 0.7 * lit + 0.035 * ripple * depth, 0, 1)
    dark = rgb(mix(lighter(ink, -0.18), scene.tones.near, 0.3))[:, None, None]
    bright = rgb(mix(lighter(ink, 0.03), scene.tones.light, 0.4))[:, None, None]
    canvas.blend((dark + (bright - dark) * lit).astype(np.float32), mask, y0)


def grid(scene: Scene) -> None:
    """Lay the glowing grid of the eighties over a dark plain."""
    canvas, top = scene.canvas, round(scene.horizon)
    rows = scene.height - top
    if rows < 4:
        return
    near = lch(0.17, 0.07, 290)
    canvas.rgb[:, top:] = canvas.gradient(rgb(lighter(near, 0.16)), rgb(near), top, rows, top, rows * 0.5)
    y = np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5)
    thick = (1.0 + y / rows * 1.8) * max(0.6, scene.unit)
    across = (canvas.x[None, :] - scene.sun[0]) / y * np.float32(rows / (150 * scene.unit))
    upright = thick - np.abs((across + 0.5) % 1.0 - 0.5) * y * np.float32(150 * scene.unit / rows)
    depth = 9.0 * rows / (y + rows * 0.03)
    gap = 9.0 * rows / (y + rows * 0.03) ** 2
    level = thick - np.abs((depth + 0.5) % 1.0 - 0.5) / gap
    lines = np.clip(np.maximum(upright, level) + 0.5, 0, 1) * np.clip(y / (rows * 0.4), 0.06, 1)
    ink = rgb(lch(0.76, 0.19, scene.idea.hues[0] if scene.idea.hues else 330.0))
    canvas.blend(ink, lines.astype(np.float32), top)
    canvas.glow(scene.sun[0], top, 180 * scene.unit, ink, 0.22)


def mist(scene: Scene, y: float, tall: float, strength: float, ink: Ink | None = None) -> None:
    """Lay a bank of mist along row ``y``."""
    canvas = scene.canvas
    shape = (canvas.coarse_height, canvas.coarse_width)
    patches = scene.noise.field("cloud", *shape, scene.rng, tall=0.3, wide=0.3)
    strength *= 0.65 if scene.tones.hour in ("dawn", "day") and not scene.idea.has("fog") else 1.0
    band = np.exp(-(((canvas.coarse_y - y) / max(tall, 1.0)) ** 2)) * np.clip(patches * 1.5, 0, 1.2)
    colour = rgb(ink if ink is not None else mix(scene.tones.haze, scene.tones.sky[-1], 0.5))
    canvas.wash(colour, np.clip(band * strength, 0, 0.96).astype(np.float32))
