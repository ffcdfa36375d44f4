"""Water: a mirror of what stands above the horizon, broken by waves."""

from __future__ import annotations

import numpy as np
from PIL import Image

from streamer.generator.procedural.engine.colour import Ink, lch, mix, rgb
from streamer.generator.procedural.engine.noise import Field, step
from streamer.generator.procedural.engine.scene import Scene


def paint(scene: Scene, *, calm: float = 0.5) -> None:
    """Fill everything below the horizon with water; ``calm`` 1 is a mirror, 0 a rough sea."""
    canvas, top = scene.canvas, round(scene.horizon)
    rows = canvas.height - top
    if rows < 4:
        return
    waves = _waves(scene, rows)
    y = np.arange(rows, dtype=np.float32)[:, None]
    mirrored = _mirror(scene, top, rows, waves, calm)
    deep = rgb(_deep(scene))[:, None, None]
    share = np.clip((0.78 if calm > 0.7 else 0.62) - 0.42 * y / rows, 0.15, 1) + 0.28 * (waves - 0.5) * (1.2 - calm)
    canvas.rgb[:, top:] = deep + (mirrored - deep) * share
    _glitter(scene, top, rows, waves)
    if calm < 0.75:
        _crests(scene, top, rows, waves, calm)
    _shoreline(scene, top)


def _deep(scene: Scene) -> Ink:
    tones = scene.tones
    sea = lch({"night": 0.22, "dusk": 0.32, "dawn": 0.50, "day": 0.50}[tones.hour], 0.085, 225)
    return mix(mix(sea, tones.sky[0], 0.45), tones.near, 0.15)


def _waves(scene: Scene, rows: int) -> Field:
    """Look noise up on a plane in perspective: fine lines far away, broad swells near."""
    y = (np.arange(rows, dtype=np.float32)[:, None] + 2.0) / (rows * 1.0)
    x = (scene.canvas.x[None, :] / scene.width - 0.5) * scene.width / scene.height
    depth = 260 * np.log(y * 40 + 1)
    across: Field = (x * 120 / (y * 1.2 + 0.25)).astype(np.float32)
    broad = scene.noise.plane("cloud", depth, across, scene.rng)
    fine = scene.noise.plane("rough", depth * 1.7, across * 1.5, scene.rng)
    return (0.62 * broad + 0.38 * fine).astype(np.float32)


def _mirror(scene: Scene, top: int, rows: int, waves: Field, calm: float) -> Field:
    """Sample the picture above the horizon at half size, each row bent by the waves."""
    half_rows, half_width = max(2, rows // 2), max(2, scene.width // 2)
    small = np.asarray(Image.fromarray(waves).resize((half_width, half_rows), Image.Resampling.BILINEAR))
    y = np.linspace(1, rows, half_rows, dtype=np.float32)[:, None]
    shake = (small - 0.5) * (1.1 - calm) * (20 * scene.unit + y * 0.55)
    source = np.clip(top - 2 - y * min(1.0, 0.95 * top / max(1, rows)) + shake, 0, max(0, top - 1)).astype(np.int32)
    columns = np.linspace(0, scene.width - 1, half_width, dtype=np.float32)
    columns = np.clip(columns + (small - 0.5) * (1.2 - calm) * (6 * scene.unit + y * 0.12), 0, scene.width - 1)
    picked = scene.canvas.rgb[:, source, columns.astype(np.int32)]
    return np.stack([scene.canvas.enlarge(np.ascontiguousarray(plane), rows) for plane in picked])


def _glitter(scene: Scene, top: int, rows: int, waves: Field) -> None:
    """Scatter the light's own path on the water, widening toward the viewer."""
    if scene.idea.has("storm", "fog"):
        return
    y = np.arange(rows, dtype=np.float32)[:, None]
    wide = (26 + 0.22 * y / scene.unit) * scene.unit
    path = np.exp(-(((scene.canvas.x[None, :] - scene.sun[0]) / wide) ** 2))
    glint = step(0.56, 0.66, waves + 0.09 * path) * path * (0.75 if scene.has_moon else 0.9)
    scene.canvas.blend(scene.tones.shine(), glint.astype(np.float32), top)


def _crests(scene: Scene, top: int, rows: int, waves: Field, calm: float) -> None:
    foam = step(0.70 + 0.08 * calm, 0.80 + 0.08 * calm, waves) * (0.55 - 0.4 * calm)
    scene.canvas.blend(rgb(mix(scene.tones.light, scene.tones.haze, 0.35)), foam.astype(np.float32), top)


def _shoreline(scene: Scene, top: int) -> None:
    """Brighten the far rim of the water, where it meets the haze."""
    rows = min(scene.height - top, max(3, int(18 * scene.unit)))
    fade = np.linspace(0.5, 0, rows, dtype=np.float32)[:, None] * np.ones((1, scene.width), np.float32)
    scene.canvas.blend(rgb(mix(scene.tones.haze, scene.tones.sky[-1], 0.6)), fade, top)
