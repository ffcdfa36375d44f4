"""The one thing a view is about: lighthouse, boat, castle, cabin, windmill, bridge, balloon, campfire ..."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.canvas import Stencil
from streamer.generator.procedural.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.scene import Scene


def _warm() -> Ink:
    return rgb(lch(0.90, 0.12, 80))


def lighthouse(scene: Scene) -> None:
    """Stand a striped lighthouse on a rock and let its beam sweep the sky."""
    canvas, unit, tones = scene.canvas, scene.unit, scene.tones
    side = -1 if scene.sun[0] > scene.width / 2 else 1
    x, foot = scene.width * (0.5 + side * 0.3), scene.horizon + 34 * unit
    tall = min(310 * unit, scene.horizon * 0.72)
    rock = canvas.stencil(x - 190 * unit, foot - 60 * unit, x + 190 * unit, foot + 50 * unit)
    rock.polygon(
        [
            (x - 180 * unit, foot + 30 * unit),
            (x - 120 * unit, foot - 8 * unit),
            (x - 60 * unit, foot - 22 * unit),
            (x - 34 * unit, foot - 44 * unit),
            (x + 44 * unit, foot - 46 * unit),
            (x + 74 * unit, foot - 18 * unit),
            (x + 130 * unit, foot + 2 * unit),
            (x + 185 * unit, foot + 30 * unit),
        ]
    )
    canvas.stamp(rock, tones.layer(0.92))
    foot -= 40 * unit
    tower = canvas.stencil(x - 40 * unit, foot - tall, x + 40 * unit, foot + 4)
    wide, thin = 30 * unit, 17 * unit
    tower.polygon([(x - wide, foot), (x - thin, foot - tall * 0.8), (x + thin, foot - tall * 0.8), (x + wide, foot)])
    white = (
        mix(lch(0.9, 0.02, 80), tones.haze, 0.3) if not tones.is_dark else mix(lch(0.75, 0.03, 260), tones.haze, 0.45)
    )
    canvas.stamp(tower, rgb(white))
    _stripes(scene, x, foot, tall, wide, thin)
    _lantern(scene, x, foot - tall * 0.8, side)
    shade = canvas.stencil(x - wide, foot - tall * 0.8, x + wide, foot)
    dark = -1 if scene.sun[0] > x else 1
    shade.polygon(
        [
            (x + dark * wide * 0.25, foot),
            (x + dark * thin * 0.25, foot - tall * 0.8),
            (x + dark * thin, foot - tall * 0.8),
            (x + dark * wide, foot),
        ]
    )
    canvas.stamp(shade, rgb(tones.near), 0.35)


def _stripes(scene: Scene, x: float, foot: float, tall: float, wide: float, thin: float) -> None:
    stripes = scene.canvas.stencil(x - wide, foot - tall, x + wide, foot)
    for low, high in ((0.12, 0.27), (0.42, 0.57), (0.7, 0.8)):
        a, b = (wide + (thin - wide) * part / 0.8 for part in (low, high))
        stripes.polygon(
            [
                (x - a, foot - tall * low),
                (x - b, foot - tall * high),
                (x + b, foot - tall * high),
                (x + a, foot - tall * low),
            ]
        )
    red = mix(lch(0.52, 0.18, 28), scene.tones.haze, 0.25 if not scene.tones.is_dark else 0.4)
    scene.canvas.stamp(stripes, rgb(red))


def _lantern(scene: Scene, x: float, y: float, side: int) -> None:
    canvas, unit = scene.canvas, scene.unit
    head = canvas.stencil(x - 30 * unit, y - 60 * unit, x + 30 * unit, y + 8 * unit)
    head.rectangle(x - 21 * unit, y - 5 * unit, x + 21 * unit, y + 2 * unit)
    head.rectangle(x - 12 * unit, y - 32 * unit, x + 12 * unit, y - 4 * unit)
    head.polygon([(x - 17 * unit, y - 30 * unit), (x, y - 50 * unit), (x + 17 * unit, y - 30 * unit)])
    canvas.stamp(head, scene.tones.layer(1.0))
    lamp = canvas.stencil(x - 10 * unit, y - 30 * unit, x + 10 * unit, y - 4 * unit)
    lamp.rectangle(x - 9 * unit, y - 28 * unit, x + 9 * unit, y - 6 * unit)
    canvas.stamp(lamp, _warm())
    lamp_y = y - 17 * unit
    if scene.tones.hour == "day":
        return
    canvas.glow(x, lamp_y, 46 * unit, _warm(), 0.9)
    for toward, reach in ((-side, 1.0), (side, 0.35)):
        away = canvas.coarse_x - x
        along = away * toward
        spread = np.abs(canvas.coarse_y - lamp_y + along * 0.06) / np.maximum(along * 0.10 + 7 * unit, 1)
        beam = np.exp(-(spread**2)) * (along > 0) * np.exp(-along / (scene.width * 0.42 * reach))
        canvas.light += _warm()[:, None, None] * (beam * 0.42).astype(np.float32)


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


def castle(scene: Scene, x: float, foot: float, tall: float, depth: float) -> None:
    """Raise a castle with pointed towers and lit windows, its foot dissolving into the hill."""
    canvas, ink = scene.canvas, scene.tones.layer_lab(depth)
    towers = (
        (-0.62, 0.52, 0.10),
        (-0.36, 0.74, 0.12),
        (0.0, 1.0, 0.15),
        (0.33, 0.66, 0.11),
        (0.6, 0.46, 0.10),
        (-0.15, 0.58, 0.2),
        (0.18, 0.5, 0.22),
    )
    body = canvas.stencil(x - tall, foot - tall * 1.4, x + tall, foot + 2)
    body.rectangle(x - tall * 0.66, foot - tall * 0.3, x + tall * 0.66, foot)
    for at, high, half in towers:
        cx = x + at * tall
        body.rectangle(cx - half * tall * 0.5, foot - high * tall, cx + half * tall * 0.5, foot)
        body.rectangle(
            cx - half * tall * 0.6, foot - high * tall, cx + half * tall * 0.6, foot - high * tall + tall * 0.04
        )
    canvas.stamp(body, rgb(lighter(ink, 0.03)))
    roofs = canvas.stencil(x - tall, foot - tall * 1.5, x + tall, foot)
    for at, high, half in towers[:5]:
        cx, top = x + at * tall, foot - high * tall
        roofs.polygon([(cx - half * tall * 0.66, top), (cx, top - half * tall * 2.1), (cx + half * tall * 0.66, top)])
        roofs.stroke([(cx, top - half * tall * 2.0), (cx, top - half * tall * 2.6)], max(0.7, tall * 0.006))
        roofs.polygon(
            [(cx, top - half * tall * 2.6), (cx + tall * 0.07, top - half * tall * 2.45), (cx, top - half * tall * 2.3)]
        )
    canvas.stamp(roofs, rgb(mix(ink, scene.tones.accents[1], 0.28)))
    lights = canvas.stencil(x - tall, foot - tall * 1.2, x + tall, foot)
    for at, high, _half in towers:
        for floor in (0.82, 0.55):
            cx, cy = x + at * tall, foot - high * tall * floor
            lights.rectangle(cx - tall * 0.012, cy - tall * 0.03, cx + tall * 0.012, cy + tall * 0.02, tall * 0.01)
            canvas.glow(cx, cy, tall * 0.06, _warm(), 0.35)
    canvas.stamp(lights, _warm(), 0.95 if scene.tones.hour != "day" else 0.2)


def cabin(scene: Scene, x: float, foot: float, size: float) -> None:
    """Put a cabin with a smoking chimney and a lit window into the view."""
    canvas, tones = scene.canvas, scene.tones
    wall = mix(tones.layer_lab(0.95), lch(0.36, 0.06, 45), 0.4)
    body = canvas.stencil(x - size, foot - size * 1.3, x + size, foot + 2)
    body.rectangle(x - size * 0.6, foot - size * 0.55, x + size * 0.6, foot + 2)
    body.polygon([(x - size * 0.6, foot - size * 0.5), (x, foot - size * 1.0), (x + size * 0.6, foot - size * 0.5)])
    canvas.stamp(body, rgb(wall))
    roof = canvas.stencil(x - size, foot - size * 1.4, x + size, foot)
    roof.rectangle(x + size * 0.26, foot - size * 1.16, x + size * 0.42, foot - size * 0.7)
    roof.polygon(
        [
            (x - size * 0.8, foot - size * 0.44),
            (x, foot - size * 1.13),
            (x + size * 0.8, foot - size * 0.44),
            (x + size * 0.7, foot - size * 0.38),
            (x, foot - size * 0.97),
            (x - size * 0.7, foot - size * 0.38),
        ]
    )
    canvas.stamp(roof, rgb(mix(tones.ground, tones.light, 0.3) if scene.is_snowy else lighter(wall, -0.07)))
    lit = canvas.stencil(x - size, foot - size, x + size, foot)
    lit.rectangle(x - size * 0.42, foot - size * 0.42, x - size * 0.12, foot - size * 0.16)
    lit.rectangle(x + size * 0.16, foot - size * 0.42, x + size * 0.4, foot)
    lit.ellipse(x, foot - size * 0.68, size * 0.09, size * 0.09)
    canvas.stamp(lit, _warm())
    bars = canvas.stencil(x - size, foot - size, x + size, foot)
    bars.rectangle(x - size * 0.285, foot - size * 0.42, x - size * 0.255, foot - size * 0.16)
    bars.rectangle(x - size * 0.42, foot - size * 0.3, x - size * 0.12, foot - size * 0.275)
    canvas.stamp(bars, rgb(wall))
    canvas.glow(x - size * 0.2, foot - size * 0.25, size * 0.5, _warm(), 0.5)
    smoke(scene, x + size * 0.34, foot - size * 1.18, size)


def smoke(scene: Scene, x: float, y: float, size: float) -> None:
    """Let a thread of smoke rise and spread."""
    stencil = scene.canvas.stencil(x - size, y - size * 1.6, x + size * 1.4, y + 4, finer=1)
    if stencil.empty:
        return
    for t in np.linspace(0, 1, 22):
        radius = size * (0.05 + 0.16 * float(t))
        stencil.ellipse(
            x + size * (0.5 * float(t) ** 1.4 + 0.09 * math.sin(float(t) * 9)),
            y - size * 1.35 * float(t),
            radius,
            radius * 0.8,
            int(150 * (1 - float(t))),
        )
    stencil.soften(size * 0.04)
    scene.canvas.stamp(stencil, rgb(lighter(mix(scene.tones.haze, scene.tones.light, 0.3), 0.05)), 0.7)


def windmill(scene: Scene, x: float, foot: float, tall: float) -> None:
    """Stand a windmill on the hill."""
    canvas, ink = scene.canvas, scene.tones.layer_lab(0.9)
    body = canvas.stencil(x - tall, foot - tall * 1.5, x + tall, foot + 2)
    body.polygon(
        [
            (x - tall * 0.24, foot),
            (x - tall * 0.14, foot - tall * 0.8),
            (x + tall * 0.14, foot - tall * 0.8),
            (x + tall * 0.24, foot),
        ]
    )
    body.polygon(
        [(x - tall * 0.18, foot - tall * 0.79), (x, foot - tall * 1.02), (x + tall * 0.18, foot - tall * 0.79)]
    )
    canvas.stamp(body, rgb(mix(ink, lch(0.75, 0.05, 60), 0.25)))
    sails = canvas.stencil(x - tall, foot - tall * 1.7, x + tall, foot)
    hub_y, start = foot - tall * 0.84, float(scene.rng.uniform(0.2, 1.2))
    for arm in range(4):
        a = start + arm * math.pi / 2
        dx, dy = math.cos(a), math.sin(a)
        sails.stroke([(x, hub_y), (x + dx * tall * 0.66, hub_y + dy * tall * 0.66)], tall * 0.02)
        corners = ((0.14, 0.0), (0.66, 0.0), (0.66, 0.13), (0.14, 0.11))
        sails.polygon(
            [(x + (dx * along - dy * off) * tall, hub_y + (dy * along + dx * off) * tall) for along, off in corners],
            200,
        )
    canvas.stamp(sails, rgb(lighter(ink, -0.02)))
    window = canvas.stencil(x - tall * 0.1, foot - tall * 0.6, x + tall * 0.1, foot)
    window.rectangle(x - tall * 0.035, foot - tall * 0.5, x + tall * 0.035, foot - tall * 0.4, tall * 0.03)
    window.rectangle(x - tall * 0.05, foot - tall * 0.2, x + tall * 0.05, foot, tall * 0.04)
    canvas.stamp(window, _warm(), 0.9)


def bridge(scene: Scene) -> None:
    """Span the water with a suspension bridge."""
    canvas, unit, y = scene.canvas, scene.unit, scene.horizon - 6 * scene.unit
    tall = min(230 * unit, scene.horizon * 0.55)
    stencil = canvas.stencil(0, y - tall - 4, scene.width, y + 40 * unit)
    towers = (scene.width * 0.24, scene.width * 0.76)
    stencil.rectangle(0, y - 12 * unit, scene.width, y - 4 * unit)
    for x in towers:
        for offset in (-9, 9):
            stencil.rectangle(x + offset * unit - 4 * unit, y - tall, x + offset * unit + 4 * unit, y + 30 * unit)
        for level in (0.98, 0.66, 0.36):
            stencil.rectangle(x - 12 * unit, y - tall * level, x + 12 * unit, y - tall * level + 7 * unit)
    span = towers[1] - towers[0]
    for left, right in ((towers[0] - span, towers[0]), towers, (towers[1], towers[1] + span)):
        places = np.linspace(0, 1, 40)
        cable = [
            (left + (right - left) * float(t), y - 16 * unit - (tall - 16 * unit) * (2 * float(t) - 1) ** 2)
            for t in places
        ]
        stencil.stroke(cable, 3.0 * unit)
        for cx, cy in cable[::2]:
            stencil.stroke([(cx, cy), (cx, y - 8 * unit)], 0.9 * unit, 190)
    canvas.stamp(stencil, rgb(mix(scene.tones.layer_lab(0.8), lch(0.5, 0.15, 30), 0.3)))
    for x in towers:
        canvas.glow(x, y - tall, 9 * unit, rgb(lch(0.7, 0.2, 25)), 0.9 if scene.tones.hour != "day" else 0.2)


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
        canvas.glow(tx, foot - half * 0.4, half * 0.6, _warm(), 0.3)
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


def pyramids(scene: Scene) -> None:
    """Stand three pyramids on the sand, one flank in the sun."""
    canvas, unit = scene.canvas, scene.unit
    side = 1 if scene.sun[0] > scene.width / 2 else -1
    for at, size, depth in ((0.68, 110, 0.35), (0.3, 190, 0.5), (0.52, 140, 0.45)):
        x, foot, half = scene.width * at, scene.horizon + 22 * unit, size * unit
        stone = mix(scene.tones.haze, lch(0.62, 0.09, 65), 0.45 + depth * 0.4)
        for points, ink in (
            (
                [(x - half * 1.25, foot), (x, foot - half * 1.1), (x + half * 1.25, foot)],
                mix(stone, scene.tones.near, 0.35),
            ),
            (
                [(x + side * half * 1.25, foot), (x, foot - half * 1.1), (x - side * half * 0.25, foot)],
                mix(stone, scene.tones.light, 0.35),
            ),
        ):
            shape = canvas.stencil(x - half * 1.3, foot - half * 1.2, x + half * 1.3, foot + 1)
            shape.polygon(points)
            canvas.stamp(shape, rgb(ink))


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
