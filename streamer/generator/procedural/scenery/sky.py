"""Skies: gradient, sun or moon, stars, clouds, aurora, rainbow, fireworks."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.canvas import Stencil
from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import Field, line, step
from streamer.generator.procedural.engine.scene import Scene


def paint(scene: Scene) -> None:
    """Paint the whole sky with everything in it."""
    _gradient(scene)
    if scene.tones.is_dark and not scene.idea.has("storm", "fog"):
        stars(scene, 1.0 if "city" not in scene.idea.places else 0.45)
    if scene.idea.has("aurora"):
        _aurora(scene)
    if not (scene.idea.has("storm", "aurora") and "moon" not in scene.idea.features):
        _sun_or_moon(scene)
    if scene.idea.has("planet"):
        _hanging_planet(scene)
    if scene.idea.has("rainbow"):
        _rainbow(scene)
    clouds(scene)
    if scene.idea.has("comet"):
        _comets(scene)
    if scene.idea.has("fireworks"):
        _fireworks(scene)


def _gradient(scene: Scene) -> None:
    canvas, tones = scene.canvas, scene.tones
    shape = (canvas.coarse_height, canvas.coarse_width)
    drift = scene.noise.field("smooth", *shape, scene.rng, tall=0.5, wide=0.3)
    t = canvas.coarse_y / scene.horizon + (drift - 0.5) * 0.1
    sun_x, sun_y = scene.sun
    distance = np.hypot((canvas.coarse_x - sun_x) / canvas.height, (canvas.coarse_y - sun_y) / canvas.height * 1.25)
    warmth = {"night": 0.16, "dusk": 0.34, "dawn": 0.25, "day": 0.16}[tones.hour]
    t = t + warmth * np.exp(-((distance / 0.42) ** 2)) * (0.4 if scene.has_moon else 0.9)
    planes = np.take(tones.sky_ramp(1024), (np.clip(t, 0, 1) * 1023).astype(np.int32), axis=1)
    halo = np.exp(-distance / 0.16) * (0.25 if tones.is_dark else 0.55)
    if not scene.idea.has("storm"):
        planes += (tones.shine()[:, None, None] - planes) * halo
    canvas.cover(planes.astype(np.float32))


def stars(scene: Scene, density: float) -> None:
    """Scatter stars of many magnitudes, most of them faint, a few with a glow."""
    canvas, rng = scene.canvas, scene.rng
    count = int(520 * density * canvas.width * canvas.height / (1280 * 720) + 12)
    x = rng.integers(0, max(1, canvas.width - 2), count)
    y = (rng.random(count) ** 1.25 * max(2.0, min(scene.horizon, canvas.height - 3))).astype(np.int64)
    y = np.clip(y, 0, max(0, canvas.height - 3))
    power = (rng.random(count) ** 3.2 * 0.85 + 0.12).astype(np.float32)
    power *= (1 - 0.7 * y / max(1.0, scene.horizon)).clip(0.1, 1).astype(np.float32)
    tint = np.array([[1, 0.95, 0.85], [0.8, 0.9, 1], [1, 1, 1]], np.float32)[rng.integers(0, 3, count)]
    big = power > 0.5
    for dy, dx, share in ((0, 0, 1.0), (0, 1, 0.45), (1, 0, 0.45), (1, 1, 0.3)):
        weight = power * np.float32(share) * np.where(big | (dy + dx == 0), 1, 0.35).astype(np.float32)
        rows, columns = np.minimum(y + dy, canvas.height - 1), np.minimum(x + dx, canvas.width - 1)
        for i in range(3):
            plane = canvas.rgb[i]
            plane[rows, columns] += (tint[:, i] - plane[rows, columns]) * weight
    for index in np.argsort(-power)[: max(3, int(9 * density))]:
        canvas.glow(float(x[index]), float(y[index]), 7 * scene.unit, tint[index], 0.35)


def _sun_or_moon(scene: Scene) -> None:
    canvas, (x, y) = scene.canvas, scene.sun
    if not scene.tones.is_dark and scene.tones.hour == "day" and "sun" not in scene.idea.features:
        return
    if scene.has_striped_sun:
        _striped_sun(scene)
        return
    radius = scene.unit * float(scene.rng.uniform(34, 58)) * (1.25 if scene.idea.has("moon", "sun") else 1.0)
    if scene.has_moon:
        _moon(scene, x, y, radius)
        return
    disc = canvas.stencil(x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2)
    disc.ellipse(x, y, radius, radius)
    canvas.stamp(disc, rgb(lighter(scene.tones.light, 0.03)))
    canvas.glow(x, y, radius * 2.4, scene.tones.shine(), 0.5)


def _moon(scene: Scene, x: float, y: float, radius: float) -> None:
    canvas = scene.canvas
    disc = canvas.stencil(x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2)
    disc.ellipse(x, y, radius, radius)
    if scene.idea.has("crescent"):
        disc.ellipse(x + radius * 0.45, y - radius * 0.2, radius * 0.9, radius * 0.9, 0)
        canvas.stamp(disc, scene.tones.shine())
    else:
        canvas.stamp(disc, scene.tones.shine())
        seas = canvas.stencil(x - radius, y - radius, x + radius, y + radius)
        for dx, dy, size in (
            (-0.3, -0.25, 0.28),
            (0.1, -0.45, 0.16),
            (0.3, 0.1, 0.24),
            (-0.15, 0.35, 0.2),
            (0.42, -0.3, 0.1),
        ):
            seas.ellipse(x + dx * radius, y + dy * radius, size * radius, size * radius * 0.9)
        canvas.stamp(seas, rgb(mix(scene.tones.light, scene.tones.haze, 0.5)), 0.4)
    canvas.glow(x, y, radius * 2.2, scene.tones.shine(), 0.42)


def _striped_sun(scene: Scene) -> None:
    """Paint the banded sun of the eighties, from yellow to pink."""
    canvas, (x, y) = scene.canvas, scene.sun
    radius = 175 * scene.unit
    disc = canvas.stencil(x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2)
    disc.ellipse(x, y, radius, radius)
    for i in range(7):
        top = y + radius * (-0.05 + i * 0.16)
        disc.rectangle(x - radius, top, x + radius, top + radius * (0.018 + i * 0.013), value=0)
    if disc.empty:
        return
    mask = disc.mask()
    top_ink, low_ink = rgb(lch(0.92, 0.15, 95)), rgb(lch(0.66, 0.25, 0))
    canvas.blend(
        canvas.gradient(top_ink, low_ink, disc.y0, mask.shape[0], y - radius, 2 * radius), mask, disc.y0, disc.x0
    )
    canvas.glow(x, y, radius * 1.2, rgb(lch(0.7, 0.2, 10)), 0.4)


def _hanging_planet(scene: Scene) -> None:
    x = scene.width - scene.sun[0] + float(scene.rng.uniform(-60, 60)) * scene.unit
    y = scene.horizon * float(scene.rng.uniform(0.25, 0.5))
    radius = scene.unit * float(scene.rng.uniform(70, 120))
    planet(scene, x, y, radius, rings=bool(scene.rng.random() < 0.6), veil=0.35)


def planet(scene: Scene, x: float, y: float, radius: float, *, rings: bool, veil: float = 0.0) -> None:
    """Paint a banded, side-lit planet; ``veil`` lets the sky shine through its dark side."""
    canvas, tones = scene.canvas, scene.tones
    reach = radius * (2.1 if rings else 1.06)
    disc = canvas.stencil(x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2, finer=2)
    if disc.empty:
        return
    disc.ellipse(x, y, radius, radius)
    mask = disc.mask()
    rows, columns = mask.shape
    v = ((np.arange(rows, dtype=np.float32) + disc.y0 - y) / radius)[:, None]
    u = ((np.arange(columns, dtype=np.float32) + disc.x0 - x) / radius)[None, :]
    warp = scene.noise.field("cloud", rows, columns, scene.rng, tall=0.35, wide=0.2)
    bands = line(scene.rng, 256, 7, 3)
    t = bands[np.clip((v * 0.5 + u * 0.12 + 0.5 + (warp - 0.5) * 0.16) * 255, 0, 255).astype(np.int32)] + 0.5
    hues = scene.rng.uniform(0, 360, 2) if not scene.idea.hues else scene.idea.hues[0] + scene.rng.uniform(-25, 45, 2)
    first, second = (lch(0.68, 0.14, float(hue)) for hue in hues)
    base = rgb(mix(first, tones.accents[0], 0.55))[:, None, None]
    other = rgb(lighter(mix(second, tones.accents[1], 0.5), 0.12))[:, None, None]
    colour = base + (other - base) * np.clip(t, 0, 1)
    bulge = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
    side = -1.0 if scene.sun[0] < x else 1.0
    lit = np.clip(side * u * 0.75 - v * 0.45 + bulge * 0.55 + 0.12, 0, 1)
    night = rgb(lighter(tones.sky[0], 0.02))[:, None, None]
    colour = night + (colour - night) * (lit**0.8)
    rim = np.clip(1 - bulge, 0, 1) ** 3 * lit
    colour = colour + (1 - colour) * rim * 0.35
    back = _ring_stencil(scene, x, y, radius, reach, front=False) if rings else None
    if back:
        canvas.stamp(back, rgb(lighter(tones.accents[1], 0.08)), 0.7)
    canvas.blend(colour.astype(np.float32), mask * (1 - veil * (1 - lit)), disc.y0, disc.x0)
    if rings:
        canvas.stamp(_ring_stencil(scene, x, y, radius, reach, front=True), rgb(lighter(tones.accents[1], 0.12)), 0.85)
    canvas.glow(x + side * radius * 0.4, y - radius * 0.3, radius * 1.1, rgb(tones.accents[0]), 0.16)


def _ring_stencil(scene: Scene, x: float, y: float, radius: float, reach: float, *, front: bool) -> Stencil:
    stencil = scene.canvas.stencil(x - reach, y - reach, x + reach, y + reach)
    tilt = -0.35
    angles = np.linspace(0, math.pi, 60) + (0 if front else math.pi)
    for inner, outer, value in ((1.36, 1.58, 230), (1.64, 1.86, 160), (1.9, 1.95, 110)):
        ring = [(outer * math.cos(a), 0.26 * outer * math.sin(a)) for a in angles]
        ring += [(inner * math.cos(a), 0.26 * inner * math.sin(a)) for a in angles[::-1]]
        turned = [
            (
                x + radius * (px * math.cos(tilt) - py * math.sin(tilt)),
                y + radius * (px * math.sin(tilt) + py * math.cos(tilt)),
            )
            for px, py in ring
        ]
        stencil.polygon(turned, value)
    return stencil


def _aurora(scene: Scene) -> None:
    """Hang three curtains of light with vertical rays, brightest at their lower hem."""
    canvas, rng = scene.canvas, scene.rng
    width = canvas.coarse_width
    hues = (155.0, 170.0, 310.0) if not scene.idea.hues else (scene.idea.hues[0], 165.0, 300.0)
    for index, hue in enumerate(hues):
        hem = scene.horizon * (0.48 + 0.13 * index + 0.22 * line(rng, width, 2.2, 3))
        tall = scene.horizon * (0.42 + 0.18 * line(rng, width, 6, 3))
        rays = 0.55 + 0.45 * line(rng, width, 46, 3, 0.7)
        up = (hem[None, :] - canvas.coarse_y) / np.maximum(tall, 1)[None, :]
        curtain = np.exp(-np.clip(up, 0, None) * 2.4) * step(-0.09, 0.03, up) * rays[None, :]
        strength = np.clip(curtain * (0.95 - 0.2 * index), 0, 0.9).astype(np.float32)
        canvas.wash(rgb(lch(0.86, 0.19, hue)), strength)
        canvas.light += rgb(lch(0.7, 0.17, hue))[:, None, None] * strength * 0.3


def _rainbow(scene: Scene) -> None:
    canvas = scene.canvas
    x = scene.width - scene.sun[0]
    distance = np.hypot(canvas.coarse_x - x, canvas.coarse_y - scene.horizon * 1.05) / scene.unit
    size = min(scene.horizon, scene.width * 0.6) * 0.85 / scene.unit
    for index, hue in enumerate((25, 60, 95, 145, 235, 300)):
        band = np.exp(-(((distance - size + index * 11) / 7.5) ** 2)) * 0.42
        canvas.wash(rgb(lch(0.82, 0.16, hue)), (band * (canvas.coarse_y < scene.horizon * 1.1)).astype(np.float32))


def clouds(scene: Scene) -> None:
    """Lay wisps high up and banks of cumulus near the horizon, as many as the weather asks for."""
    idea = scene.idea
    amount = (
        0.45
        + (0.5 if idea.has("clouds") else 0)
        + (0.75 if idea.has("storm") else 0)
        + (0.2 if idea.has("rain") else 0)
    )
    if idea.has("aurora", "stars"):
        amount = 0.15
    _wisps(scene, amount)
    banks = 1 + int(amount * 2.2)
    if scene.tones.is_dark and not idea.has("clouds", "storm"):
        banks = 1
    for index in range(banks):
        _bank(scene, index / max(1, banks), amount)


def _wisps(scene: Scene, amount: float) -> None:
    canvas = scene.canvas
    shape = (canvas.coarse_height, canvas.coarse_width)
    heavy = scene.idea.has("storm")
    veil = scene.noise.field(
        "cloud", *shape, scene.rng, tall=0.9 if not heavy else 0.6, wide=0.28 if not heavy else 0.45
    )
    high = np.clip(1.15 - canvas.coarse_y / scene.horizon, 0, 1)
    mask = (
        step(0.60 - 0.16 * amount, 0.86, veil)
        * (high if not heavy else 0.4 + 0.6 * high)
        * min(0.9, 0.35 + 0.4 * amount)
    )
    lit = lighter(mix(scene.tones.sky[-1], scene.tones.light, 0.3), -0.05 if scene.tones.is_dark else 0.0)
    canvas.wash(rgb(mix(lit, scene.tones.sky[0], 0.85 if heavy else (0.55 if scene.tones.is_dark else 0.12))), mask)


def _bank(scene: Scene, depth: float, amount: float) -> None:
    """Pile up a row of round clouds whose feet dissolve into the haze."""
    canvas, tones = scene.canvas, scene.tones
    base = scene.horizon * (0.72 + 0.24 * depth)
    edge = puffs(scene, base, (30 + 55 * amount) * scene.unit, 12 + int(6 * amount))
    mask, y0 = canvas.under(edge)
    rows = mask.shape[0]
    if rows == 0:
        return
    y = np.arange(y0, y0 + rows, dtype=np.float32)
    feet = np.clip(1 - (y - float(edge.min())) / (base + 110 * scene.unit - float(edge.min())), 0, 1) ** 1.3
    keep = int(np.count_nonzero(feet > 0))
    lit = mix(tones.sky[-1], tones.light, 0.55 if not tones.is_dark else 0.12)
    lit = mix(
        lit, tones.sky[1], 0.75 if scene.idea.has("storm") else (0.35 if tones.is_dark else 0.05) + 0.25 * (1 - depth)
    )
    shadow = mix(tones.haze, tones.sky[-1], 0.4)
    span = float(np.ptp(edge)) + 60 * scene.unit
    colour = canvas.gradient(rgb(lit), rgb(shadow), y0, rows, float(edge.min()), span)
    strength = np.float32(0.85 if not tones.is_dark else 0.6)
    faded: Field = (mask[:keep] * feet[:keep, None] * strength).astype(np.float32)
    canvas.blend(colour[:, :keep], faded, y0)


def puffs(scene: Scene, base: float, size: float, count: int) -> Field:
    """Return the upper edge of a bank of clouds as a y for each column: round heads on a rolling body."""
    rng, x, width = scene.rng, scene.canvas.x, scene.width
    hump = line(rng, width, 3, 2)
    edge = (base + size * (0.35 - 0.9 * hump)).astype(np.float32)
    body = edge.copy()
    for _ in range(count * 3):
        at = float(rng.uniform(-0.03, 1.03)) * width
        column = int(np.clip(at, 0, width - 1))
        radius = size * float(rng.uniform(0.25, 0.8)) * (0.75 + 0.5 * float(hump[column]))
        inside = radius * radius - (x - at) ** 2
        top = float(body[column]) + radius * 0.35 - np.sqrt(np.maximum(inside, 0))
        np.minimum(edge, np.where(inside > 0, top, edge), out=edge)
    return edge


def _comets(scene: Scene) -> None:
    rng, canvas = scene.rng, scene.canvas
    for _ in range(int(rng.integers(2, 5))):
        x, y = float(rng.uniform(0.15, 0.95)) * scene.width, float(rng.uniform(0.08, 0.5)) * scene.horizon
        length = float(rng.uniform(110, 260)) * scene.unit
        tail = canvas.stencil(x, y - length * 0.5, x + length, y + 4)
        tail.polygon([(x, y), (x + length, y - length * 0.42), (x + 3 * scene.unit, y + 3 * scene.unit)])
        canvas.stamp(tail, scene.tones.shine(), 0.75)
        canvas.glow(x, y, 12 * scene.unit, scene.tones.shine(), 0.9)


def _fireworks(scene: Scene) -> None:
    rng, canvas = scene.rng, scene.canvas
    for index in range(int(rng.integers(4, 7))):
        x, y = float(rng.uniform(0.1, 0.9)) * scene.width, float(rng.uniform(0.12, 0.55)) * scene.horizon
        size = float(rng.uniform(60, 130)) * scene.unit
        ink: Ink = rgb(lch(0.82, 0.17, float(rng.uniform(0, 360))))
        burst = canvas.stencil(x - size, y - size, x + size, y + size)
        for angle in np.linspace(0, 2 * math.pi, 26, endpoint=False):
            far = size * float(rng.uniform(0.75, 1.0))
            dx, dy = math.cos(angle), math.sin(angle)
            burst.stroke([(x + dx * far * 0.25, y + dy * far * 0.25), (x + dx * far, y + dy * far)], 1.6 * scene.unit)
            burst.ellipse(x + dx * far, y + dy * far, 2.6 * scene.unit, 2.6 * scene.unit)
        canvas.stamp(burst, ink, 0.95)
        canvas.glow(x, y, size * 0.8, ink, 0.6 if index < 3 else 0.35)
