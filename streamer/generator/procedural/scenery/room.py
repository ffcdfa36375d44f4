"""Interiors: a wall in lamplight, a window with a view of its own, and the furniture the prompt names."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from streamer.generator.procedural.engine.canvas import Canvas
from streamer.generator.procedural.engine.colour import lch, lighter, mix, rgb
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.scenery import city, furniture, land, sky, water, weather

_SEATS = ("1f6cb", "1f6cf")
"""A couch with its lamp, and a bed: where they are asked for, the room has no sofa of its own."""


def paint(scene: Scene) -> None:
    """Furnish a room from the back wall to the desk in front."""
    left = bool(scene.rng.random() < 0.5)
    wall(scene)
    box = window_box(scene, left)
    window(scene, box)
    floor = scene.height * 0.8
    _floor(scene, floor)
    other = scene.width * (0.78 if left else 0.22)
    if scene.idea.has("fireplace") or (scene.idea.season == "winter" and not scene.idea.has("computer")):
        furniture.fireplace(scene, other, floor)
    else:
        furniture.shelves(scene, other)
    garland(scene)
    if scene.idea.has("computer"):
        furniture.desk(scene, scene.width * 0.5, floor)
    elif not any(figure.key in _SEATS for figure in scene.cast):
        furniture.sofa(scene, scene.width * (0.36 if left else 0.64), floor)
        furniture.lamp(scene, scene.width * (0.56 if left else 0.44), floor)
    furniture.plant(scene, scene.width * (0.06 if left else 0.94), floor + 60 * scene.unit)
    _light_from(scene, box)


def window(scene: Scene, box: tuple[int, int, int, int], *, dressed: bool = True) -> None:
    """Set a window with a view into the wall; ``dressed`` hangs curtains and puts something on its sill."""
    _view(scene, box)
    _frame(scene, box)
    if dressed:
        _curtains(scene, box)
        _sill(scene, box[0] + box[2] * 0.2, box[1] + box[3] + 10 * scene.unit)


def wall(scene: Scene) -> None:
    """Paper the wall in soft stripes."""
    canvas, paper = scene.canvas, furniture.paper(scene)
    shape = (canvas.coarse_height, canvas.coarse_width)
    patches = scene.noise.field("smooth", *shape, scene.rng, tall=0.4, wide=0.4)
    t = np.clip(canvas.coarse_y / canvas.height * 0.75 + (patches - 0.5) * 0.3, 0, 1)
    top, low = rgb(lighter(paper, 0.03))[:, None, None], rgb(lighter(paper, -0.09))[:, None, None]
    canvas.cover((top + (low - top) * t).astype(np.float32))
    stripes = ((np.arange(scene.width) // max(1, int(22 * scene.unit))) % 2).astype(np.float32)[None, :]
    rows = round(scene.height * 0.8)
    canvas.blend(rgb(lighter(paper, 0.05)), np.repeat(stripes, rows, 0) * np.float32(0.35))


def window_box(scene: Scene, left: bool) -> tuple[int, int, int, int]:
    """Return the window's pane as x, y, width, height."""
    width = int(min(scene.width * 0.46, scene.height * 0.9))
    height = int(scene.height * 0.54)
    x = scene.width * (0.1 if left else 0.9) - (0 if left else width)
    return int(x), int(scene.height * 0.1), max(8, width), max(8, height)


