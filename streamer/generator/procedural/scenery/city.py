"""Cities: blocks in the haze, towers with lit windows, neon signs, a lamplit waterfront, roofs in front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamer.generator.procedural.engine.canvas import Stencil
from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import line
from streamer.generator.procedural.engine.scene import Scene


@dataclass(frozen=True, slots=True)
class _Block:
    """One building in whole pixels: left, top and width; the row that it stands on is given elsewhere."""

    x: int
    y: int
    width: int


def skyline(scene: Scene, base: float, tall: float, depth: float) -> None:
    """Paint one row of buildings standing on ``base``; nearer rows are darker and have more light in them."""
    blocks = _blocks(scene, base, tall, depth)
    top, foot = _inks(scene, depth)
    for block in blocks:
        _body(scene, block, base, tall, top, foot)
        _windows(scene, block, base, depth)
    _roofs(scene, blocks, top, depth)
    if scene.tones.is_dark and depth > 0.3:
        _signs(scene, blocks, base, depth)


def _inks(scene: Scene, depth: float) -> tuple[Ink, Ink]:
    dark = scene.tones.layer_lab(depth)
    return dark, mix(dark, scene.tones.haze, 0.55)


def _blocks(scene: Scene, base: float, tall: float, depth: float) -> list[_Block]:
    rng, unit = scene.rng, scene.unit
    crowd = line(rng, 128, 2.5, 2)
    centre = float(rng.uniform(0.3, 0.7))
    blocks, x = [], float(-rng.uniform(0, 40)) * unit
    while x < scene.width:
        width = float(rng.uniform(26, 64)) * unit * (0.7 + 0.8 * depth)
        at = min(1.0, max(0.0, x / scene.width))
        hump = 0.55 + 0.35 * float(crowd[int(at * 127)]) + 0.35 * max(0.0, 1 - abs(at - centre) * 3.2)
        height = tall * hump * float(rng.uniform(0.55, 1.15))
        if rng.random() > 0.06 + 0.2 * (depth > 0.8):
            blocks.append(_Block(int(x), int(base - height), max(2, int(width))))
        x += width * float(rng.uniform(0.72, 1.06)) + (float(rng.uniform(0, 14)) * unit if depth > 0.6 else 0)
    blocks.sort(key=lambda block: block.y)
    return blocks


def _body(scene: Scene, block: _Block, base: float, tall: float, top: Ink, foot: Ink) -> None:
    canvas = scene.canvas
    x0, x1 = max(0, block.x), min(canvas.width, block.x + block.width)
    y0, y1 = max(0, block.y), min(canvas.height, int(base) + 1)
    if x1 <= x0 or y1 <= y0:
        return
    shade = float(scene.rng.uniform(-0.028, 0.028))
    colour = canvas.gradient(rgb(lighter(top, shade)), rgb(foot), y0, y1 - y0, base - tall, tall * 1.05)
    canvas.rgb[:, y0:y1, x0:x1] = colour
    flank = max(1, int(block.width * 0.16))
    left = scene.sun[0] < block.x + block.width / 2
    a, b = (x0, min(x1, block.x + flank)) if left else (max(x0, block.x + block.width - flank), x1)
    if b > a:
        part = canvas.rgb[:, y0:y1, a:b]
        part += (scene.tones.shine()[:, None, None] - part) * np.float32(0.10 if scene.tones.is_dark else 0.2)


def _windows(scene: Scene, block: _Block, base: float, depth: float) -> None:
    """Light a regular grid of windows at random, in the two or three colours one building has."""
    rng, canvas = scene.rng, scene.canvas
    cell = max(3, round((5.5 + 6.5 * depth) * scene.unit))
    wide = max(2, cell - max(1, cell // 3))
    columns, rows = (block.width - cell // 2) // cell, (int(base) - block.y - cell) // cell
    if columns < 1 or rows < 1 or cell < 3:
        return
    share = {"night": 0.42, "dusk": 0.3, "dawn": 0.1, "day": 0.0}[scene.tones.hour] * float(rng.uniform(0.45, 1.3))
    lit = (rng.random((rows, columns)) < share).astype(np.float32)
    lit *= rng.uniform(0.45, 1.0, (rows, columns)).astype(np.float32)
    lit[rng.random(rows) < 0.12] *= 0.15
    pattern = np.zeros((rows * cell, columns * cell), np.float32)
    tall = max(2, round(cell * (0.5 if rng.random() < 0.5 else 0.72)))
    for dy in range(tall):
        for dx in range(wide):
            pattern[dy::cell, dx::cell] = lit if share else 0.3
    x0, y0 = block.x + (block.width - columns * cell) // 2 + (cell - wide) // 2, block.y + cell // 2 + 1
    left, top = max(0, -x0), max(0, -y0)
    pattern = pattern[top : max(0, canvas.height - y0), left : max(0, canvas.width - x0)]
    if pattern.size == 0 or x0 >= canvas.width or y0 >= canvas.height:
        return
    canvas.blend(_window_ink(scene, share), pattern * np.float32(0.45 + 0.5 * depth), y0 + top, x0 + left)


def _window_ink(scene: Scene, share: float) -> Ink:
    if share == 0.0:
        return rgb(mix(scene.tones.sky[1], scene.tones.light, 0.25))
    hues = (78, 78, 62, 95, 210) if not scene.idea.has("neon") else (340, 200, 75, 300, 185)
    return rgb(lch(0.88, 0.115, hues[int(scene.rng.integers(len(hues)))]))


def _roofs(scene: Scene, blocks: list[_Block], ink: Ink, depth: float) -> None:
    """Give roofs their antennas, tanks, gables and set-backs."""
    if not blocks:
        return
    rng, unit = scene.rng, scene.unit
    top = min(block.y for block in blocks) - 70 * unit
    low = max(block.y for block in blocks) + 2
    stencil = scene.canvas.stencil(0, top, scene.width, low, finer=2)
    if stencil.empty:
        return
    for block in blocks:
        x, y, w = block.x, block.y, block.width
        kind = int(rng.integers(7))
        if kind == 0:
            stencil.rectangle(x + w * 0.48, y - 46 * unit * (0.5 + depth * 0.5), x + w * 0.52 + 1, y + 2)
        elif kind == 1:
            stencil.rectangle(x + w * 0.2, y - w * 0.35, x + w * 0.8, y + 2)
            stencil.rectangle(x + w * 0.36, y - w * 0.6, x + w * 0.64, y + 2)
        elif kind == 2:
            stencil.polygon([(x, y + 1), (x + w, y + 1), (x + w, y - w * 0.4)])
        elif kind == 3:
            stencil.polygon([(x + w * 0.1, y + 1), (x + w * 0.5, y - w * 0.75), (x + w * 0.9, y + 1)])
        elif kind == 4 and depth > 0.4:
            _water_tank(stencil, x + w * 0.5, y, 9 * unit * (0.6 + depth * 0.6))
    scene.canvas.stamp(stencil, rgb(ink))


def _water_tank(stencil: Stencil, x: float, y: float, size: float) -> None:
    for leg in (-0.8, 0.75):
        stencil.rectangle(x + leg * size, y - size, x + leg * size + size * 0.16 + 0.6, y + 1)
    stencil.rectangle(x - size, y - size * 2.4, x + size, y - size * 0.8)
    stencil.polygon([(x - size * 1.15, y - size * 2.4), (x, y - size * 3.3), (x + size * 1.15, y - size * 2.4)])


def _signs(scene: Scene, blocks: list[_Block], base: float, depth: float) -> None:
    """Hang glowing signs on some towers, and blinking lamps on the tallest."""
    rng, canvas, unit = scene.rng, scene.canvas, scene.unit
    many = 0.42 if scene.idea.has("neon", "vivid") else 0.12
    hues = (345.0, 195.0, 300.0, 60.0, 150.0) if not scene.idea.hues else (*scene.idea.hues, 345.0, 195.0)
    for block in blocks:
        room = base - block.y
        if rng.random() > many * depth or room < 70 * unit:
            continue
        ink = rgb(lch(0.76, 0.2, hues[int(rng.integers(len(hues)))]))
        width, height = (
            (7 + 9 * depth) * unit,
            min(room * 0.55, float(rng.uniform(60, 140)) * unit * (0.5 + depth * 0.6)),
        )
        x = block.x + block.width * float(rng.choice([0.12, 0.72]))
        y = block.y + float(rng.uniform(0.08, 0.3)) * room
        sign = canvas.stencil(x - 2, y - 2, x + width + 2, y + height + 2)
        sign.rectangle(x, y, x + width, y + height, 2 * unit)
        bars = max(3, int(height / (width * 1.15)))
        for index in range(bars):
            top = y + (index + 0.22) * height / bars
            sign.rectangle(x + width * 0.24, top, x + width * 0.76, top + height / bars * 0.56, 1.5 * unit, 40)
        canvas.stamp(sign, ink)
        canvas.glow(x + width / 2, y + height / 2, height * 0.42, ink, 0.42)
    for block in blocks[:3]:
        canvas.glow(block.x + block.width / 2, block.y - 4 * unit, 5 * unit, rgb(lch(0.65, 0.23, 25)), 0.9)


def promenade(scene: Scene) -> None:
    """Line the water's edge with lamps, so that it has something near to mirror."""
    canvas, unit, y = scene.canvas, scene.unit, scene.horizon + 1
    warm = rgb(lch(0.9, 0.1, 80)) if not scene.idea.has("neon") else rgb(lch(0.85, 0.14, 200))
    wall = canvas.stencil(0, y - 60 * unit, scene.width, y + 4)
    wall.rectangle(0, y - 9 * unit, scene.width, y + 3)
    gap = 88 * unit
    places = np.arange(float(scene.rng.uniform(0, gap)), scene.width, max(4.0, gap))
    for x in places:
        wall.rectangle(float(x) - 1.2 * unit, y - 44 * unit, float(x) + 1.2 * unit, y)
        wall.rectangle(float(x) - 4 * unit, y - 48 * unit, float(x) + 4 * unit, y - 44 * unit)
    canvas.stamp(wall, rgb(lighter(scene.tones.near, -0.01)))
    if scene.tones.hour == "day":
        return
    bulbs = canvas.stencil(0, y - 60 * unit, scene.width, y)
    for x in places:
        bulbs.ellipse(float(x), y - 41 * unit, 3.4 * unit, 3.4 * unit)
        canvas.glow(float(x), y - 41 * unit, 17 * unit, warm, 0.6)
        canvas.glow(float(x), y + 44 * unit, 12 * unit, warm, 0.16)
    canvas.stamp(bulbs, warm)


