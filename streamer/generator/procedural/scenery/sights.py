"""What moves or burns in a view: boats, balloons, birds, a campfire, cacti, a volcano."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.canvas import Stencil
from streamer.generator.procedural.engine.colour import Ink, lch, mix, rgb
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.scenery.landmarks import lamplight


def balloons(scene: Scene) -> None:
    """Let hot-air balloons drift over the view, striped in the accents."""
    rng, unit = scene.rng, scene.unit
    places = rng.permutation(6)
    for index, size in enumerate((72.0, 50.0, 38.0, 26.0, 19.0, 14.0)):
        radius = size * unit
        x = scene.width * (float(places[index]) + float(rng.uniform(0.3, 0.7))) / 6
        y = scene.horizon * float(rng.uniform(0.2, 0.36 + 0.3 * (1 - size / 72)))
        depth = 0.4 + size / 120
        _balloon(scene, x, y, radius, depth, scene.tones.accents[index % len(scene.tones.accents)])


def _balloon(scene: Scene, x: float, y: float, radius: float, depth: float, accent: Ink) -> None:
    canvas, haze = scene.canvas, scene.tones.haze
    box = (x - radius * 1.1, y - radius * 1.1, x + radius * 1.1, y + radius * 2.1)
    for part, ink in ((1.0, accent), (0.66, mix(accent, scene.tones.light, 0.7)), (0.3, accent)):
        shape = canvas.stencil(*box)
        shape.ellipse(x, y, radius * part, radius)
        shape.polygon(
            [
                (x - radius * 0.86 * part, y + radius * 0.5),
                (x - radius * 0.2 * part, y + radius * 1.3),
                (x + radius * 0.2 * part, y + radius * 1.3),
                (x + radius * 0.86 * part, y + radius * 0.5),
            ]
        )
        canvas.stamp(shape, rgb(mix(haze, ink, min(1.0, depth + 0.1))))
    basket = canvas.stencil(*box)
    basket.rectangle(x - radius * 0.17, y + radius * 1.6, x + radius * 0.17, y + radius * 1.86, radius * 0.05)
    for side in (-1, 1):
        basket.stroke(
            [(x + side * radius * 0.17, y + radius * 1.28), (x + side * radius * 0.15, y + radius * 1.65)],
            max(0.7, radius * 0.03),
        )
    canvas.stamp(basket, scene.tones.layer(depth))
    shade = canvas.stencil(*box)
    side = 1 if scene.sun[0] < x else -1
    shade.ellipse(x, y, radius, radius)
    shade.ellipse(x - side * radius * 0.4, y - radius * 0.15, radius * 1.02, radius * 1.1, 0)
    canvas.stamp(shade, rgb(scene.tones.near), 0.35)


def birds(scene: Scene) -> None:
    """Draw a loose flock of far birds."""
    rng, unit = scene.rng, scene.unit
    x0, y0 = scene.width * float(rng.uniform(0.25, 0.7)), scene.horizon * float(rng.uniform(0.3, 0.6))
    stencil = scene.canvas.stencil(0, 0, scene.width, scene.horizon)
    for _ in range(11):
        x, y = x0 + float(rng.normal(0, 95)) * unit, y0 + float(rng.normal(0, 34)) * unit
        size, lift = float(rng.uniform(5, 12)) * unit, float(rng.uniform(0.3, 0.7))
        wing = [
            (x - size, y - size * lift),
            (x - size * 0.45, y - size * lift * 0.9),
            (x, y),
            (x + size * 0.45, y - size * lift * 0.9),
            (x + size, y - size * lift),
        ]
        stencil.stroke(wing, max(0.9, size * 0.16))
    scene.canvas.stamp(stencil, scene.tones.layer(0.75), 0.9)


def campfire(scene: Scene, x: float, foot: float, size: float) -> None:
    """Light a fire between two tents."""
    canvas = scene.canvas
    for side, scale, hue in ((-1, 1.0, 35.0), (1, 0.8, 200.0)):
        tx, half = x + side * size * 2.4, size * 1.35 * scale
        tent = canvas.stencil(tx - half, foot - half * 1.2, tx + half, foot + 2)
        tent.polygon([(tx - half, foot), (tx, foot - half * 1.1), (tx + half, foot)])
        canvas.stamp(tent, rgb(mix(lch(0.55, 0.13, hue), scene.tones.near, 0.35)))
        door = canvas.stencil(tx - half, foot - half * 1.2, tx + half, foot + 2)
        door.polygon(
            [
                (tx - side * half * 0.1 - half * 0.22, foot),
                (tx, foot - half * 1.05),
                (tx - side * half * 0.1 + half * 0.22, foot),
            ]
        )
        canvas.stamp(door, rgb(lch(0.82, 0.12, 75)), 0.85)
        canvas.glow(tx, foot - half * 0.4, half * 0.6, lamplight(), 0.3)
    for wide, high, ink in (
        (0.42, 1.15, lch(0.64, 0.2, 38)),
        (0.3, 0.85, lch(0.78, 0.17, 65)),
        (0.16, 0.5, lch(0.95, 0.1, 95)),
    ):
        flame = canvas.stencil(x - size, foot - size * 1.4, x + size, foot + 2)
        flame.polygon(_flame(x, foot, size * wide, size * high))
        canvas.stamp(flame, rgb(ink))
    canvas.glow(x, foot - size * 0.4, size * 2.2, rgb(lch(0.78, 0.15, 62)), 0.85)


def _flame(x: float, foot: float, half: float, tall: float) -> list[tuple[float, float]]:
    shape = (
        (-0.7, 0.0),
        (-1.0, 0.25),
        (-0.75, 0.5),
        (-0.45, 0.42),
        (-0.3, 0.75),
        (0.1, 1.0),
        (0.15, 0.7),
        (0.5, 0.62),
        (0.55, 0.4),
        (0.95, 0.3),
        (0.7, 0.0),
    )
    return [(x + dx * half, foot - dy * tall) for dx, dy in shape]


def cacti(scene: Scene) -> None:
    """Plant a few tall cacti in front."""
    rng, unit = scene.rng, scene.unit
    stencil: Stencil = scene.canvas.stencil(0, 0, scene.width, scene.height, finer=2)
    for size in (210.0, 120.0, 70.0):
        x = scene.width * float(rng.uniform(0.06, 0.94))
        foot = scene.height - (1 - size / 230) * (scene.height - scene.horizon) * 0.75 + 4 * unit
        tall, thick = size * unit, size * unit * 0.15
        stencil.stroke([(x, foot), (x, foot - tall)], thick)
        for side, low, up in ((-1, 0.38, 0.32), (1, 0.52, 0.28)):
            reach = side * tall * 0.24
            stencil.stroke(
                [(x, foot - tall * low), (x + reach, foot - tall * low), (x + reach, foot - tall * (low + up))],
                thick * 0.72,
            )
    scene.canvas.stamp(stencil, rgb(mix(scene.tones.near, lch(0.38, 0.08, 155), 0.3)))


def volcano(scene: Scene) -> None:
    """Raise a smoking cone with lava running down from its rim."""
    canvas, unit = scene.canvas, scene.unit
    x, foot = scene.width * float(scene.rng.uniform(0.4, 0.6)), scene.horizon + 20 * unit
    tall = min(scene.horizon * 0.66, 330 * unit)
    cloud = canvas.stencil(x - tall, foot - tall * 1.9, x + tall * 1.2, foot - tall * 0.9, finer=1)
    for t in np.linspace(0, 1, 26):
        radius = tall * (0.07 + 0.24 * float(t))
        cloud.ellipse(
            x + tall * 0.4 * float(t) ** 2,
            foot - tall * (0.98 + 0.75 * float(t)),
            radius,
            radius * 0.8,
            int(235 - 120 * float(t)),
        )
    cloud.soften(5 * unit)
    canvas.stamp(cloud, rgb(mix(scene.tones.near, scene.tones.haze, 0.35)), 0.8)
    cone = canvas.stencil(x - tall * 1.6, foot - tall * 1.1, x + tall * 1.6, foot + 2)
    cone.polygon(
        [
            (x - tall * 1.5, foot),
            (x - tall * 0.62, foot - tall * 0.46),
            (x - tall * 0.17, foot - tall),
            (x + tall * 0.15, foot - tall * 0.985),
            (x + tall * 0.6, foot - tall * 0.45),
            (x + tall * 1.5, foot),
        ]
    )
    canvas.stamp(cone, scene.tones.layer(0.72))
    hot = rgb(lch(0.76, 0.19, 50))
    lava = canvas.stencil(x - tall, foot - tall * 1.1, x + tall, foot)
    lava.ellipse(x, foot - tall * 0.985, tall * 0.15, tall * 0.022)
    for bend, length, width in ((-0.16, 0.5, 0.02), (0.05, 0.72, 0.028), (0.2, 0.42, 0.018)):
        path = [
            (x + tall * (bend * t + 0.03 * math.sin(8 * t + bend * 30)), foot - tall * (0.98 - length * t))
            for t in (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
        ]
        lava.stroke(path, tall * width)
    canvas.stamp(lava, hot)
    canvas.glow(x, foot - tall * 1.05, tall * 0.42, rgb(lch(0.7, 0.2, 40)), 0.9)
    canvas.glow(x, foot - tall * 0.5, tall * 0.8, rgb(lch(0.62, 0.2, 35)), 0.25)


def boat(scene: Scene) -> None:
    """Set one sailing boat on the water, and a small one far off."""
    unit = scene.unit
    near = scene.horizon + (scene.height - scene.horizon) * float(scene.rng.uniform(0.16, 0.34))
    x = scene.width * float(scene.rng.uniform(0.3, 0.7))
    _sailing(scene, x, near, 118 * unit, 0.95)
    _sailing(scene, scene.width - x * 0.7, scene.horizon + 7 * unit, 30 * unit, 0.45)


def _sailing(scene: Scene, x: float, y: float, size: float, depth: float) -> None:
    canvas = scene.canvas
    hull = canvas.stencil(x - size, y - size * 1.5, x + size, y + size * 0.3)
    hull.polygon(
        [
            (x - size * 0.62, y - size * 0.14),
            (x + size * 0.68, y - size * 0.18),
            (x + size * 0.42, y + size * 0.1),
            (x - size * 0.45, y + size * 0.1),
        ]
    )
    hull.stroke([(x, y), (x, y - size * 1.36)], size * 0.028)
    canvas.stamp(hull, scene.tones.layer(depth))
    sails = canvas.stencil(x - size, y - size * 1.5, x + size, y)
    sails.polygon(
        [
            (x + size * 0.04, y - size * 1.32),
            (x + size * 0.3, y - size * 0.8),
            (x + size * 0.52, y - size * 0.26),
            (x + size * 0.04, y - size * 0.24),
        ]
    )
    sails.polygon(
        [
            (x - size * 0.04, y - size * 1.2),
            (x - size * 0.24, y - size * 0.7),
            (x - size * 0.46, y - size * 0.26),
            (x - size * 0.04, y - size * 0.24),
        ]
    )
    canvas.stamp(
        sails, rgb(mix(scene.tones.light, scene.tones.layer_lab(depth), 0.25 if not scene.tones.is_dark else 0.5))
    )
    _ripple(scene, x, y + size * 0.1, size, depth)


def _ripple(scene: Scene, x: float, y: float, size: float, depth: float) -> None:
    """Break the mirror under a hull: its dark reflection in slices."""
    stencil = scene.canvas.stencil(x - size, y, x + size, y + size * 0.8)
    for index in range(9):
        part = index / 9
        half = size * (0.5 - 0.36 * part) * (1 if index % 2 else 0.75)
        top = y + part * size * 0.62
        stencil.rectangle(x - half, top, x + half, top + size * 0.042 * (1.1 - part), size * 0.02)
    scene.canvas.stamp(stencil, scene.tones.layer(depth), 0.55)
