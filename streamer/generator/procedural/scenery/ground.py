"""Ground for figures to stand on where the view has none: a moon, ice, a bank, a road, rails, the tops of clouds."""

from __future__ import annotations

import numpy as np

from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import Field, line
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.scenery import sky


def moonscape(scene: Scene) -> None:
    """Paint a black sky full of stars, the earth in it, and a cratered plain in hard light."""
    canvas, unit = scene.canvas, scene.unit
    canvas.rgb[:] = canvas.gradient(
        rgb(lch(0.13, 0.03, 275)), rgb(lch(0.2, 0.05, 280)), 0, scene.height, 0, scene.height
    )
    sky.stars(scene, 2.4)
    dust = _dust(scene)
    if _is_mars(scene):
        veil = np.clip((canvas.coarse_y / scene.horizon - 0.35) * 1.2, 0, 0.9) + np.zeros_like(canvas.coarse_x)
        canvas.wash(rgb(mix(dust, lch(0.7, 0.1, 50), 0.4)), veil.astype(np.float32))
    else:
        _earth(scene, scene.width * float(scene.rng.choice([0.2, 0.8])), scene.horizon * 0.34, 92 * unit)
    for depth, rise in ((0.35, 0.3), (0.6, 0.14)):
        hump = line(scene.rng, scene.width, 3.0, 3, 0.4)
        edge = (scene.horizon + 14 * unit - rise * scene.horizon * (0.35 + 0.5 * hump) * (1 - depth * 0.5)).astype(
            np.float32
        )
        ink = lighter(dust, -0.16 * (1 - depth))
        canvas.below(edge, rgb(lighter(ink, 0.06)), rgb(ink), 90 * unit)
    _plain(scene, dust)


def _is_mars(scene: Scene) -> bool:
    return bool(scene.idea.hues and 0 <= scene.idea.hues[0] < 60) or "mars" in scene.idea.features


def _dust(scene: Scene) -> Ink:
    return lch(0.6, 0.1, 45) if _is_mars(scene) else lch(0.72, 0.012, 260)


def _earth(scene: Scene, x: float, y: float, radius: float) -> None:
    """Hang the earth in the sky: seas, land, clouds, and its night side."""
    canvas, rng = scene.canvas, scene.rng
    box = (x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2)
    disc = canvas.stencil(*box)
    disc.ellipse(x, y, radius, radius)
    if disc.empty:
        return
    mask = disc.mask()
    rows, columns = mask.shape
    field = scene.noise.field("cloud", rows, columns, rng, tall=0.22, wide=0.22)
    haze = scene.noise.field("cloud", rows, columns, rng, tall=0.12, wide=0.3)
    sea, land = rgb(lch(0.5, 0.13, 250))[:, None, None], rgb(lch(0.62, 0.13, 145))[:, None, None]
    colour = sea + (land - sea) * np.clip((field - 0.5) * 22, 0, 1)
    colour = colour + (np.float32(0.98) - colour) * np.clip((haze - 0.56) * 9, 0, 0.9)
    across = (np.arange(columns, dtype=np.float32)[None, :] + disc.x0 - x) / radius
    lit = np.clip(0.75 + (across if scene.sun[0] > x else -across) * 0.9, 0.12, 1)
    canvas.blend((colour * lit).astype(np.float32), mask, disc.y0, disc.x0)
    canvas.glow(x, y, radius * 0.9, rgb(lch(0.75, 0.1, 240)), 0.3)


def _plain(scene: Scene, dust: Ink) -> None:
    canvas, unit, rng = scene.canvas, scene.unit, scene.rng
    edge = (scene.horizon + 20 * unit + 10 * unit * line(rng, scene.width, 2.5, 3)).astype(np.float32)
    canvas.below(edge, rgb(lighter(dust, 0.05)), rgb(lighter(dust, -0.2)), scene.height - scene.horizon)
    _grit(scene, edge, 0.09)
    for index in range(17):
        part = (index + float(rng.random())) / 17
        y = scene.horizon + (scene.height - scene.horizon) * (0.12 + 0.86 * part**1.2)
        size = (14 + 92 * part) * unit * float(rng.uniform(0.35, 1.0))
        _crater(scene, float(rng.uniform(-0.02, 1.02)) * scene.width, y, size, dust)


def _grit(scene: Scene, edge: Field, strength: float) -> None:
    """Roughen the ground with grain that grows toward the viewer."""
    canvas = scene.canvas
    mask, y0 = canvas.under(edge)
    rows = mask.shape[0]
    if rows < 2:
        return
    y = (np.arange(rows, dtype=np.float32)[:, None] + 2) / rows
    across = ((canvas.x[None, :] / scene.width - 0.5) * 240 / (y + 0.35)).astype(np.float32)
    rough = (
        scene.noise.plane("rough", (150 * np.log(y * 30 + 1)).astype(np.float32) + 0 * across, across, scene.rng) - 0.5
    )
    canvas.rgb[:, y0:] *= 1 + rough * mask * np.float32(strength * 2.4)