def rooftops(scene: Scene) -> None:
    """Put the viewer on a roof: big dark blocks in front, with tanks, vents, wires and small lights."""
    canvas, rng, unit = scene.canvas, scene.rng, scene.unit
    warm = rgb(lch(0.9, 0.11, 78))
    for depth, top in ((0.88, 0.73), (1.0, 0.84)):
        roof = canvas.stencil(0, scene.height * 0.4, scene.width, scene.height, finer=2)
        x, edges = -40 * unit, []
        while x < scene.width:
            width = float(rng.uniform(150, 340)) * unit
            y = scene.height * (top + float(rng.uniform(-0.07, 0.07)))
            roof.rectangle(x, y, x + width, scene.height)
            roof.rectangle(x - 4 * unit, y - 7 * unit, x + width + 4 * unit, y + 5 * unit)
            _on_the_roof(roof, rng, x, y, width, unit * (0.7 + 0.5 * depth))
            edges.append((x + width * 0.5, y))
            x += width
        canvas.stamp(roof, rgb(lighter(scene.tones.layer_lab(depth), 0.03 * (1 - depth))))
        if depth < 1.0 and scene.tones.hour != "day":
            for middle, y in edges:
                _windows(scene, _Block(int(middle - 50 * unit), int(y + 12 * unit), int(100 * unit)), scene.height, 1.0)
        _bulbs(scene, edges, warm)


