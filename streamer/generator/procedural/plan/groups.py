"""Groups of figures that move together: who rides, sits in or wears what, and what an engine pulls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.generator.procedural.plan.cast import Dye, Figure, Relation
from streamer.generator.procedural.plan.kinds import Habitat, key_of

Aspect = Callable[[str], float]
"""Width divided by height of a drawing."""
HeadOf = Callable[[str], tuple[float, float, float, float]]
"""Middle, width, top and row of the eyes of a drawing's head, as shares of the drawing."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How the drawings are shaped: what the layout has to know of them."""

    aspect: Aspect
    head_of: HeadOf


@dataclass(frozen=True, slots=True)
class Part:
    """A drawing within a group, in units of the group's base: middle of the foot, up, and height."""

    key: str
    x: float
    up: float
    height: float
    dye: Dye | None
    behind: bool = False
    degrees: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that move together: one is the base, the others ride, wear or sit in it."""

    base: Figure
    parts: tuple[Part, ...]
    left: float
    right: float
    top: float

    @property
    def aspect(self) -> float:
        return (self.right - self.left) / self.top


def is_base(figure: Figure) -> bool:
    return figure.relation not in (Relation.ON, Relation.IN, Relation.WORN) or figure.tied_to is None


def _half_width(part: Part, shapes: Measures) -> float:
    angle = np.radians(part.degrees)
    return part.height * float(abs(np.cos(angle)) * shapes.aspect(part.key) + abs(np.sin(angle))) / 2


def _is_flown(index: int, cast: Sequence[Figure]) -> bool:
    """Tell whether somebody rides this through the air."""
    return any(figure.tied_to == index and figure.relation is Relation.ON for figure in cast)


def group_of(index: int, cast: Sequence[Figure], shapes: Measures) -> Group:
    """Stack what is tied to a figure upon it."""
    base = cast[index]
    parts = [Part(base.key, 0.0, 0.0, 1.0, base.dye, degrees=base.kind.flown_at if _is_flown(index, cast) else 0.0)]
    for figure in cast:
        if figure.tied_to == index:
            parts += _tied(figure, base, shapes)
    parts += _carriages(base, shapes)
    halves = [(part.x, _half_width(part, shapes), part.up + part.height) for part in parts]
    return Group(
        base,
        tuple(sorted(parts, key=lambda part: not part.behind)),
        min(x - half for x, half, _ in halves),
        max(x + half for x, half, _ in halves),
        max(top for _, _, top in halves),
    )


def _tied(figure: Figure, base: Figure, shapes: Measures) -> Iterator[Part]:
    scale = float(np.clip((figure.kind.size / base.kind.size) ** 0.6, 0.45, 1.15))
    if figure.relation is Relation.WORN:
        yield _worn(figure, base, shapes)
    elif figure.relation in (Relation.ON, Relation.IN):
        inside = figure.relation is Relation.IN
        at_door = inside and base.kind.habitat is Habitat.FAR
        scale = min(scale, 0.95) if inside else scale
        up = (
            0.0
            if at_door
            else 0.42
            if inside or base.kind.flown_at
            else base.kind.seat or (0.86 if base.is_alive else 0.8)
        )
        count = min(3, figure.count)
        step = shapes.aspect(figure.key) * scale * 0.8
        for number in range(count):
            yield Part(
                figure.key,
                (number - (count - 1) / 2) * step,
                up,
                scale,
                figure.dye,
                behind=(inside and not at_door) or bool(base.kind.flown_at),
            )


def _carriages(base: Figure, shapes: Measures) -> Iterator[Part]:
    """Couple two carriages to an engine, which faces left."""
    if base.kind.pulls:
        key = key_of(base.kind.pulls)
        step = shapes.aspect(key) * 0.9
        start = shapes.aspect(base.key) / 2 + step / 2
        for number in range(2):
            yield Part(key, start + number * step * 0.98, 0.0, 0.9, None)


def _worn(figure: Figure, base: Figure, shapes: Measures) -> Part:
    """Set a hat on the head, and glasses before the eyes."""
    middle, head_width, top, eyes = shapes.head_of(base.key)
    across = shapes.aspect(base.key)
    x, wide = (middle - 0.5) * across, head_width * across
    if "glasses" in figure.kind.name or "goggles" in figure.kind.name:
        tall = wide * 0.86 / shapes.aspect(figure.key)
        return Part(figure.key, x, 1 - eyes - tall * 0.55, tall, figure.dye)
    if "headphone" in figure.kind.name:
        tall = wide * 1.12 / shapes.aspect(figure.key)
        return Part(figure.key, x, 1 - top - tall * 0.82, tall, figure.dye)
    tall = wide * 0.74 / shapes.aspect(figure.key)
    return Part(figure.key, x, 1 - top - tall * 0.3, tall, figure.dye)
