"""What people built into a view: lighthouse, castle, cabin, windmill, bridge, pyramids."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import Field, line, step
from streamer.generator.procedural.engine.scene import Scene


def lamplight() -> Ink:
    """Return the RGB of a lit window."""
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
    canvas.stamp(lamp, lamplight())
    lamp_y = y - 17 * unit
    if scene.tones.hour == "day":
        return
    canvas.glow(x, lamp_y, 46 * unit, lamplight(), 0.9)
    for toward, reach in ((-side, 1.0), (side, 0.35)):
        away = canvas.coarse_x - x
        along = away * toward
        spread = np.abs(canvas.coarse_y - lamp_y + along * 0.06) / np.maximum(along * 0.10 + 7 * unit, 1)
        beam = np.exp(-(spread**2)) * (along > 0) * np.exp(-along / (scene.width * 0.42 * reach))
        canvas.light += lamplight()[:, None, None] * (beam * 0.42).astype(np.float32)


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
            canvas.glow(cx, cy, tall * 0.06, lamplight(), 0.35)
    canvas.stamp(lights, lamplight(), 0.95 if scene.tones.hour != "day" else 0.2)


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
    canvas.stamp(lit, lamplight())
    bars = canvas.stencil(x - size, foot - size, x + size, foot)
    bars.rectangle(x - size * 0.285, foot - size * 0.42, x - size * 0.255, foot - size * 0.16)
    bars.rectangle(x - size * 0.42, foot - size * 0.3, x - size * 0.12, foot - size * 0.275)
    canvas.stamp(bars, rgb(wall))
    canvas.glow(x - size * 0.2, foot - size * 0.25, size * 0.5, lamplight(), 0.5)
    smoke(scene, x + size * 0.34, foot - size * 1.18, size)


def shore_village(scene: Scene) -> None:
    """Build a village on the near shore: rows of houses above the water, piers with nets, fishing boats."""
    canvas, unit, rng = scene.canvas, scene.unit, scene.rng
    side = 1 if scene.sun[0] < scene.width / 2 else -1
    low, wide = scene.height - scene.horizon, scene.width
    along = (canvas.x if side > 0 else wide - canvas.x) / np.float32(wide)
    rise = np.float32(0.5) * step(0.28, 0.56, along) + np.float32(0.3) * step(0.5, 1.0, along)
    edge = (scene.height * 0.97 - rise * low + 6 * unit * line(rng, wide, 4, 3)).astype(np.float32)
    earth = mix(scene.tones.ground, scene.tones.near, 0.25)
    stone = mix(lch(0.62, 0.03, 70), scene.tones.near, 0.45)
    canvas.below((edge - 8 * unit).astype(np.float32), rgb(lighter(stone, 0.05)), rgb(stone), 30 * unit)
    canvas.below((edge + 8 * unit).astype(np.float32), rgb(mix(lighter(earth, 0.06), scene.tones.light, 0.16)),
                 rgb(lighter(earth, -0.1)), low * 0.7)  # fmt: skip
    _fleet(scene, side, low)
    for at, reach in ((0.43, 1.0), (0.36, 0.72)):
        _pier(scene, edge, wide * (at if side > 0 else 1 - at), side, reach)
    for row, (first, last, count, size, down) in enumerate(((0.56, 0.98, 5, 62.0, 0.05), (0.53, 0.92, 4, 88.0, 0.3))):
        for index in range(count):
            at = first + (last - first) * (index + 0.25 * row) / (count - 1) + float(rng.uniform(-0.015, 0.015))
            x = wide * (at if side > 0 else 1 - at)
            foot = float(edge[int(np.clip(x, 0, wide - 1))]) + low * down + 14 * unit
            cabin(scene, x, min(foot, scene.height * 0.95), size * unit * float(rng.uniform(0.85, 1.15)))


def _fleet(scene: Scene, side: int, low: float) -> None:
    """Lay boats on the water, the near ones larger."""
    for at, down, size in ((0.17, 0.62, 92.0), (0.33, 0.36, 54.0), (0.1, 0.25, 38.0), (0.46, 0.14, 22.0)):
        x = scene.width * (at + float(scene.rng.uniform(-0.03, 0.03)))
        _fishing_boat(scene, x if side > 0 else scene.width - x, scene.horizon + low * down, size * scene.unit)


def _pier(scene: Scene, edge: Field, x: float, side: int, reach: float) -> None:
    """Run a plank pier on posts out from the shore, with a net drying on it."""
    canvas, unit = scene.canvas, scene.unit
    y = float(edge[int(np.clip(x, 0, scene.width - 1))]) - 2 * unit
    end = x - side * 170 * unit * reach
    wood = mix(lch(0.4, 0.05, 60), scene.tones.near, 0.45)
    left, right = min(x, end), max(x, end)
    pier = canvas.stencil(left - 20 * unit, y - 60 * unit, right + 20 * unit, y + 60 * unit)
    pier.rectangle(left, y - 4 * unit, right, y + 4 * unit)
    for post in np.arange(left + 8 * unit, right, 32 * unit):
        pier.rectangle(float(post), y - 14 * unit, float(post) + 5 * unit, y + 34 * unit)
    canvas.stamp(pier, rgb(wood))
    net = canvas.stencil(left, y - 50 * unit, right, y)
    for post in (0.3, 0.62):
        px = left + (right - left) * post
        net.rectangle(px, y - 46 * unit, px + 3 * unit, y)
    a, b = left + (right - left) * 0.3, left + (right - left) * 0.62
    for rope in range(6):
        t = rope / 5
        net.line(a, y - (44 - 26 * t) * unit, b, y - (44 - 26 * t) * unit + 4 * unit, 1.0 * unit, 200)
        net.line(a + (b - a) * t, y - 44 * unit, a + (b - a) * t, y - 14 * unit, 1.0 * unit, 200)
    canvas.stamp(net, rgb(lighter(wood, 0.1)))


def _fishing_boat(scene: Scene, x: float, y: float, size: float) -> None:
    """Let a small fishing boat with a cabin and a mast lie on the water, with its mirror image."""
    canvas, tones = scene.canvas, scene.tones
    hue = float(scene.rng.choice([25.0, 245.0, 150.0, 60.0]))
    hull_ink = mix(lch(0.52, 0.14, hue), tones.haze, 0.15 if not tones.is_dark else 0.3)
    for flip, strength in ((-1, 0.3), (1, 1.0)):
        hull = canvas.stencil(x - size * 1.2, y - size * 1.6, x + size * 1.2, y + size * 1.6)
        hull.polygon([(x - size, y - flip * size * 0.36), (x + size * 1.1, y - flip * size * 0.46),
                      (x + size * 0.8, y), (x - size * 0.78, y)])  # fmt: skip
        canvas.stamp(hull, rgb(hull_ink), strength)
        top = canvas.stencil(x - size * 1.2, y - size * 1.6, x + size * 1.2, y + size * 1.6)
        low, high = sorted((y - flip * size * 0.38, y - flip * size * 0.82))
        top.rectangle(x - size * 0.5, low, x + size * 0.05, high)
        canvas.stamp(top, rgb(mix(lch(0.9, 0.02, 90), tones.haze, 0.3 if not tones.is_dark else 0.75)), strength)
        pane = canvas.stencil(x - size * 1.2, y - size * 1.6, x + size * 1.2, y + size * 1.6)
        low, high = sorted((y - flip * size * 0.52, y - flip * size * 0.72))
        pane.rectangle(x - size * 0.4, low, x - size * 0.06, high)
        canvas.stamp(pane, lamplight() if tones.hour != "day" else tones.layer(0.8), strength)
        mast = canvas.stencil(x - size * 1.2, y - size * 1.6, x + size * 1.2, y + size * 1.6)
        mast.stroke([(x + size * 0.3, y - flip * size * 0.4), (x + size * 0.3, y - flip * size * 1.4)], size * 0.05)
        mast.stroke([(x + size * 0.3, y - flip * size * 1.36), (x + size * 1.06, y - flip * size * 0.46)], size * 0.025)
        canvas.stamp(mast, tones.layer(0.9), strength)
    if tones.hour != "day":
        canvas.glow(x - size * 0.22, y - size * 0.6, size * 0.3, lamplight(), 0.6)


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
    canvas.stamp(window, lamplight(), 0.9)


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
