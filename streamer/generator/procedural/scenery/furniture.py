"""Furniture for interiors: shelves, lamp, sofa, desk, plant, fireplace, and the colours they share."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.scene import Scene


def paper(scene: Scene) -> Ink:
    """Choose the wall's colour."""
    if scene.idea.hues:
        return lch(0.42 if scene.tones.is_dark else 0.6, 0.085, scene.idea.hues[0])
    hue = float(scene.rng.choice([30, 285, 190, 50, 340]))
    light = {"night": 0.36, "dusk": 0.48, "dawn": 0.72, "day": 0.76}[scene.tones.hour]
    return lch(light, 0.06, hue)


def wood(scene: Scene, by: float = 0.0) -> Ink:
    return lighter(lch(0.40 if scene.tones.is_dark else 0.52, 0.075, 50), by)


def shelves(scene: Scene, x: float) -> None:
    """Hang shelves full of books and a few keepsakes, with a picture above."""
    canvas, rng, unit = scene.canvas, scene.rng, scene.unit
    half = min(165 * unit, scene.width * 0.2)
    spines = [
        lch(0.50 + 0.2 * float(rng.random()), 0.05 + 0.09 * float(rng.random()), float(rng.uniform(0, 360)))
        for _ in range(7)
    ]
    spines = [mix(ink, paper(scene), 0.25) for ink in spines]
    for row in range(3):
        y = scene.height * (0.25 + 0.155 * row)
        board = canvas.stencil(x - half - 10 * unit, y - 90 * unit, x + half + 10 * unit, y + 14 * unit)
        board.rectangle(x - half - 6 * unit, y, x + half + 6 * unit, y + 9 * unit, 2 * unit)
        canvas.stamp(board, rgb(wood(scene, 0.04)))
        _books(scene, x - half, x + half, y, spines)


def _books(scene: Scene, left: float, right: float, y: float, spines: list[Ink]) -> None:
    rng, unit = scene.rng, scene.unit
    shapes = [scene.canvas.stencil(left, y - 90 * unit, right, y + 1) for _ in spines]
    x = left + float(rng.uniform(0, 30)) * unit
    while x < right - 20 * unit:
        thick, tall = float(rng.uniform(8, 19)) * unit, float(rng.uniform(42, 74)) * unit
        if rng.random() < 0.12:
            x += float(rng.uniform(24, 60)) * unit
            continue
        shape = shapes[int(rng.integers(len(shapes)))]
        lean = float(rng.choice([0, 0, 0, 0, 12])) * unit
        shape.polygon([(x, y), (x + thick, y), (x + thick + lean, y - tall), (x + lean, y - tall)])
        for at in (0.2, 0.78):
            shape.polygon(
                [
                    (x + lean * at, y - tall * at),
                    (x + thick + lean * at, y - tall * at),
                    (x + thick + lean * at, y - tall * at - 2.5 * unit),
                    (x + lean * at, y - tall * at - 2.5 * unit),
                ],
                120,
            )
        x += thick + lean + 1.2 * unit
    for shape, ink in zip(shapes, spines, strict=True):
        scene.canvas.stamp(shape, rgb(ink))


def lamp(scene: Scene, x: float, floor: float) -> None:
    """Stand a floor lamp and let it light wall and floor."""
    canvas, unit = scene.canvas, scene.unit
    foot, top = floor + 26 * unit, scene.height * 0.34
    stand = canvas.stencil(x - 60 * unit, top, x + 60 * unit, foot + 8 * unit)
    stand.rectangle(x - 3 * unit, top + 60 * unit, x + 3 * unit, foot)
    stand.ellipse(x, foot, 34 * unit, 7 * unit)
    canvas.stamp(stand, rgb(wood(scene, -0.2)))
    shade = canvas.stencil(x - 70 * unit, top, x + 70 * unit, top + 84 * unit)
    shade.polygon(
        [
            (x - 32 * unit, top + 4 * unit),
            (x + 32 * unit, top + 4 * unit),
            (x + 58 * unit, top + 78 * unit),
            (x - 58 * unit, top + 78 * unit),
        ]
    )
    canvas.stamp(shade, rgb(lch(0.92, 0.10, 78)))
    warm = rgb(lch(0.82, 0.11, 68))
    strength = 0.62 if scene.tones.hour in ("night", "dusk") else 0.3
    canvas.glow(x, top + 60 * unit, 190 * unit, warm, strength)
    canvas.glow(x, top + 44 * unit, 60 * unit, warm, strength * 0.6)


