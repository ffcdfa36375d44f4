"""Weather in front of the view: rain, snow, fog, lightning, beams of light, drifting sparks."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import line
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.scenery.land import mist


def paint(scene: Scene) -> None:
    """Paint all the weather the idea asks for."""
    idea = scene.idea
    if idea.has("fog"):
        for share, strength in ((-0.15, 0.75), (0.3, 0.6), (0.8, 0.14)):
            mist(scene, scene.horizon + (scene.height - scene.horizon) * share, 80 * scene.unit, strength)
    if idea.has("rain", "storm"):
        rain(scene)
    if idea.has("snow") or (idea.season == "winter" and not idea.has("clear")):
        snow(scene, 1.0 if idea.has("snow") else 0.5)
    if idea.has("fireflies", "magic"):
        sparks(scene, lch(0.92, 0.13, 105 if not idea.hues else idea.hues[0]))
    if idea.season in ("autumn", "spring") and idea.places != ("city",):
        leaves(scene)


def rain(scene: Scene) -> None:
    """Draw slanting streaks in two depths, the near ones longer."""
    rng, unit, canvas = scene.rng, scene.unit, scene.canvas
    slant = float(rng.uniform(0.10, 0.3)) * float(rng.choice([-1, 1]))
    stencil = canvas.stencil(0, 0, scene.width, scene.height, finer=2)
    for count, length, width, value in ((230, 34, 0.9, 200), (70, 86, 1.5, 235)):
        number = int(count * max(0.3, canvas.width * canvas.height / (1280 * 720)) ** 0.5)
        for x, y, part in rng.random((number, 3)).tolist():
            long = length * unit * (0.6 + 0.8 * part)
            at, top = x * scene.width * 1.2 - scene.width * 0.1, y * (scene.height + long) - long
            stencil.line(at, top, at + slant * long, top + long, width * unit, value)
    canvas.stamp(stencil, rgb(lighter(mix(scene.tones.haze, scene.tones.light, 0.45), 0.1)), 0.33)


def snow(scene: Scene, amount: float) -> None:
    """Let flakes fall in three depths; the nearest are large and out of focus."""
    rng, unit, canvas = scene.rng, scene.unit, scene.canvas
    white = rgb(lch(0.97, 0.01, 240))
    for count, size, soft, strength in ((420, 1.5, 1.0, 0.8), (120, 2.9, 1.6, 0.85), (26, 8.0, 7.0, 0.5)):
        x, y, part = rng.random((3, int(count * amount))).astype(np.float32)
        radius = size * unit * (0.55 + 0.6 * part)
        canvas.dots(
            x * scene.width, y * scene.height, radius.astype(np.float32), white, strength, max(1.0, soft * unit)
        )


def lightning(scene: Scene) -> None:
    """Strike one branching bolt from the clouds to the horizon."""
    rng, unit, canvas = scene.rng, scene.unit, scene.canvas
    x = scene.width * float(rng.uniform(0.2, 0.8))
    y, low = scene.horizon * 0.06, scene.horizon * 0.98
    stencil = canvas.stencil(0, 0, scene.width, scene.horizon + 2)
    path = [(x, y)]
    while y < low:
        y += float(rng.uniform(14, 40)) * unit
        x += float(rng.uniform(-26, 26)) * unit
        path.append((x, min(y, low)))
    stencil.stroke(path, 3.2 * unit)
    for start in path[2:-2:3]:
        twig, (bx, by) = [start], start
        side = float(rng.choice([-1, 1]))
        for _ in range(int(rng.integers(3, 6))):
            bx, by = bx + side * float(rng.uniform(6, 30)) * unit, by + float(rng.uniform(8, 26)) * unit
            twig.append((bx, by))
        stencil.stroke(twig, 1.3 * unit)
    ink = rgb(lch(0.95, 0.045, 285))
    canvas.stamp(stencil, ink)
    for bx, by in path[::2]:
        canvas.glow(bx, by, 42 * unit, rgb(lch(0.75, 0.11, 280)), 0.2)
    canvas.glow(path[0][0], path[0][1], 260 * unit, rgb(lch(0.7, 0.09, 275)), 0.5)


def beams(scene: Scene) -> None:
    """Fan soft beams of light out from a low sun, over everything painted so far."""
    canvas, (x, y) = scene.canvas, scene.sun
    if scene.tones.hour not in ("dusk", "dawn") and "forest" not in scene.idea.places:
        return
    angle = np.arctan2(canvas.coarse_y - y, canvas.coarse_x - x)
    table = np.clip(0.4 + line(scene.rng, 512, 19, 3, 0.6), 0, 1)
    picked = table[((angle / (2 * math.pi) + 0.5) * 511).astype(np.int32)]
    distance = np.hypot(canvas.coarse_x - x, canvas.coarse_y - y) / canvas.height
    strength = 0.1 if scene.tones.is_dark else 0.19
    fall = np.exp(-distance * 1.7) * np.clip(distance * 5, 0, 1) * (picked**1.5) * strength
    canvas.light += scene.tones.shine()[:, None, None] * fall.astype(np.float32)


def sparks(scene: Scene, ink: Ink) -> None:
    """Let fireflies or motes of magic float over the lower part of the view."""
    rng, unit, canvas = scene.rng, scene.unit, scene.canvas
    x, y, part = rng.random((3, 46)).astype(np.float32)
    x, y, radius = x * scene.width, scene.height * (0.35 + 0.62 * y), (1.0 + 2.2 * part) * unit
    for index in range(0, x.size, 2):
        canvas.glow(float(x[index]), float(y[index]), float(radius[index]) * 6, rgb(ink), 0.55)
    canvas.dots(x, y.astype(np.float32), radius.astype(np.float32), rgb(lighter(ink, 0.05)), 0.95)


def leaves(scene: Scene) -> None:
    """Let leaves or petals drift through the air."""
    rng, unit, canvas = scene.rng, scene.unit, scene.canvas
    inks = [lch(0.68, 0.15, hue) for hue in (38, 58, 78)] if scene.idea.season == "autumn" else [lch(0.86, 0.08, 355)]
    dim = -0.18 if scene.tones.is_dark else 0.0
    for index, (x, y, turn, part) in enumerate(rng.random((44, 4)).tolist()):
        size, angle = (3 + 6 * part * part) * unit, turn * 2 * math.pi
        dx, dy = math.cos(angle) * size, math.sin(angle) * size
        cx, cy = x * scene.width, y * scene.height
        leaf = canvas.stencil(cx - size, cy - size, cx + size, cy + size)
        leaf.polygon(
            [(cx - dx, cy - dy), (cx - dy * 0.45, cy + dx * 0.45), (cx + dx, cy + dy), (cx + dy * 0.45, cy - dx * 0.45)]
        )
        canvas.stamp(leaf, rgb(lighter(inks[index % len(inks)], dim)), 0.92)
