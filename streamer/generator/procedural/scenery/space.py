"""Deep space and the deep sea: nebulae, stars, planets with rings, moons and asteroids; reefs in blue light."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.canvas import Stencil
from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import line, step
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.scenery import sky


def nebula(scene: Scene) -> None:
    """Fill the view with coloured gas, dark dust lanes and stars."""
    canvas, noise, rng = scene.canvas, scene.noise, scene.rng
    shape = (canvas.coarse_height, canvas.coarse_width)
    wide = min(0.6, 0.34 * canvas.width / canvas.height)
    first = noise.field("cloud", *shape, rng, tall=0.34, wide=wide)
    second = noise.field("smooth", *shape, rng, tall=0.6, wide=0.8)
    third = noise.field("ridged", *shape, rng, tall=0.3, wide=wide * 0.9)
    angle = float(rng.uniform(-0.7, 0.7))
    across = (canvas.coarse_y / canvas.height - 0.5) * math.cos(angle) + (
        canvas.coarse_x / canvas.width - 0.5
    ) * math.sin(angle)
    band = np.exp(-(((across + (second - 0.5) * 0.5) / 0.3) ** 2))
    gas = np.clip(band * (0.35 + 1.1 * (first - 0.2)) + 0.25 * (first - 0.5), 0, 1.1)
    hue = scene.idea.hues[0] if scene.idea.hues else float(rng.choice([285, 320, 200, 345, 255]))
    other = (
        scene.idea.hues[1]
        if len(scene.idea.hues) > 1
        else hue + float(rng.choice([-75, 70, 110]) if not scene.idea.hues else rng.choice([-45, 40]))
    )
    void = rgb(lch(0.19, 0.075, hue - 25 if scene.idea.hues else 0.35 * hue + 178))[:, None, None]
    outer, inner = (rgb(lch(0.48, 0.19, hue))[:, None, None], rgb(lch(0.72, 0.16, other))[:, None, None])
    core = rgb(lch(0.95, 0.06, other + 15))[:, None, None]
    depth = noise.field("smooth", *shape, rng, tall=0.7, wide=0.8)
    planes = void * (0.75 + 0.7 * depth)
    planes = planes + (outer - planes) * (step(0.0, 0.95, gas) * 0.92)
    planes += (inner - planes) * (step(0.3, 1.0, gas * (0.5 + 0.8 * second)) * 0.9)
    planes += (core - planes) * (step(0.6, 1.2, gas * (0.45 + second)) * 0.8)
    planes *= (
        1
        - 0.55 * step(0.62, 1.0, third) * step(0.15, 0.5, gas) * np.array([0.75, 0.95, 0.9], np.float32)[:, None, None]
    )
    canvas.cover(planes.astype(np.float32))
    sky.stars(scene, 2.2)


def worlds(scene: Scene) -> None:
    """Hang a great planet on one side, a small one on the other, and rocks between them."""
    rng, unit = scene.rng, scene.unit
    side = float(rng.choice([-1, 1]))
    big = float(rng.uniform(150, 235)) * unit
    x = scene.width * (0.5 + side * float(rng.uniform(0.18, 0.3)))
    y = scene.height * float(rng.uniform(0.42, 0.66))
    if rng.random() < 0.25 and not scene.idea.has("planet"):
        _limb(scene)
    else:
        sky.planet(scene, x, y, big, rings=scene.idea.has("rings") or bool(rng.random() < 0.55))
    sky.planet(
        scene, scene.width * (0.5 - side * 0.33), scene.height * float(rng.uniform(0.18, 0.4)), big * 0.25, rings=False
    )
    if rng.random() < 0.5:
        sky.planet(
            scene,
            scene.width * (0.5 - side * 0.12),
            scene.height * float(rng.uniform(0.12, 0.25)),
            big * 0.09,
            rings=False,
        )
    _asteroids(scene)


def _limb(scene: Scene) -> None:
    """Let the edge of a world fill the lower part of the view, with its thin blue air."""
    canvas = scene.canvas
    radius = scene.width * 1.25
    x, top = scene.width * float(scene.rng.uniform(0.35, 0.65)), scene.height * 0.68
    edge = (top + radius - np.sqrt(np.maximum(radius**2 - (canvas.x - x) ** 2, 0))).astype(np.float32)
    mask, y0 = canvas.under(edge)
    rows = mask.shape[0]
    if rows == 0:
        return
    land = scene.noise.field("cloud", rows, canvas.width, scene.rng, tall=0.3, wide=0.6)
    y = np.arange(y0, y0 + rows, dtype=np.float32)[:, None]
    depth = np.maximum(y - edge, 0) / (90 * scene.unit)
    air = rgb(mix(scene.tones.accents[0], lch(0.85, 0.1, 225), 0.5))[:, None, None]
    sea, soil = (
        rgb(lch(0.33, 0.1, 255))[:, None, None],
        rgb(mix(lch(0.52, 0.09, 140), scene.tones.accents[1], 0.35))[:, None, None],
    )
    colour = sea + (soil - sea) * step(0.5, 0.56, land)
    colour = (
        colour
        + (1 - colour)
        * step(0.62, 0.85, scene.noise.field("cloud", rows, canvas.width, scene.rng, tall=0.2, wide=0.7))
        * 0.7
    )
    colour = colour * (0.35 + 0.65 * np.exp(-depth * 0.5)) + (air - colour) * np.exp(-depth * 2.2) * 0.9
    canvas.blend(colour.astype(np.float32), mask, y0)
    rim = np.exp(-(((canvas.coarse_y - np.interp(canvas.coarse_x, canvas.x, edge)) / (26 * scene.unit)) ** 2)) * 0.4
    canvas.light += air * rim.astype(np.float32)


def _asteroids(scene: Scene) -> None:
    rng, unit = scene.rng, scene.unit
    for index in range(9):
        size = float(rng.uniform(4, 15)) * unit * (2.2 if index == 0 else 1)
        x, y = float(rng.random()) * scene.width, float(rng.random()) * scene.height
        corners = [
            (x + np.cos(a) * size * float(rng.uniform(0.7, 1.1)), y + np.sin(a) * size * float(rng.uniform(0.55, 0.9)))
            for a in np.linspace(0, 2 * np.pi, 9, endpoint=False)
        ]
        rock = scene.canvas.stencil(x - size * 1.2, y - size * 1.2, x + size * 1.2, y + size * 1.2)
        rock.polygon(corners)
        scene.canvas.stamp(rock, rgb(lighter(scene.tones.layer_lab(0.9), 0.06)))
        lit = scene.canvas.stencil(x - size * 1.2, y - size * 1.2, x + size * 1.2, y + size * 1.2)
        toward = 0.28 if scene.sun[0] > x else -0.28
        lit.polygon([(px * 0.6 + x * 0.4 + toward * size, py * 0.6 + y * 0.4 - size * 0.22) for px, py in corners])
        scene.canvas.stamp(lit, rgb(mix(scene.tones.haze, scene.tones.light, 0.4)), 0.55)


def underwater(scene: Scene) -> None:
    """Paint the sea from below: light from the surface, reefs in the blue, fish, weed and bubbles."""
    _depths(scene)
    for depth in (0.15, 0.4, 0.7):
        _reef(scene, depth)
        _shoal(scene, depth)
    _weed(scene)
    _bubbles(scene)


def _depths(scene: Scene) -> None:
    canvas = scene.canvas
    hue = scene.idea.hues[0] if scene.idea.hues else float(scene.rng.uniform(205, 245))
    shape = (canvas.coarse_height, canvas.coarse_width)
    drift = scene.noise.field("smooth", *shape, scene.rng, tall=0.4, wide=0.4)
    t = np.clip(canvas.coarse_y / canvas.height + (drift - 0.5) * 0.2, 0, 1) ** 0.8
    dark = 0.14 if scene.tones.is_dark else 0.0
    top, low = (
        rgb(lch(0.84 - dark, 0.11, hue - 18))[:, None, None],
        rgb(lch(0.25 - dark * 0.4, 0.10, hue + 22))[:, None, None],
    )
    planes = top + (low - top) * t
    x, y = scene.width * float(scene.rng.uniform(0.3, 0.7)), -0.12 * scene.height
    angle = np.arctan2(canvas.coarse_x - x, canvas.coarse_y - y)
    table = np.clip(0.45 + 0.9 * line(scene.rng, 512, 30, 3), 0, 1)
    ray = table[((angle / np.pi + 0.5).clip(0, 1) * 511).astype(np.int32)] * np.exp(
        -canvas.coarse_y / canvas.height * 2.0
    )
    planes += (1 - planes) * ray * 0.36
    canvas.cover(planes.astype(np.float32))


def _deep(scene: Scene, depth: float) -> Ink:
    hue = scene.idea.hues[0] if scene.idea.hues else 225.0
    return mix(lch(0.58, 0.09, hue), lch(0.19, 0.06, hue + 25), depth)


def _reef(scene: Scene, depth: float) -> None:
    rng, canvas, unit = scene.rng, scene.canvas, scene.unit
    base = scene.height * (0.72 + 0.26 * depth)
    bowl = np.abs(canvas.x / scene.width - 0.5) * 2
    edge = base - (50 + 190 * bowl**2) * unit * (0.55 + 0.5 * depth) * (0.8 + 0.5 * line(rng, scene.width, 5, 4))
    ink = _deep(scene, depth)
    canvas.below(edge.astype(np.float32), rgb(lighter(ink, 0.04)), rgb(lighter(ink, -0.05)), 240 * unit)
    for hue in (15, 340, 60, 290):
        coral = canvas.stencil(0, float(edge.min()) - 90 * unit, scene.width, scene.height, finer=2)
        for _ in range(5):
            x = float(rng.random()) * (scene.width - 1)
            _coral(
                coral, rng, x, float(edge[int(x)]) + 6 * unit, (44 + 100 * depth) * unit * float(rng.uniform(0.6, 1.2))
            )
        canvas.stamp(coral, rgb(mix(ink, lch(0.66, 0.16, hue), 0.25 + 0.4 * depth)))


def _coral(stencil: Stencil, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    if rng.random() < 0.4:
        for _ in range(6):
            stencil.ellipse(
                x + float(rng.normal(0, 0.35)) * size, y - float(rng.random()) * size * 0.4, size * 0.26, size * 0.22
            )
        return
    branches = [(x, y, -1.57, size)]
    for _ in range(4):
        following = []
        for bx, by, angle, length in branches:
            ex, ey = bx + np.cos(angle) * length * 0.42, by + np.sin(angle) * length * 0.42
            stencil.stroke([(bx, by), (ex, ey)], max(1.0, length * 0.13))
            turns = [turn * float(rng.uniform(0.6, 1.4)) for turn in (-0.45, 0.42)]
            following += [(ex, ey, angle + turn, length * 0.74) for turn in turns]
        branches = following


def _shoal(scene: Scene, depth: float) -> None:
    rng, unit = scene.rng, scene.unit
    x0, y0 = scene.width * float(rng.uniform(0.2, 0.8)), scene.height * float(rng.uniform(0.2, 0.6))
    toward = float(rng.choice([-1, 1]))
    stencil = scene.canvas.stencil(0, 0, scene.width, scene.height, finer=2)
    for _ in range(int(12 - 7 * depth)):
        size = (7 + 26 * depth) * unit * float(rng.uniform(0.7, 1.2))
        x, y = x0 + float(rng.normal(0, 120)) * unit, y0 + float(rng.normal(0, 45)) * unit
        stencil.ellipse(x, y, size, size * 0.46)
        stencil.polygon(
            [
                (x - toward * size * 0.8, y),
                (x - toward * size * 1.6, y - size * 0.5),
                (x - toward * size * 1.4, y),
                (x - toward * size * 1.6, y + size * 0.5),
            ]
        )
        stencil.polygon(
            [
                (x - size * 0.3, y - size * 0.4),
                (x + toward * size * 0.1, y - size * 0.8),
                (x + size * 0.3, y - size * 0.36),
            ]
        )
        stencil.ellipse(x + toward * size * 0.6, y - size * 0.1, size * 0.08, size * 0.08, 90)
    ink = mix(
        _deep(scene, min(1.0, depth + 0.15)),
        scene.tones.accents[int(depth * 3) % len(scene.tones.accents)],
        0.15 + 0.65 * depth,
    )
    scene.canvas.stamp(stencil, rgb(ink))


def _weed(scene: Scene) -> None:
    rng, unit = scene.rng, scene.unit
    stencil = scene.canvas.stencil(0, 0, scene.width, scene.height, finer=2)
    for _ in range(16):
        at = float(rng.random()) ** 1.5 * 0.3
        x = scene.width * (at if rng.random() < 0.5 else 1 - at)
        tall, sway = float(rng.uniform(120, 380)) * unit, float(rng.uniform(8, 22)) * unit
        phase = float(rng.uniform(0, 6))
        spine = [(x + np.sin(t * 7 + phase) * sway * t, scene.height - tall * t) for t in np.linspace(0, 1, 18)]
        half = [9 * unit * (1 - t) ** 0.6 * (1 + 0.35 * np.sin(t * 40)) for t in np.linspace(0, 1, 18)]
        left = [(px - w, py) for (px, py), w in zip(spine, half, strict=True)]
        right = [(px + w, py) for (px, py), w in zip(spine, half, strict=True)]
        stencil.polygon(left + right[::-1])
    scene.canvas.stamp(stencil, rgb(mix(_deep(scene, 1.0), lch(0.34, 0.08, 165), 0.4)))


def _bubbles(scene: Scene) -> None:
    rng, unit = scene.rng, scene.unit
    stencil = scene.canvas.stencil(0, 0, scene.width, scene.height, finer=2)
    for _ in range(36):
        x, y, size = (
            float(rng.random()) * scene.width,
            float(rng.random()) * scene.height,
            float(rng.uniform(1.5, 8)) * unit,
        )
        stencil.ellipse(x, y, size, size, 130)
        stencil.ellipse(x, y, size * 0.8, size * 0.8, 40)
        stencil.ellipse(x - size * 0.3, y - size * 0.35, size * 0.2, size * 0.2, 255)
    scene.canvas.stamp(stencil, rgb(lch(0.96, 0.03, 210)), 0.85)
