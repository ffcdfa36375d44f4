"""The backdrop of a meme that names no place: a sunburst with halftone dots, or rings, or speed lines."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.colour import Ink, lch, mix, rgb
from streamer.generator.procedural.engine.noise import Field, step
from streamer.generator.procedural.engine.scene import Scene


def paint(scene: Scene) -> None:
    """Fill the picture with two loud colours that fit each other, and dots that fade toward the middle."""
    first, second, dots = _inks(scene)
    x, y = scene.width / 2, scene.height * 0.54
    canvas = scene.canvas
    dx, dy = canvas.x[None, :] - x, np.arange(scene.height, dtype=np.float32)[:, None] - y
    distance = np.sqrt(dx * dx + dy * dy) / np.float32(0.5 * math.hypot(scene.width, scene.height))
    pattern = _rings(scene, distance) if scene.idea.salt % 5 == 0 else _rays(scene, dx, dy, distance)
    base, other = rgb(first)[:, None, None], rgb(second)[:, None, None]
    for i in range(3):
        canvas.rgb[i] = base[i] + (other[i] - base[i]) * pattern
    _spotlight(scene, distance, mix(second, lch(0.99, 0.02, 90), 0.7))
    canvas.blend(rgb(dots), _halftone(scene, dx, dy, distance) * np.float32(0.5))


def _inks(scene: Scene) -> tuple[Ink, Ink, Ink]:
    hues = scene.idea.hues
    hue = hues[0] if hues else float((scene.idea.salt // 11) % 360) + float(scene.rng.uniform(-20, 20))
    other = hues[1] if len(hues) > 1 else hue + float(scene.rng.choice([35, 55, -40, 160]))
    if scene.idea.has("gloomy") or scene.idea.time == "night":
        return lch(0.34, 0.12, hue), lch(0.46, 0.14, other), lch(0.24, 0.10, hue - 20)
    if scene.idea.has("pastel"):
        return lch(0.86, 0.08, hue), lch(0.93, 0.06, other), lch(0.99, 0.01, 90)
    return lch(0.66, 0.17, hue), lch(0.80, 0.14, other), lch(0.50, 0.17, hue - 15)


def _rays(scene: Scene, dx: Field, dy: Field, distance: Field) -> Field:
    """Alternate wedges around the middle, slightly twisted when the seed says so; edges one pixel soft."""
    count = int(scene.rng.integers(11, 17))
    twist = float(scene.rng.choice([0.0, 0.0, 1.4, -1.4]))
    angle = np.arctan2(dy, dx) + float(scene.rng.uniform(0, 1)) + np.float32(twist) * distance
    radius = np.maximum(distance * np.float32(0.5 * math.hypot(scene.width, scene.height)), 1)
    wave: Field = np.sin(angle * np.float32(count)) * radius / np.float32(count)
    rays: Field = np.clip(wave + np.float32(0.5), 0, 1)
    return rays


def _rings(scene: Scene, distance: Field) -> Field:
    half = 0.5 * math.hypot(scene.width, scene.height)
    gap = 74 * scene.unit
    across: Field = np.abs((distance * np.float32(half / gap)) % 1.0 - 0.5) * np.float32(gap * 2)
    rings: Field = np.clip(across - np.float32(gap * 0.5 - 0.5), 0, 1)
    return rings


def _spotlight(scene: Scene, distance: Field, ink: Ink) -> None:
    scene.canvas.blend(rgb(ink), (np.clip(1 - distance / 0.8, 0, 1) ** 2 * 0.75).astype(np.float32))


def _halftone(scene: Scene, dx: Field, dy: Field, distance: Field) -> Field:
    """Print dots on a grid turned by 15 degrees, growing toward the edges."""
    pitch = np.float32(2 * math.pi / (23 * max(scene.unit, 0.12)))
    c, s = np.float32(math.cos(0.26)), np.float32(math.sin(0.26))
    u, v = dx * (c * pitch) + dy * (s * pitch), dy * (c * pitch) - dx * (s * pitch)
    grid = np.cos(u)
    grid += np.cos(v)
    grid *= np.float32(0.25)
    size = np.clip((distance - 0.42) * 1.5, 0, 0.9)
    soft = 0.07 / max(scene.unit, 0.12)
    dots: Field = step(0.5 - soft, 0.5 + soft, grid + size - 0.02) * (size > 0.01)
    return dots
