"""Cities: blocks in the haze, towers with lit windows, neon signs, a wet street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamer.generator.procedural.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.noise import line
from streamer.generator.procedural.scene import Scene


@dataclass(frozen=True, slots=True)
class _Block:
    """One building in whole pixels: left, top and width; its foot is the picture's business."""

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


def _water_tank(stencil, x: float, y: float, size: float) -> None:  # type: ignore[no-untyped-def]
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
        width, height = (7 + 9 * depth) * unit, min(room * 0.55, float(rng.uniform(60, 140)) * unit * (0.5 + depth * 0.6))
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


def street(scene: Scene) -> None:
    """Give the city a foreground: a wide road running to the horizon between lamps, or roofs when there is no room."""
    canvas, tones, unit = scene.canvas, scene.tones, scene.unit
    top, low = scene.horizon, scene.height
    middle = scene.width * float(scene.rng.uniform(0.4, 0.6))
    road = canvas.stencil(0, top, scene.width, low, finer=2)
    if road.empty:
        return
    spread = scene.width * 0.62
    road.polygon([(middle - 8 * unit, top), (middle + 8 * unit, top), (middle + spread, low), (middle - spread, low)])
    canvas.stamp(road, rgb(lighter(tones.near, 0.035)), 0.55)
    marks = canvas.stencil(0, top, scene.width, low, finer=2)
    for near, far in ((0.1, 0.16), (0.22, 0.31), (0.42, 0.56), (0.74, 0.95)):
        a, b = top + (low - top) * near, top + (low - top) * far
        wa, wb = 0.5 * unit + 5 * unit * near, 0.5 * unit + 5 * unit * far
        marks.polygon([(middle - wa, a), (middle + wa, a), (middle + wb, b), (middle - wb, b)])
    canvas.stamp(marks, rgb(lighter(tones.haze, 0.25)), 0.55)
    _lamps(scene, middle, top, low)


def _lamps(scene: Scene, middle: float, top: float, low: float) -> None:
    canvas, unit = scene.canvas, scene.unit
    warm = rgb(lch(0.9, 0.1, 80)) if not scene.idea.has("neon") else rgb(lch(0.85, 0.14, 200))
    for near in (0.08, 0.2, 0.45, 0.95):
        y = top + (low - top) * near
        tall = 30 * unit + 330 * unit * near
        away = 26 * unit + scene.width * 0.56 * near
        for side in (-1, 1):
            x = middle + side * away
            post = canvas.stencil(x - tall * 0.2, y - tall - 3, x + tall * 0.2, y + 2)
            post.stroke([(x, y), (x, y - tall), (x - side * tall * 0.13, y - tall * 1.0)], max(0.8, 5.5 * unit * near + 0.7))
            canvas.stamp(post, rgb(lighter(scene.tones.near, -0.03)))
            if scene.tones.hour != "day":
                canvas.glow(x - side * tall * 0.13, y - tall, (8 + 42 * near) * unit, warm, 0.95)