def _on_the_roof(roof: Stencil, rng: np.random.Generator, x: float, y: float, width: float, unit: float) -> None:
    _water_tank(roof, x + width * float(rng.uniform(0.15, 0.35)), y - 5 * unit, 21 * unit)
    vent = x + width * float(rng.uniform(0.5, 0.7))
    roof.rectangle(vent, y - 26 * unit, vent + 34 * unit, y, 2 * unit)
    mast = x + width * float(rng.uniform(0.8, 0.95))
    roof.rectangle(mast, y - 90 * unit, mast + 2.2 * unit, y)
    for rung in range(3):
        roof.rectangle(
            mast - (16 - 4 * rung) * unit,
            y - (84 - 12 * rung) * unit,
            mast + (18 - 4 * rung) * unit,
            y - (82 - 12 * rung) * unit,
        )


def _bulbs(scene: Scene, places: list[tuple[float, float]], warm: Ink) -> None:
    """String lights from roof to roof."""
    canvas, unit = scene.canvas, scene.unit
    if scene.tones.hour == "day" or len(places) < 2:
        return
    lamps = canvas.stencil(0, scene.height * 0.4, scene.width, scene.height)
    for (x0, y0), (x1, y1) in zip(places[::2], places[1::2], strict=False):
        for t in np.linspace(0, 1, 10):
            x = x0 + (x1 - x0) * float(t)
            y = y0 + (y1 - y0) * float(t) - 34 * unit + 30 * unit * float(1 - (2 * t - 1) ** 2)
            lamps.ellipse(x, y, 2.6 * unit, 3 * unit)
            canvas.glow(x, y, 11 * unit, warm, 0.5)
    canvas.stamp(lamps, warm)
