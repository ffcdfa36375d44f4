"""Faces: eyes, mouths, blush and what a character wears on its head."""

from __future__ import annotations

from streamer.generator.procedural.engine.colour import Ink, lch
from streamer.generator.procedural.figures.pen import BLUSH, DARK, WHITE, Pen, arc

LOOKS = ("bright", "happy", "cool", "awe", "wink", "smug")


def eyes(pen: Pen, look: str, x: float, y: float, size: float, iris: Ink | None = None) -> None:
    """Draw two eyes ``x`` to either side of the middle; ``look`` is one of LOOKS."""
    if look == "cool":
        _sunglasses(pen, x, y, size)
        return
    for side in (-1, 1):
        if look == "happy" or (look == "wink" and side == 1):
            pen.stroke(arc(side * x, y + size * 0.3, size * 0.75, size * 0.8, 200, 340), size * 0.32, DARK)
        elif look == "angry":
            _eye(pen, side * x, y, size, iris)
            pen.stroke(
                [(side * (x - size), y - size * 0.75), (side * (x + size * 0.9), y - size * 1.45)], size * 0.36, DARK
            )
        elif look == "sad":
            _eye(pen, side * x, y, size * 1.1, iris)
            pen.stroke(
                [(side * (x - size * 0.7), y - size * 1.75), (side * (x + size), y - size * 1.35)], size * 0.24, DARK
            )
            pen.ellipse(side * (x + size * 0.55), y + size * 1.25, size * 0.3, size * 0.42, lch(0.82, 0.1, 225))
        elif look == "smug":
            _eye(pen, side * x, y, size, iris)
            pen.shade(_lid(side * x, y, size), _lid(side * x, y, size), DARK, 1.0)
        else:
            _eye(pen, side * x, y, size * (1.15 if look == "awe" else 1.0), iris)


def _lid(x: float, y: float, size: float) -> list[tuple[float, float]]:
    return [
        (x - size * 0.95, y - size * 0.22),
        (x + size * 0.95, y - size * 0.22),
        (x + size * 0.95, y - size * 0.5),
        (x - size * 0.95, y - size * 0.5),
    ]


def _eye(pen: Pen, x: float, y: float, size: float, iris: Ink | None) -> None:
    if iris is not None:
        pen.ellipse(x, y, size * 1.02, size * 1.16, DARK)
        pen.ellipse(x, y + size * 0.06, size * 0.86, size * 0.98, iris)
        pen.ellipse(x, y, size * 0.5, size * 0.74, DARK)
    else:
        pen.ellipse(x, y, size * 0.86, size * 1.08, DARK)
    pen.ellipse(x - size * 0.28, y - size * 0.4, size * 0.32, size * 0.34, WHITE)
    pen.ellipse(x + size * 0.3, y + size * 0.38, size * 0.15, size * 0.16, WHITE)


def _sunglasses(pen: Pen, x: float, y: float, size: float) -> None:
    dark = lch(0.2, 0.02, 280)
    pen.box(-x - size * 2.1, y - size * 0.85, x + size * 2.1, y - size * 0.45, size * 0.15, dark)
    for side in (-1, 1):
        left = side * x - size * 1.35
        pen.box(left, y - size * 0.8, left + size * 2.7, y + size * 0.95, size * 0.7, dark)
        for offset in (-0.4, 0.25):
            a = side * x + offset * size
            pen.stroke(
                [(a + size * 0.28, y - size * 0.45), (a - size * 0.1, y + size * 0.35)], size * 0.2, lch(0.6, 0.05, 260)
            )


def mouth(pen: Pen, look: str, x: float, y: float, size: float) -> None:
    """Draw a mouth fitting the look."""
    if look == "awe":
        pen.ellipse(x, y + size * 0.35, size * 0.42, size * 0.55, lch(0.32, 0.09, 20))
        pen.ellipse(x, y + size * 0.6, size * 0.26, size * 0.22, lch(0.68, 0.14, 15))
    elif look in ("bright", "wink"):
        pen.polygon(arc(x, y, size * 0.72, size * 0.9, 0, 180), lch(0.32, 0.09, 20))
        pen.polygon(arc(x, y + size * 0.5, size * 0.42, size * 0.32, 0, 360), lch(0.68, 0.14, 15))
    elif look in ("sad", "angry"):
        pen.stroke(arc(x, y + size * 0.65, size * 0.6, size * 0.5, 200, 340), size * 0.2, DARK)
    elif look == "smug":
        pen.stroke(
            [(x - size * 0.5, y + size * 0.1), (x + size * 0.1, y + size * 0.25), (x + size * 0.7, y - size * 0.12)],
            size * 0.2,
            DARK,
        )
    else:
        pen.stroke(arc(x, y - size * 0.1, size * 0.62, size * 0.55, 15, 165), size * 0.2, DARK)