def sofa(scene: Scene, x: float, floor: float) -> None:
    canvas, unit = scene.canvas, scene.unit
    cloth = mix(scene.tones.accents[2], paper(scene), 0.4)
    cloth = lch(0.46 if scene.tones.is_dark else 0.58, 0.09, math.degrees(math.atan2(float(cloth[2]), float(cloth[1]))))
    y, half = floor + 70 * unit, min(250 * unit, scene.width * 0.32)
    parts = (
        ((x - half * 0.92, y - 190 * unit, x + half * 0.92, y - 30 * unit, 40 * unit), -0.03),
        ((x - half, y - 110 * unit, x - half * 0.76, y + 2 * unit, 26 * unit), 0.03),
        ((x + half * 0.76, y - 110 * unit, x + half, y + 2 * unit, 26 * unit), 0.03),
        ((x - half * 0.78, y - 84 * unit, x, y - 30 * unit, 16 * unit), 0.05),
        ((x, y - 84 * unit, x + half * 0.78, y - 30 * unit, 16 * unit), 0.04),
        ((x - half * 0.8, y - 40 * unit, x + half * 0.8, y - 2 * unit, 10 * unit), -0.05),
    )
    for (x0, y0, x1, y1, corner), by in parts:
        part = canvas.stencil(x0, y0, x1, y1)
        part.rectangle(x0, y0, x1, y1, corner)
        canvas.stamp(part, rgb(lighter(cloth, by)))
    for at, turn, ink in ((-0.52, -0.2, scene.tones.accents[0]), (0.46, 0.25, scene.tones.accents[1])):
        cushion = canvas.stencil(x - half, y - 180 * unit, x + half, y)
        cx, cy, size = x + at * half, y - 112 * unit, 40 * unit
        c, s = math.cos(turn) * size, math.sin(turn) * size
        cushion.polygon(
            [(cx - c + s, cy - s - c), (cx + c + s, cy + s - c), (cx + c - s, cy + s + c), (cx - c - s, cy - s + c)]
        )
        canvas.stamp(cushion, rgb(mix(ink, cloth, 0.25)))


def desk(scene: Scene, x: float, floor: float) -> None:
    """Set up a desk with two screens, a keyboard, a mug and coloured light on the wall behind."""
    canvas, unit = scene.canvas, scene.unit
    y, half = floor + 34 * unit, min(400 * unit, scene.width * 0.42)
    hues = scene.idea.hues or (310.0, 200.0)
    for side, hue in ((-1, hues[0]), (1, hues[-1])):
        canvas.glow(x + side * half * 0.5, y - 150 * unit, 250 * unit, rgb(lch(0.62, 0.22, hue)), 0.62)
    desk = canvas.stencil(x - half, y - 14 * unit, x + half, scene.height)
    desk.rectangle(x - half, y - 12 * unit, x + half, y + 14 * unit, 4 * unit)
    for side in (-1, 1):
        desk.rectangle(x + side * half * 0.9 - 9 * unit, y, x + side * half * 0.9 + 9 * unit, scene.height)
    canvas.stamp(desk, rgb(wood(scene, -0.06)))
    for side, wide in ((-1, 0.66), (1, 0.5)):
        _screen(scene, x + side * half * 0.42, y - 12 * unit, half * wide, hues[0 if side < 0 else -1])
    board = canvas.stencil(x - half, y - 30 * unit, x + half, y)
    board.rectangle(x - half * 0.36, y - 20 * unit, x + half * 0.06, y - 12 * unit, 3 * unit)
    board.rectangle(x + half * 0.78, y - 46 * unit, x + half * 0.86, y - 12 * unit, 4 * unit)
    canvas.stamp(board, rgb(lch(0.85, 0.03, hues[0])))


def _screen(scene: Scene, x: float, y: float, wide: float, hue: float) -> None:
    canvas, unit, rng = scene.canvas, scene.unit, scene.rng
    tall = wide * 0.62
    body = canvas.stencil(x - wide, y - tall * 2, x + wide, y + 2)
    body.rectangle(x - wide * 0.5, y - tall - 46 * unit, x + wide * 0.5, y - 34 * unit, 6 * unit)
    body.rectangle(x - 8 * unit, y - 40 * unit, x + 8 * unit, y)
    body.rectangle(x - 46 * unit, y - 6 * unit, x + 46 * unit, y, 2 * unit)
    canvas.stamp(body, rgb(lch(0.2, 0.02, 270)))
    glass = canvas.stencil(x - wide, y - tall * 2, x + wide, y)
    glass.rectangle(x - wide * 0.5 + 7 * unit, y - tall - 39 * unit, x + wide * 0.5 - 7 * unit, y - 42 * unit, 2 * unit)
    if glass.empty:
        return
    mask = glass.mask()
    colour = canvas.gradient(
        rgb(lch(0.42, 0.14, hue)), rgb(lch(0.72, 0.15, hue + 50)), glass.y0, mask.shape[0], y - tall - 40 * unit, tall
    )
    canvas.blend(colour, mask, glass.y0, glass.x0)
    lines = canvas.stencil(x - wide, y - tall * 2, x + wide, y)
    for row in range(6):
        top = y - tall - 24 * unit + row * (tall - 26 * unit) / 6
        lines.rectangle(
            x - wide * 0.42, top, x - wide * 0.42 + wide * float(rng.uniform(0.2, 0.8)), top + 4.5 * unit, 2 * unit
        )
    canvas.stamp(lines, rgb(lch(0.95, 0.04, hue)), 0.75)
    canvas.glow(x, y - tall * 0.5 - 40 * unit, wide * 0.4, rgb(lch(0.7, 0.15, hue)), 0.3)