def _crater(scene: Scene, x: float, y: float, size: float, dust: Ink) -> None:
    canvas = scene.canvas
    flat = 0.3
    toward = 1.0 if scene.sun[0] > x else -1.0
    for dx, dy, grow, ink in (
        (0.0, 0.0, 1.0, lighter(dust, 0.12)),
        (toward * 0.06, 0.07, 0.86, lighter(dust, -0.2)),
        (-toward * 0.05, 0.16, 0.68, lighter(dust, -0.09)),
    ):
        bowl = canvas.stencil(x - size * 1.1, y - size, x + size * 1.1, y + size)
        bowl.ellipse(x + dx * size, y + dy * size, size * grow, size * flat * grow)
        canvas.stamp(bowl, rgb(ink), 0.8)


def ice(scene: Scene) -> None:
    """Float icebergs on a cold sea, with a floe in front."""
    canvas, unit, rng = scene.canvas, scene.unit, scene.rng
    white = mix(lch(0.95, 0.02, 230), scene.tones.haze, 0.2 if scene.tones.hour in ("day", "dawn") else 0.45)
    for depth, x, size in ((0.4, 0.16, 130.0), (0.55, 0.84, 190.0), (0.3, 0.55, 80.0)):
        at = scene.width * (x + float(rng.uniform(-0.06, 0.06)))
        _berg(scene, at, scene.horizon + 40 * depth * unit, size * unit, mix(scene.tones.haze, white, 0.4 + depth))
    edge = scene.height * 0.76 + 22 * unit * line(rng, scene.width, 2.2, 3, 0.35)
    middle = np.abs(canvas.x / scene.width - 0.5) * 2
    edge = (edge + np.clip(middle - 0.86, 0, 1) ** 1.2 * 900 * unit).astype(np.float32)
    canvas.below(
        (edge + 24 * unit).astype(np.float32),
        rgb(mix(lch(0.62, 0.09, 225), scene.tones.near, 0.25)),
        rgb(mix(lch(0.45, 0.09, 230), scene.tones.near, 0.3)),
        90 * unit,
    )
    canvas.below(edge, rgb(white), rgb(mix(white, lch(0.75, 0.06, 235), 0.7)), scene.height * 0.26)
    _grit(scene, edge, 0.03)


def _berg(scene: Scene, x: float, foot: float, size: float, ink: Ink) -> None:
    canvas, rng = scene.canvas, scene.rng
    tops = [
        (-1.0, 0.0),
        (-0.72, 0.34),
        (-0.4, 0.52),
        (-0.2, float(rng.uniform(0.8, 1.0))),
        (0.1, 0.72),
        (0.36, 0.86),
        (0.6, 0.4),
        (0.86, 0.3),
        (1.05, 0.0),
    ]
    berg = canvas.stencil(x - size * 1.1, foot - size * 1.1, x + size * 1.1, foot + size)
    berg.polygon([(x + dx * size, foot - dy * size) for dx, dy in tops])
    canvas.stamp(berg, rgb(ink))
    side = 1 if scene.sun[0] < x else -1
    shade = canvas.stencil(x - size * 1.1, foot - size * 1.1, x + size * 1.1, foot + 2)
    shade.polygon(
        [
            (x + side * dx * size, foot - dy * size)
            for dx, dy in ((-0.2, 0.0), (-0.05, 0.4), (0.02, 0.74), (0.36, 0.86), (0.6, 0.4), (0.86, 0.3), (1.05, 0.0))
        ]
    )
    canvas.stamp(shade, rgb(mix(ink, lch(0.66, 0.08, 235), 0.55)), 0.8)


def bank(scene: Scene) -> None:
    """Bring the near shore into the picture, so that there is ground in front of the water."""
    canvas, unit = scene.canvas, scene.unit
    earth = mix(scene.tones.ground, scene.tones.near, 0.25)
    swing = line(scene.rng, scene.width, 1.8, 3, 0.4)
    edge = (scene.height * 0.82 + 26 * unit * swing).astype(np.float32)
    lip = (edge - 7 * unit).astype(np.float32)
    canvas.below(lip, rgb(mix(earth, scene.tones.near, 0.55)), rgb(mix(earth, scene.tones.near, 0.55)), 20 * unit)
    canvas.below(edge, rgb(mix(lighter(earth, 0.06), scene.tones.light, 0.16)), rgb(lighter(earth, -0.12)), 190 * unit)
    _grit(scene, edge, 0.05)


