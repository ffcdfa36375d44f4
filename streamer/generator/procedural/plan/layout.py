"""Where each figure stands: groups of figures that belong together, placed by kind, so that nothing is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from streamer.generator.procedural.plan.cast import Dye, Figure, Relation
from streamer.generator.procedural.plan.groups import Group, Measures, group_of, is_base
from streamer.generator.procedural.plan.kinds import Habitat

_MARGIN = 0.05
_SMALLEST, _LARGEST = 0.2, 0.6
_ALONE = 1.3
_LEAST_BESIDE = 0.1
"""What stands beside a portrait is at least this share of the picture's short side, however wide the portrait is."""


class Medium(StrEnum):
    """What a figure is surrounded by, which decides its shadow."""

    GROUND = "ground"
    WATER = "water"
    AIR = "air"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where in a view things can be, as shares of the height: first and last row, from far to near.

    ``floor`` takes feet, ``shelf`` is the one row of a table or branch, ``water`` takes hulls, ``sky`` what flies.
    Where ``floats`` is set nothing stands: space, the deep sea. ``mirrors`` tells of wet ground, ``lamplit`` of a room,
    ``portrait`` of a picture of the figures alone, of whose side they fill this share (0: a view), ``title`` of words
    across the upper part.
    """

    floor: tuple[float, float] = (0.75, 0.95)
    sky: tuple[float, float] = (0.1, 0.5)
    water: tuple[float, float] | None = None
    shelf: float | None = None
    behind_shelf: bool = False
    floats: bool = False
    mirrors: bool = False
    lamplit: bool = False
    portrait: float = 0.0
    title: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """One drawing in the picture: the middle of its foot and its height in pixels, and how it is lit and turned.

    ``depth`` is 0 in the far haze and 1 in front; ``sunk`` is the share of its height that is under water or behind
    something; ``order`` sorts from back to front.
    """

    key: str = ""
    x: float = 0.0
    foot: float = 0.0
    height: float = 0.0
    medium: Medium = Medium.AIR
    depth: float = 1.0
    sunk: float = 0.0
    mirrored: bool = False
    degrees: float = 0.0
    dye: Dye | None = None
    order: float = 0.0


def arrange(
    cast: Sequence[Figure], setting: Setting, width: int, height: int, shapes: Measures, rng: np.random.Generator
) -> list[Placement]:
    """Place every figure, back to front; the same arguments give the same places."""
    groups = [group_of(index, cast, shapes) for index, figure in enumerate(cast) if is_base(figure)]
    rows: dict[str, list[Group]] = {}
    for group in groups:
        rows.setdefault(_row(group.base, setting), []).append(group)
    placed: list[Placement] = []
    for row, members in rows.items():
        alone = len(groups) == 1 and members[0].base.count == 1
        area = _Area(setting, width, height, alone, bool(rows.keys() - {row}))
        placed += _ROWS[row](members, area, rng)
    return sorted(placed, key=lambda placement: placement.order)


@dataclass(frozen=True, slots=True)
class _Area:
    setting: Setting
    width: int
    height: int
    alone: bool
    shared: bool


def _row(base: Figure, setting: Setting) -> str:
    habitat = base.kind.habitat
    if setting.portrait:
        return "portrait"
    if setting.floats:
        return "floating"
    if base.relation is Relation.OVER or habitat is Habitat.SKY:
        return "sky"
    if habitat is Habitat.AIR:
        return "air"
    if setting.water is not None and habitat in (Habitat.AFLOAT, Habitat.SUBMERGED):
        return "afloat"
    if setting.shelf is not None and (not setting.behind_shelf or not base.is_alive):
        return "shelf"
    return "far" if habitat is Habitat.FAR else "ground"


def _share(group: Group, area: _Area) -> float:
    """Return a group's height as a share of the picture's, before anything is made to fit."""
    share = float(np.clip(0.4 * group.base.kind.size**0.5, _SMALLEST, _LARGEST))
    share *= _ALONE if area.alone and group.base.kind.size < 1.2 else 1.0
    return min(share * float(group.top**0.7), 0.68)


def _copies(groups: Sequence[Group], rng: np.random.Generator) -> list[tuple[Group, float]]:
    """List every group as often as it is wanted, with a size of its own."""
    copies = []
    for group in groups:
        many = group.base.count
        for number in range(many):
            size = 1.0 if many == 1 else (1 - 0.05 * min(many, 6)) * float(rng.uniform(0.82, 1.12))
            copies.append((group, size if number else max(size, 0.9)))
    return copies


@dataclass(frozen=True, slots=True)
class _Spot:
    """One group in its line: its middle and its height in pixels; ``lane`` is 0 in front and 1 in the last line."""

    group: Group
    x: float
    tall: float
    lane: float


def _in_line(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[_Spot]:
    """Line groups up from left to right, in a second and third line where one would make them too small."""
    copies = _copies(groups, rng)
    wide = sum(_share(group, area) * size * group.aspect for group, size in copies) * area.height / area.width
    lanes = min(len(copies), 1 if wide < 1.5 else 2 if wide < 3.2 else 3)
    spots: list[_Spot] = []
    for lane in reversed(range(lanes)):
        share = lane / max(1, lanes - 1) if lanes > 1 else 0.0
        spots += _one_line(copies[lane::lanes], area, rng, share)
    return spots


def _one_line(
    copies: Sequence[tuple[Group, float]], area: _Area, rng: np.random.Generator, lane: float
) -> Iterator[_Spot]:
    heights = np.array([_share(group, area) * size * area.height for group, size in copies]) * (1 - 0.22 * lane)
    widths = heights * np.array([group.aspect for group, _ in copies])
    gap = area.width * 0.025
    room = area.width * (1 - 2 * _MARGIN) - gap * (len(copies) - 1)
    fit = min(1.0, room / max(1.0, float(widths.sum())))
    heights, widths = heights * fit, widths * fit
    free = max(0.0, room - float(widths.sum()))
    spread = min(free / (len(copies) + 1), area.width * 0.06)
    start = area.width * _MARGIN + (free - spread * (len(copies) - 1)) * float(rng.uniform(0.32, 0.68))
    lefts = start + np.concatenate(([0.0], np.cumsum(widths[:-1] + gap + spread)))
    for (group, _), left, wide, tall in zip(copies, lefts, widths, heights, strict=True):
        yield _Spot(group, float(left + wide / 2), float(tall), lane)


def _place(group: Group, x: float, foot: float, tall: float, like: Placement) -> Iterator[Placement]:
    """Turn a group into placements ``like`` the one given; ``x`` is the middle of its outline."""
    unit = tall / group.top
    side = -1.0 if like.mirrored else 1.0
    base_x = x - side * (group.left + group.right) / 2 * unit
    for number, part in enumerate(group.parts):
        stands = part.up == 0.0
        yield replace(
            like,
            key=part.key,
            x=base_x + side * part.x * unit,
            foot=foot - part.up * unit,
            height=part.height * unit,
            medium=like.medium if stands else Medium.AIR,
            sunk=like.sunk if stands else 0.0,
            dye=part.dye,
            degrees=like.degrees + side * part.degrees,
            order=like.order + number * 1e-3,
        )


def _ground(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[Placement]:
    """Stand groups on the floor, the large ones a little farther away."""
    far, near = area.setting.floor
    placed: list[Placement] = []
    for spot in _in_line(groups, area, rng):
        size = spot.group.base.kind.size
        back = 0.34 if size > 1.4 else 0.2 if size > 0.7 else 0.08
        depth = float(np.clip(1 - back - rng.uniform(0, 0.22) - 0.6 * spot.lane, 0, 1))
        foot = area.height * (far + (near - far) * depth)
        like = Placement(medium=Medium.GROUND, depth=0.55 + 0.45 * depth, order=foot, mirrored=bool(rng.random() < 0.5))
        placed += _place(spot.group, spot.x, foot, spot.tall, like)
    return placed


def _distant(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[Placement]:
    """Stand buildings at the far end of the floor; figures in front may hide their feet."""
    far, near = area.setting.floor
    placed: list[Placement] = []
    for spot in _in_line(groups, area, rng):
        foot = area.height * (far + (near - far) * (0.12 if area.shared else 0.3) * (1 - spot.lane))
        like = Placement(medium=Medium.GROUND, depth=0.55, order=foot - area.height * 0.2)
        placed += _place(spot.group, spot.x, foot, spot.tall * (0.8 if area.shared else 1.0), like)
    return placed


def _afloat(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[Placement]:
    """Set hulls and swimmers into the water."""
    far, near = area.setting.water or area.setting.floor
    placed: list[Placement] = []
    for spot in _in_line(groups, area, rng):
        depth = float(np.clip(rng.uniform(0.4, 0.8) - 0.35 * spot.lane, 0.1, 1))
        row = area.height * (far + (near - far) * depth)
        sunk = spot.group.base.kind.draught
        like = Placement(
            medium=Medium.WATER, depth=0.55 + 0.4 * depth, sunk=sunk, order=row, mirrored=bool(rng.random() < 0.5)
        )
        placed += _place(spot.group, spot.x, row + spot.tall * sunk, spot.tall, like)
    return placed


def _on_shelf(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[Placement]:
    """Stand things side by side on the table, the sill or the branch."""
    row = area.height * (area.setting.shelf or area.setting.floor[0])
    placed: list[Placement] = []
    for spot in _in_line(groups, area, rng):
        depth = float(rng.uniform(0.2, 1)) - 0.9 * spot.lane if area.setting.behind_shelf else 0.0
        foot = row + depth * area.height * 0.06
        like = Placement(medium=Medium.GROUND, order=area.height + foot)
        placed += _place(spot.group, spot.x, foot, min(spot.tall, row * 0.8), like)
    return placed


def _flying(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[Placement]:
    """Spread what flies over the sky, leaving air around each."""
    return _spread(groups, area, rng, area.setting.sky, 0.8 if area.shared else 0.9)


def _fluttering(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[Placement]:
    """Let butterflies, ghosts and hearts hover at the height of the heads of those on the ground."""
    top = area.setting.sky[1] * 0.7
    return _spread(groups, area, rng, (top, max(area.setting.floor[0], top + 0.1)), 0.8 if area.shared else 1.0)


def _drifting(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[Placement]:
    """Let everything float: in space and in the deep nothing stands."""
    return _spread(groups, area, rng, (0.34 if area.setting.title else 0.16, 0.88), 1.0, tilt=14.0)


def _spread(
    groups: Sequence[Group], area: _Area, rng: np.random.Generator, rows: tuple[float, float], scale: float,
    tilt: float = 6.0,
) -> list[Placement]:  # fmt: skip
    """Hang groups between two rows, neighbours at different heights."""
    line = _in_line(groups, area, rng)
    top, reach = rows[0] * area.height, max(1.0, (rows[1] - rows[0]) * area.height)
    has_lanes = any(spot.lane for spot in line)
    placed: list[Placement] = []
    for number, spot in enumerate(line):
        size = min(spot.tall * scale, reach * (0.62 if has_lanes else 0.95))
        at = 1 - spot.lane if has_lanes else 0.5 if len(line) == 1 else (0.28 if number % 2 else 0.72)
        foot = top + size + (reach - size) * float(np.clip(at + rng.uniform(-0.2, 0.2), 0, 1))
        like = Placement(
            depth=0.7 + 0.3 * size / area.height,
            order=size - (0 if spot.group.base.relation is Relation.OVER else area.height),
            mirrored=bool(rng.random() < 0.5),
            degrees=float(rng.uniform(-tilt, tilt)) if len(spot.group.parts) == 1 else 0.0,
        )
        placed += _place(spot.group, spot.x, foot, size, like)
    return placed


def _portrait(groups: Sequence[Group], area: _Area, rng: np.random.Generator) -> list[Placement]:
    """Fill the picture with the first living figure, and gather the others around its feet."""
    main = next((group for group in groups if group.base.is_alive), groups[0])
    others = [group for group in groups if group is not main]
    side = min(area.width, area.height)
    copies = min(main.base.count, 3)
    share = area.setting.portrait * (1.0 if not others else 0.86) * (1.0 if copies == 1 else 0.72)
    share *= 0.84 if area.setting.title else 1.0
    room = (0.76 if area.setting.title else 0.92) * area.height
    tall = min(side * share * main.top**0.4, 0.86 * area.width / main.aspect / copies, room)
    foot = area.height * (0.6 if area.setting.title else 0.5) + tall * 0.5 + side * (0.02 if not others else 0.0)
    shift = -0.06 * area.width if len(others) == 1 else 0.0
    placed: list[Placement] = []
    for number in range(copies):
        x = area.width / 2 + shift + (number - (copies - 1) / 2) * tall * main.aspect * 0.92
        placed += _place(main, x, foot, tall, Placement(medium=Medium.AIR, order=float(number)))
    for number, group in enumerate(others[:4]):
        ratio = float(np.clip((group.base.kind.size / main.base.kind.size) ** 0.5, 0.38, 0.72))
        size = min(max(tall * ratio, side * _LEAST_BESIDE), area.width * 0.34 / group.aspect)
        right = number % 2 == 0
        low = number < 2
        x = area.width / 2 + shift + (1 if right else -1) * (tall * main.aspect * 0.5 + size * group.aspect * 0.22)
        edge = size * group.aspect * 0.5 + area.width * 0.05
        x = float(np.clip(x, edge, max(edge, area.width - edge)))
        y = float(np.clip(foot + side * 0.015 if low else foot - tall * 0.62, size, area.height))
        placed += _place(group, x, y, size, Placement(medium=Medium.AIR, order=(10.0 if low else -10.0) + number))
    return placed


_ROWS: dict[str, Callable[[Sequence[Group], _Area, np.random.Generator], list[Placement]]] = {
    "ground": _ground,
    "far": _distant,
    "afloat": _afloat,
    "shelf": _on_shelf,
    "sky": _flying,
    "air": _fluttering,
    "floating": _drifting,
    "portrait": _portrait,
}