def plant(scene: Scene, x: float, foot: float) -> None:
    """Put a large-leaved plant into the corner."""
    canvas, unit, rng = scene.canvas, scene.unit, scene.rng
    pot = canvas.stencil(x - 80 * unit, foot - 110 * unit, x + 80 * unit, foot + 2)
    pot.polygon(
        [
            (x - 52 * unit, foot - 96 * unit),
            (x + 52 * unit, foot - 96 * unit),
            (x + 38 * unit, foot),
            (x - 38 * unit, foot),
        ]
    )
    canvas.stamp(pot, rgb(mix(lch(0.72, 0.05, 60), paper(scene), 0.35)))
    for shade in (-0.06, 0.02):
        leaves = canvas.stencil(x - 220 * unit, foot - 430 * unit, x + 220 * unit, foot - 80 * unit, finer=2)
        for _ in range(6):
            angle, length = float(rng.uniform(-2.65, -0.5)), float(rng.uniform(170, 300)) * unit
            tip = (x + math.cos(angle) * length * 0.75, foot - 90 * unit + math.sin(angle) * length)
            across = (-math.sin(angle) * 34 * unit, math.cos(angle) * 34 * unit)
            middle = (x + (tip[0] - x) * 0.62, foot - 90 * unit + (tip[1] - foot + 90 * unit) * 0.62)
            leaves.stroke([(x, foot - 92 * unit), middle], 4 * unit)
            leaves.polygon(
                [
                    (x + (tip[0] - x) * 0.36, foot - 90 * unit + (tip[1] - foot + 90 * unit) * 0.36),
                    (middle[0] + across[0], middle[1] + across[1]),
                    tip,
                    (middle[0] - across[0], middle[1] - across[1]),
                ]
            )
        canvas.stamp(
            leaves, rgb(mix(lch(0.46 + shade, 0.10, 150), scene.tones.near, 0.25 if scene.tones.is_dark else 0.0))
        )


def fireplace(scene: Scene, x: float, floor: float) -> None:
    canvas, unit = scene.canvas, scene.unit
    half, tall = 150 * unit, 250 * unit
    breast = canvas.stencil(x - half * 1.2, 0, x + half * 1.2, floor + 14 * unit)
    breast.rectangle(x - half, floor - tall, x + half, floor + 12 * unit)
    breast.rectangle(x - half * 0.72, 0, x + half * 0.72, floor)
    canvas.stamp(breast, rgb(mix(lch(0.52, 0.04, 45), paper(scene), 0.4)))
    mantel = canvas.stencil(x - half * 1.3, floor - tall - 20 * unit, x + half * 1.3, floor + 20 * unit)
    mantel.rectangle(x - half * 1.16, floor - tall - 16 * unit, x + half * 1.16, floor - tall + 4 * unit, 4 * unit)
    mantel.rectangle(x - half * 1.16, floor, x + half * 1.16, floor + 16 * unit, 3 * unit)
    canvas.stamp(mantel, rgb(wood(scene, 0.05)))
    mouth = canvas.stencil(x - half, floor - tall, x + half, floor + 2)
    mouth.rectangle(x - half * 0.66, floor - tall * 0.66, x + half * 0.66, floor + 40 * unit, 50 * unit)
    canvas.stamp(mouth, rgb(lch(0.2, 0.045, 35)))
    _flames(scene, x, floor - 4 * unit, half * 0.5)


def _flames(scene: Scene, x: float, y: float, half: float) -> None:
    canvas, rng = scene.canvas, scene.rng
    for wide, tall, ink in (
        (1.0, 1.9, lch(0.62, 0.2, 36)),
        (0.74, 1.4, lch(0.77, 0.17, 62)),
        (0.42, 0.9, lch(0.94, 0.11, 95)),
    ):
        tongues = canvas.stencil(x - half * 1.2, y - half * 2.2, x + half * 1.2, y + 2)
        for at in np.linspace(-0.8, 0.8, 6):
            high = half * tall * float(rng.uniform(0.55, 1.0)) * (1.1 - abs(float(at)) * 0.6)
            cx, w = x + float(at) * half * wide, half * 0.3 * wide
            tongues.polygon(
                [
                    (cx - w, y),
                    (cx - w * 0.8, y - high * 0.4),
                    (cx + w * 0.2, y - high),
                    (cx + w * 0.75, y - high * 0.45),
                    (cx + w, y),
                ]
            )
        canvas.stamp(tongues, rgb(ink))
    logs = canvas.stencil(x - half * 1.3, y - half * 0.4, x + half * 1.3, y + half * 0.2)
    logs.stroke([(x - half, y), (x + half * 0.8, y - half * 0.16)], half * 0.2)
    logs.stroke([(x - half * 0.8, y - half * 0.16), (x + half, y)], half * 0.2)
    canvas.stamp(logs, rgb(lch(0.3, 0.05, 45)))
    canvas.glow(x, y - half * 0.6, half * 2.6, rgb(lch(0.76, 0.15, 58)), 0.75)