def _view(scene: Scene, box: tuple[int, int, int, int]) -> None:
    """Paint another scene at the window's size and set it into the wall."""
    x, y, width, height = box
    outside = Canvas(width, height)
    outside.unit = scene.unit * 0.75
    idea = replace(scene.idea, places=tuple(name for name in scene.idea.places if name != "room"))
    view = Scene(
        outside,
        scene.noise,
        scene.tones,
        idea,
        scene.rng,
        height * 0.72,
        (width * 0.66, height * 0.26),
        scene.kind,
        (),
        scene.setting,
    )
    sky.paint(view)
    if {"sea", "lake"} & set(idea.places):
        water.paint(view)
    elif {"mountains", "forest", "village", "field"} & set(idea.places) or scene.is_snowy:
        land.range_of_mountains(view, height * 0.82, height * 0.42, 0.35, snow=True)
        for depth in (0.5, 0.7):
            land.hills(
                view, height * (0.6 + 0.35 * depth), 26 * view.unit, scene.tones.layer(depth), scene.tones.earth(depth)
            )
    else:
        for depth, share in ((0.15, 0.55), (0.4, 0.62), (0.75, 0.46)):
            city.skyline(view, height + 1, height * share, depth)
    if idea.has("rain", "storm", "snow") or scene.is_snowy:
        weather.paint(view)
    scene.canvas.rgb[:, y : y + height, x : x + width] = outside.rgb[:, : scene.height - y, : scene.width - x]


def _frame(scene: Scene, box: tuple[int, int, int, int]) -> None:
    canvas, unit, (x, y, width, height) = scene.canvas, scene.unit, box
    wood = furniture.wood(scene, 0.1)
    bars = canvas.stencil(x - 30 * unit, y - 20 * unit, x + width + 30 * unit, y + height + 40 * unit)
    bars.rectangle(x - 13 * unit, y - 13 * unit, x + width + 13 * unit, y + height + 13 * unit, 4 * unit)
    bars.rectangle(x, y, x + width, y + height, value=0)
    for share in (1 / 3, 2 / 3):
        bars.rectangle(x + width * share - 3.5 * unit, y, x + width * share + 3.5 * unit, y + height)
    bars.rectangle(x, y + height * 0.36, x + width, y + height * 0.36 + 6 * unit)
    bars.rectangle(x - 28 * unit, y + height + 10 * unit, x + width + 28 * unit, y + height + 26 * unit, 3 * unit)
    canvas.stamp(bars, rgb(wood))


def _curtains(scene: Scene, box: tuple[int, int, int, int]) -> None:
    canvas, unit, (x, y, width, height) = scene.canvas, scene.unit, box
    ink = mix(furniture.paper(scene), scene.tones.accents[0], 0.3)
    for side, edge in ((-1, x), (1, x + width)):
        for fold in range(4):
            near, far = edge + side * (34 - fold * 22) * unit, edge + side * (34 - (fold + 1) * 22) * unit
            cloth = canvas.stencil(
                min(near, far) - 8 * unit, y - 30 * unit, max(near, far) + 8 * unit, y + height + 60 * unit
            )
            cloth.polygon(
                [
                    (near, y - 26 * unit),
                    (far, y - 26 * unit),
                    (far + side * fold * 3 * unit, y + height + 50 * unit),
                    (near + side * 4 * unit, y + height + 50 * unit),
                ]
            )
            canvas.stamp(cloth, rgb(lighter(ink, 0.045 * (1 if fold % 2 else -1))))
    rod = canvas.stencil(x - 70 * unit, y - 40 * unit, x + width + 70 * unit, y)
    rod.stroke([(x - 54 * unit, y - 28 * unit), (x + width + 54 * unit, y - 28 * unit)], 6 * unit)
    canvas.stamp(rod, rgb(furniture.wood(scene, -0.08)))