def blush(pen: Pen, x: float, y: float, size: float) -> None:
    for side in (-1, 1):
        pen.ellipse(side * x, y, size, size * 0.6, BLUSH)


def small(pen: Pen, look: str, y: float, size: float = 0.1, x: float = 0.0) -> None:
    """Draw a whole little face, for things that had none."""
    look = "bright" if look == "cool" else look
    if x == 0.0:
        eyes(pen, look, size * 2.3, y, size)
        blush(pen, size * 4.0, y + size * 1.5, size * 0.75)
    mouth(pen, look, x, y + size * 1.3, size)


def hat(pen: Pen, kind: str, y: float, wide: float) -> None:
    """Put something on a head whose top is at ``y`` and which is ``wide`` to either side."""
    if kind == "santa":
        pen.blob(
            [
                (-wide * 0.8, y + 0.12),
                (-wide * 0.3, y - 0.3),
                (wide * 0.5, y - 0.42),
                (wide * 1.15, y - 0.05),
                (wide * 0.75, y + 0.0),
                (wide * 0.75, y + 0.12),
            ],
            lch(0.55, 0.2, 27),
        )
        pen.ellipse(wide * 1.15, y + 0.0, 0.11, 0.11, WHITE)
        pen.box(-wide * 0.95, y + 0.02, wide * 0.92, y + 0.2, 0.09, WHITE)
    elif kind == "wizard":
        pen.blob(
            [
                (-wide * 0.7, y + 0.1),
                (-wide * 0.2, y - 0.35),
                (wide * 0.1, y - 0.62),
                (wide * 0.45, y - 0.6),
                (wide * 0.25, y - 0.4),
                (wide * 0.7, y + 0.1),
            ],
            lch(0.42, 0.15, 290),
        )
        pen.ellipse(0, y + 0.12, wide * 1.25, 0.13, lch(0.36, 0.14, 290))
        for x, dy in ((-0.1, -0.12), (0.12, -0.3), (0.2, 0.0)):
            star(pen, x, y + dy, 0.07, lch(0.9, 0.14, 92))
    elif kind == "crown":
        points = [
            (-wide * 0.62, y + 0.14),
            (-wide * 0.72, y - 0.26),
            (-wide * 0.34, y - 0.06),
            (0, y - 0.34),
            (wide * 0.34, y - 0.06),
            (wide * 0.72, y - 0.26),
            (wide * 0.62, y + 0.14),
        ]
        pen.polygon(points, lch(0.84, 0.16, 88))
        pen.box(-wide * 0.62, y + 0.06, wide * 0.62, y + 0.16, 0.03, lch(0.72, 0.15, 70))
        for x, hue in ((-0.36, 25), (0, 250), (0.36, 150)):
            pen.ellipse(x * wide, y + 0.02, 0.045, 0.045, lch(0.62, 0.18, hue))
    elif kind == "headphones":
        pen.stroke(arc(0, y + 0.42, wide * 1.04, 0.5, 185, 355), 0.11, lch(0.3, 0.04, 280))
        for side in (-1, 1):
            pen.box(side * wide * 1.06 - 0.11, y + 0.24, side * wide * 1.06 + 0.11, y + 0.62, 0.1, lch(0.62, 0.2, 345))


def star(pen: Pen, x: float, y: float, size: float, ink: Ink) -> None:
    """Draw a five-pointed star."""
    points = []
    for index in range(10):
        far = size if index % 2 == 0 else size * 0.45
        points.append(arc(x, y, far, far, index * 36 - 90, index * 36 - 90, 1)[0])
    pen.polygon(points, ink)
