"""What things lie and small creatures sit on: a table, a window sill, a branch, a stage."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from streamer.generator.procedural.engine.colour import lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import line
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.scenery import furniture, room

TABLE_ROW, SILL_ROW, BRANCH_ROW, STAGE_ROW = 0.72, 0.78, 0.7, 0.8
"""Where the table top begins, and where things stand on the others: shares of the height."""


def table_room(scene: Scene) -> None:
    """Paint the room behind a table: a wall, a window to one side, lamps, all of it a little out of focus."""
    room.wall(scene)
    box = room.window_box(scene, left=bool(scene.rng.random() < 0.5))
    room.window(scene, box)
    room.garland(scene)
    soften(scene)
    _lamps(scene)


def _lamps(scene: Scene) -> None:
    """Hang two lamps over the table."""
    canvas, unit = scene.canvas, scene.unit
    warm = rgb(lch(0.93, 0.1, 82))
    for share in (0.3, 0.7):
        x, y = scene.width * share, scene.height * 0.2
        shade = canvas.stencil(x - 60 * unit, 0, x + 60 * unit, y + 30 * unit)
        shade.rectangle(x - 1.4 * unit, 0, x + 1.4 * unit, y - 20 * unit)
        shade.polygon(
            [
                (x - 16 * unit, y - 24 * unit),
                (x + 16 * unit, y - 24 * unit),
                (x + 52 * unit, y + 14 * unit),
                (x - 52 * unit, y + 14 * unit),
            ]
        )
        canvas.stamp(shade, rgb(mix(scene.tones.accents[0], scene.tones.near, 0.35)))
        bulb = canvas.stencil(x - 60 * unit, y, x + 60 * unit, y + 30 * unit)
        bulb.ellipse(x, y + 14 * unit, 30 * unit, 7 * unit)
        canvas.stamp(bulb, warm)
        canvas.glow(x, y + 30 * unit, 120 * unit, warm, 0.34)


def table(scene: Scene) -> None:
    """Push a wooden table into the foreground, its grain running toward the viewer."""
    canvas, unit = scene.canvas, scene.unit
    top = scene.height * TABLE_ROW
    wood = furniture.wood(scene, 0.12)
    level = np.full(scene.width, top, np.float32)
    canvas.below(level, rgb(lighter(wood, 0.08)), rgb(lighter(wood, -0.06)), scene.height - top)
    grain = scene.noise.field("rough", scene.height - round(top), scene.width, scene.rng, tall=0.02, wide=0.9) - 0.5
    broad = scene.noise.field("cloud", scene.height - round(top), scene.width, scene.rng, tall=0.05, wide=0.6) - 0.5
    canvas.rgb[:, round(top) :] *= 1 + (0.16 * grain + 0.2 * broad)
    boards = canvas.stencil(0, top, scene.width, scene.height, finer=2)
    for share in (0.3, 0.66):
        y = top + (scene.height - top) * share
        boards.rectangle(0, y, scene.width, y + 2.4 * unit)
    canvas.stamp(boards, rgb(furniture.wood(scene, -0.1)), 0.55)
    edge = canvas.stencil(0, top - 3 * unit, scene.width, top + 8 * unit, finer=2)
    edge.rectangle(0, top, scene.width, top + 4 * unit)
    canvas.stamp(edge, rgb(mix(wood, scene.tones.light, 0.4)), 0.8)
    canvas.glow(scene.width / 2, top + 60 * unit, 320 * unit, rgb(lch(0.85, 0.09, 80)), 0.2)


def sill(scene: Scene) -> None:
    """Look out of a wide window, with its sill across the foreground."""
    canvas, unit = scene.canvas, scene.unit
    room.wall(scene)
    margin = scene.width * 0.09
    bottom = scene.height * (SILL_ROW - 0.02)
    box = (
        int(margin),
        int(scene.height * 0.07),
        max(8, int(scene.width - 2 * margin)),
        max(8, int(bottom - scene.height * 0.07)),
    )
    room.window(scene, box, dressed=False)
    top = scene.height * (SILL_ROW - 0.035)
    paint = mix(lch(0.86, 0.02, 80), scene.tones.haze, 0.3 if scene.tones.hour in ("day", "dawn") else 0.5)
    board = np.full(scene.width, top, np.float32)
    canvas.below(board, rgb(lighter(paint, 0.05)), rgb(lighter(paint, -0.06)), 70 * unit)
    canvas.below(board + 84 * unit, rgb(lighter(paint, -0.16)), rgb(lighter(paint, -0.22)), 40 * unit)
    wall = lighter(furniture.paper(scene), -0.06)
    canvas.below(board + 112 * unit, rgb(lighter(wall, -0.05)), rgb(lighter(wall, -0.12)), 120 * unit)
    x, y, width, height = box
    canvas.glow(
        x + width / 2, y + height * 0.7, height * 0.7, rgb(mix(scene.tones.sky[-1], scene.tones.light, 0.3)), 0.16
    )


def soften(scene: Scene) -> None:
    """Put what is far away out of focus, so that what is near stands out."""
    scene.canvas.blur(4.5 * scene.unit)


def branch(scene: Scene) -> None:
    """Let a bough reach across the picture for birds to sit on."""
    canvas, unit, rng = scene.canvas, scene.unit, scene.rng
    bark = mix(scene.tones.near, lch(0.36, 0.05, 55), 0.5 if scene.tones.is_dark else 0.75)
    y0 = scene.height * BRANCH_ROW
    sag = 12 * unit * line(rng, 64, 2.0, 2, 0.3)
    spine = [
        (scene.width * t, y0 + float(sag[int(t * 63)]) * 0.5 + 8 * unit) for t in np.linspace(-0.02, 1.0, 40).clip(0, 1)
    ]
    wood = canvas.stencil(0, y0 - 160 * unit, scene.width, y0 + 190 * unit, finer=2)
    for number, ((x0, a), (x1, b)) in enumerate(pairwise(spine)):
        thick = (34 - 18 * number / 39) * unit
        wood.polygon([(x0, a), (x1, b), (x1, b + thick), (x0, a + thick)])
    for at, turn, long in ((0.2, 0.7, 150.0), (0.44, -0.55, 120.0), (0.68, 0.6, 130.0), (0.88, -0.5, 100.0)):
        x, y = scene.width * at, y0 + 18 * unit
        end = (x + math.cos(turn) * long * unit, y + math.sin(turn) * long * unit)
        wood.stroke([(x, y), ((x + end[0]) / 2, (y + end[1]) / 2 + 4 * unit), end], 8 * unit)
    canvas.stamp(wood, rgb(bark))
    light = canvas.stencil(0, y0 - 10 * unit, scene.width, y0 + 40 * unit, finer=2)
    for (x0, a), (x1, b) in pairwise(spine):
        light.polygon([(x0, a), (x1, b), (x1, b + 5 * unit), (x0, a + 5 * unit)])
    canvas.stamp(light, rgb(mix(bark, scene.tones.light, 0.35)), 0.7)
    _leaves(scene, y0)


def _leaves(scene: Scene, y0: float) -> None:
    canvas, unit, rng = scene.canvas, scene.unit, scene.rng
    if scene.idea.season == "winter":
        return
    hue = {"autumn": 50.0, "spring": 355.0}.get(scene.idea.season or "", 140.0)
    for shade in (-0.04, 0.05):
        leaves = canvas.stencil(0, y0 - 90 * unit, scene.width, y0 + 180 * unit, finer=2)
        for at in (0.03, 0.1, 0.3, 0.5, 0.77, 0.95):
            for _ in range(7):
                x = scene.width * at + float(rng.normal(0, 46)) * unit + 60 * unit
                y = y0 + float(rng.uniform(34, 120)) * unit
                size, turn = float(rng.uniform(9, 17)) * unit, float(rng.uniform(0.6, 2.2))
                dx, dy = math.cos(turn) * size, math.sin(turn) * size
                leaves.polygon(
                    [(x - dx, y - dy), (x - dy * 0.5, y + dx * 0.5), (x + dx, y + dy), (x + dy * 0.5, y - dx * 0.5)]
                )
        ink = mix(lch(0.5, 0.12, hue), scene.tones.near, 0.5 if scene.tones.is_dark else 0.2)
        canvas.stamp(leaves, rgb(lighter(ink, shade)))


def stage(scene: Scene) -> None:
    """Draw back the curtain of a stage in the beams of spotlights."""
    canvas, unit, rng = scene.canvas, scene.unit, scene.rng
    hue = scene.idea.hues[0] if scene.idea.hues else float(rng.choice([20.0, 305.0, 255.0]))
    canvas.rgb[:] = canvas.gradient(
        rgb(lch(0.16, 0.06, hue)), rgb(lch(0.3, 0.11, hue)), 0, scene.height, 0, scene.height
    )
    folds = 0.5 + 0.5 * np.sin(canvas.x / (21 * unit) + 2.2 * line(rng, scene.width, 5, 2))
    canvas.rgb *= (0.72 + 0.5 * folds)[None, None, :].astype(np.float32)
    row = scene.height * (STAGE_ROW - 0.06)
    floor = lch(0.42, 0.06, 55)
    level = np.full(scene.width, row, np.float32)
    canvas.below(level, rgb(lighter(floor, -0.08)), rgb(lighter(floor, 0.06)), scene.height - row)
    boards = canvas.stencil(0, row, scene.width, scene.height, finer=2)
    for index in range(-12, 13):
        boards.polygon(
            [
                (scene.width / 2 + index * 70 * unit, row),
                (scene.width / 2 + index * 70 * unit + 1.2, row),
                (scene.width / 2 + index * 130 * unit + 2, scene.height),
                (scene.width / 2 + index * 130 * unit, scene.height),
            ]
        )
    canvas.stamp(boards, rgb(lighter(floor, -0.16)), 0.7)
    for share, toward in ((0.12, 0.5), (0.5, 0.5), (0.88, 0.5)):
        _beam(scene, share, toward)
    for side in (0, 1):
        _drape(scene, side, hue)


def _beam(scene: Scene, start: float, toward: float) -> None:
    canvas = scene.canvas
    x = canvas.coarse_x - scene.width * (start + (toward - start) * canvas.coarse_y / (scene.height * STAGE_ROW))
    wide = (20 + 150 * canvas.coarse_y / scene.height) * scene.unit
    cone = np.exp(-((x / wide) ** 2)) * np.clip(1.05 - canvas.coarse_y / (scene.height * 1.05), 0, 1)
    canvas.light += rgb(lch(0.92, 0.06, 85))[:, None, None] * (cone * 0.3).astype(np.float32)


def _drape(scene: Scene, side: int, hue: float) -> None:
    canvas, unit = scene.canvas, scene.unit
    for fold in range(4):
        at = fold * 40 * unit
        x0, x1 = (at - 6 * unit, at + 44 * unit)
        if side:
            x0, x1 = scene.width - x1, scene.width - x0
        cloth = canvas.stencil(x0 - 20 * unit, 0, x1 + 20 * unit, scene.height)
        cloth.polygon([(x0, 0), (x1, 0), (x1 + (3 - fold) * 3 * unit, scene.height * 0.93), (x0, scene.height * 0.93)])
        canvas.stamp(cloth, rgb(lch(0.36 + 0.05 * (fold % 2), 0.15, hue)))