def road(scene: Scene) -> None:
    """Lay a road across the foreground, with a dashed line and worn edges."""
    canvas, unit = scene.canvas, scene.unit
    asphalt = mix(
        lch({"night": 0.26, "dusk": 0.34, "dawn": 0.5, "day": 0.5}[scene.tones.hour], 0.015, 270),
        scene.tones.haze,
        0.14,
    )
    top, low = scene.height * 0.78, scene.height * 0.965
    bend = 14 * unit * line(scene.rng, scene.width, 1.4, 2, 0.3)
    for edge, reach, ink in (
        (top - 9 * unit, 24.0, mix(scene.tones.ground, lch(0.72, 0.05, 80), 0.45)),
        (top, 200.0, lighter(asphalt, 0.03)),
        (top + 7 * unit, 8.0, mix(asphalt, lch(0.93, 0.01, 90), 0.6)),
        (top + 12 * unit, 200.0, asphalt),
    ):
        canvas.below((edge + bend).astype(np.float32), rgb(ink), rgb(lighter(ink, -0.06)), reach * unit)
    _grit(scene, (top + 12 * unit + bend).astype(np.float32), 0.03)
    dashes = canvas.stencil(0, top, scene.width, scene.height, finer=2)
    y = (top + low) / 2
    start = float(scene.rng.uniform(-120, 0)) * unit
    for x in np.arange(start, scene.width, 150 * unit):
        lift = float(bend[int(np.clip(x, 0, scene.width - 1))])
        dashes.polygon(
            [
                (x, y + lift),
                (x + 84 * unit, y + lift),
                (x + 78 * unit, y + lift + 9 * unit),
                (x - 6 * unit, y + lift + 9 * unit),
            ]
        )
    canvas.stamp(dashes, rgb(mix(asphalt, lch(0.95, 0.02, 95), 0.75)))


def rails(scene: Scene) -> None:
    """Lay a railway across the foreground on its bed of gravel."""
    canvas, unit = scene.canvas, scene.unit
    top = scene.height * 0.83
    gravel = mix(
        lch({"night": 0.3, "dusk": 0.4, "dawn": 0.58, "day": 0.6}[scene.tones.hour], 0.02, 60), scene.tones.haze, 0.15
    )
    level = np.full(scene.width, top, np.float32)
    wave = (level - 6 * unit + 4 * unit * line(scene.rng, scene.width, 40, 2)).astype(np.float32)
    canvas.below(wave, rgb(lighter(gravel, 0.05)), rgb(lighter(gravel, -0.1)), 100 * unit)
    _grit(scene, wave, 0.16)
    sleepers = canvas.stencil(0, top, scene.width, top + 70 * unit, finer=2)
    for x in np.arange(float(scene.rng.uniform(-40, 0)) * unit, scene.width, 44 * unit):
        sleepers.polygon(
            [
                (x + 6 * unit, top + 8 * unit),
                (x + 24 * unit, top + 8 * unit),
                (x + 18 * unit, top + 58 * unit),
                (x - 6 * unit, top + 58 * unit),
            ]
        )
    canvas.stamp(sleepers, rgb(mix(lch(0.36, 0.04, 50), scene.tones.near, 0.3)))
    steel = canvas.stencil(0, top, scene.width, top + 70 * unit, finer=2)
    for row in (16.0, 46.0):
        steel.rectangle(0, top + row * unit, scene.width, top + (row + 5.5) * unit)
    canvas.stamp(steel, rgb(mix(lch(0.7, 0.01, 250), scene.tones.haze, 0.25)))
    shade = canvas.stencil(0, top, scene.width, top + 80 * unit, finer=2)
    for row in (21.5, 51.5):
        shade.rectangle(0, top + row * unit, scene.width, top + (row + 4) * unit)
    canvas.stamp(shade, rgb(scene.tones.near), 0.6)


def cloudtops(scene: Scene) -> None:
    """Spread a sea of clouds below the viewer, row upon row, the nearest solid enough to stand on."""
    canvas, tones, unit = scene.canvas, scene.tones, scene.unit
    for index in range(5):
        depth = index / 4
        base = scene.horizon + (scene.height - scene.horizon) * (0.02 + 0.72 * depth**1.2)
        edge = sky.puffs(scene, base, (34 + 74 * depth) * unit, 12)
        lit = mix(tones.sky[-1], tones.light, 0.45 + 0.3 * depth)
        if tones.is_dark:
            lit = mix(lit, tones.haze, 0.6)
        shadow = mix(mix(tones.haze, tones.sky[1], 0.35), lit, 0.25 * depth)
        canvas.below(edge, rgb(lit), rgb(shadow), (80 + 130 * depth) * unit)