def _sill(scene: Scene, x: float, y: float) -> None:
    """Stand a succulent and a mug on the sill."""
    canvas, unit = scene.canvas, scene.unit
    pot = canvas.stencil(x - 40 * unit, y - 70 * unit, x + 120 * unit, y + 2)
    pot.polygon(
        [(x - 17 * unit, y - 28 * unit), (x + 17 * unit, y - 28 * unit), (x + 12 * unit, y), (x - 12 * unit, y)]
    )
    canvas.stamp(pot, rgb(mix(lch(0.60, 0.12, 40), scene.tones.near, 0.2)))
    leaf = canvas.stencil(x - 40 * unit, y - 80 * unit, x + 40 * unit, y)
    for angle in np.linspace(-2.7, -0.44, 7):
        leaf.polygon(
            [
                (x - 4 * unit, y - 27 * unit),
                (x + math.cos(angle) * 30 * unit, y - 28 * unit + math.sin(angle) * 34 * unit),
                (x + 4 * unit, y - 27 * unit),
            ]
        )
    canvas.stamp(leaf, rgb(mix(lch(0.56, 0.11, 150), scene.tones.near, 0.2)))
    mug = canvas.stencil(x + 40 * unit, y - 40 * unit, x + 100 * unit, y + 2)
    mug.ellipse(x + 86 * unit, y - 14 * unit, 9 * unit, 9 * unit)
    mug.ellipse(x + 86 * unit, y - 14 * unit, 5 * unit, 5 * unit, 0)
    mug.rectangle(x + 56 * unit, y - 28 * unit, x + 84 * unit, y, 4 * unit)
    canvas.stamp(mug, rgb(scene.tones.accents[1]))


def _floor(scene: Scene, y: float) -> None:
    canvas, unit = scene.canvas, scene.unit
    edge = np.full(scene.width, y, np.float32)
    canvas.below(edge, rgb(furniture.wood(scene, 0.0)), rgb(furniture.wood(scene, -0.12)), scene.height - y)
    boards = canvas.stencil(0, y, scene.width, scene.height, finer=2)
    for index in range(-9, 10):
        near = scene.width / 2 + index * 190 * unit
        far = scene.width / 2 + index * 96 * unit
        boards.polygon([(far, y), (far + 1.2 * unit, y), (near + 2.6 * unit, scene.height), (near, scene.height)])
    canvas.stamp(boards, rgb(furniture.wood(scene, -0.16)), 0.6)
    skirting = canvas.stencil(0, y - 18 * unit, scene.width, y + 2)
    skirting.rectangle(0, y - 16 * unit, scene.width, y)
    canvas.stamp(skirting, rgb(furniture.wood(scene, 0.13)))
    rug = canvas.stencil(0, y, scene.width, scene.height)
    for wide, value in ((0.34, 255), (0.31, 150), (0.28, 255)):
        rug.ellipse(
            scene.width / 2, y + (scene.height - y) * 0.62, scene.width * wide, (scene.height - y) * wide * 1.25, value
        )
    canvas.stamp(rug, rgb(mix(furniture.paper(scene), scene.tones.accents[1], 0.45)), 0.9)


def garland(scene: Scene) -> None:
    """Hang a string of small lights under the ceiling."""
    canvas, unit = scene.canvas, scene.unit
    warm = rgb(lch(0.92, 0.11, 80))
    wire = canvas.stencil(0, 0, scene.width, scene.height * 0.2, finer=2)
    lamps = canvas.stencil(0, 0, scene.width, scene.height * 0.2, finer=2)
    for start in np.arange(-0.1, 1.1, 0.3):
        xs = [(float(start) + 0.3 * t) * scene.width for t in np.linspace(0, 1, 13)]
        ys = [14 * unit + 46 * unit * (1 - (2 * t - 1) ** 2) for t in np.linspace(0, 1, 13)]
        wire.stroke(list(zip(xs, ys, strict=True)), 1.3 * unit)
        for x, y in list(zip(xs, ys, strict=True))[::2]:
            lamps.ellipse(x, y + 5 * unit, 3.6 * unit, 5 * unit)
            canvas.glow(x, y + 5 * unit, 15 * unit, warm, 0.55)
    canvas.stamp(wire, rgb(furniture.wood(scene, -0.2)), 0.8)
    canvas.stamp(lamps, warm)


def _light_from(scene: Scene, box: tuple[int, int, int, int]) -> None:
    """Let the window's own light fall softly into the room."""
    x, y, width, height = box
    colour = rgb(mix(scene.tones.sky[-1], scene.tones.light, 0.3))
    scene.canvas.glow(x + width / 2, y + height / 2, height * 0.75, colour, 0.16 if scene.tones.is_dark else 0.3)
