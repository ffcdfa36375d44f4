"""Creatures without fur: penguin, duck, frog, owl, fish, octopus, dragon."""

from __future__ import annotations

from streamer.generator.procedural.engine.colour import Ink, lch, lighter
from streamer.generator.procedural.figures import face
from streamer.generator.procedural.figures.pen import DARK, WHITE, Pen, arc, flipped, oval, smooth


def penguin(pen: Pen, ink: Ink, look: str) -> None:
    coat = lch(0.34, 0.05, 265)
    for side in (-1, 1):
        pen.ellipse(side * 0.22, 0.9, 0.2, 0.08, lch(0.76, 0.16, 65))
        pen.ellipse(side * 0.56, 0.3, 0.12, 0.36, lighter(coat, -0.05), side * -0.35)
    body = smooth(
        [
            (0, -0.82),
            (0.42, -0.66),
            (0.54, -0.2),
            (0.6, 0.4),
            (0.4, 0.84),
            (0, 0.92),
            (-0.4, 0.84),
            (-0.6, 0.4),
            (-0.54, -0.2),
            (-0.42, -0.66),
        ]
    )
    pen.polygon(body, coat)
    pen.shade(body, oval(-0.2, -0.66, 0.2, 0.09, -0.4), WHITE, 0.2)
    for side in (-1, 1):
        pen.ellipse(side * 0.18, -0.34, 0.25, 0.27, WHITE)
    pen.ellipse(0, 0.36, 0.4, 0.5, WHITE)
    face.eyes(pen, look, 0.2, -0.36, 0.095)
    pen.blob([(-0.12, -0.2), (0, -0.26), (0.12, -0.2), (0, -0.06)], lch(0.78, 0.16, 65))
    face.blush(pen, 0.36, -0.16, 0.07)
    pen.stroke(arc(0, -0.05, 0.42, 0.16, 20, 160), 0.13, ink)
    pen.box(0.16, 0.06, 0.32, 0.42, 0.06, lighter(ink, -0.05))


def duck(pen: Pen, ink: Ink, look: str) -> None:
    yellow, beak = lch(0.88, 0.16, 95), lch(0.74, 0.17, 55)
    for side in (-1, 1):
        pen.ellipse(side * 0.2, 0.92, 0.17, 0.06, beak)
    pen.blob(
        [(-0.5, 0.1), (0.3, 0.06), (0.56, 0.4), (0.46, 0.8), (0, 0.9), (-0.5, 0.78), (-0.84, 0.3), (-0.6, 0.34)], yellow
    )
    pen.blob([(-0.4, 0.36), (0.06, 0.34), (0.12, 0.56), (-0.14, 0.72), (-0.46, 0.62)], lighter(yellow, -0.07))
    head = oval(0.1, -0.3, 0.48, 0.46)
    pen.polygon(head, yellow)
    pen.shade(head, oval(-0.08, -0.58, 0.24, 0.1, -0.4), WHITE, 0.4)
    for dx in (-0.07, 0.0, 0.08):
        pen.stroke([(0.1 + dx * 0.6, -0.7), (0.1 + dx * 2, -0.88)], 0.045, yellow)
    for dx in (-0.14, 0.34):
        pen.ellipse(dx, -0.36, 0.085, 0.11, DARK)
        pen.ellipse(dx - 0.03, -0.4, 0.032, 0.036, WHITE)
    pen.blob([(-0.1, -0.16), (0.1, -0.23), (0.32, -0.16), (0.4, -0.06), (0.1, 0.02), (-0.18, -0.06)], beak)
    pen.stroke(arc(0.11, -0.12, 0.26, 0.06, 10, 170), 0.022, lch(0.52, 0.14, 45))


def frog(pen: Pen, ink: Ink, look: str) -> None:
    skin, belly = lch(0.70, 0.17, 138), lch(0.93, 0.07, 110)
    for side in (-1, 1):
        pen.ellipse(side * 0.52, 0.72, 0.28, 0.2, lighter(skin, -0.07), side * 0.4)
        pen.ellipse(side * 0.5, 0.9, 0.26, 0.07, lighter(skin, -0.03))
    pen.blob([(-0.3, 0.1), (0.3, 0.1), (0.48, 0.5), (0.36, 0.9), (-0.36, 0.9), (-0.48, 0.5)], skin)
    pen.ellipse(0, 0.58, 0.28, 0.3, belly)
    for side in (-1, 1):
        pen.ellipse(side * 0.22, 0.9, 0.15, 0.07, skin)
        pen.ellipse(side * 0.34, -0.58, 0.25, 0.25, skin)
    head = smooth(
        [(0, -0.54), (0.44, -0.54), (0.74, -0.2), (0.6, 0.14), (0, 0.26), (-0.6, 0.14), (-0.74, -0.2), (-0.44, -0.54)]
    )
    pen.polygon(head, skin)
    pen.shade(head, oval(0, 0.2, 0.62, 0.16), belly, 0.8)
    if look in ("cool", "happy", "wink"):
        face.eyes(pen, look, 0.34, -0.56, 0.14)
    else:
        for side in (-1, 1):
            pen.ellipse(side * 0.34, -0.6, 0.19, 0.19, WHITE)
            pen.ellipse(side * 0.34, -0.58, 0.11, 0.12, DARK)
            pen.ellipse(side * 0.34 - 0.04, -0.63, 0.04, 0.04, WHITE)
    pen.stroke(arc(0, -0.14, 0.44, 0.2, 12, 168), 0.035, lch(0.36, 0.1, 140))
    face.blush(pen, 0.54, -0.1, 0.085)


def owl(pen: Pen, ink: Ink, look: str) -> None:
    coat, light = lch(0.52, 0.08, 58), lch(0.90, 0.05, 80)
    for side in (-1, 1):
        pen.polygon([(side * 0.2, -0.66), (side * 0.56, -0.94), (side * 0.58, -0.4)], coat)
        pen.ellipse(side * 0.16, 0.92, 0.13, 0.06, lch(0.76, 0.16, 65))
    body = smooth(
        [
            (0, -0.72),
            (0.46, -0.6),
            (0.6, -0.1),
            (0.56, 0.5),
            (0.3, 0.9),
            (-0.3, 0.9),
            (-0.56, 0.5),
            (-0.6, -0.1),
            (-0.46, -0.6),
        ]
    )
    pen.polygon(body, coat)
    pen.ellipse(0, 0.44, 0.36, 0.42, light)
    for row in range(3):
        for column in range(-1 - row % 2, 2):
            x = column * 0.18 + (0.09 if row % 2 else 0)
            pen.stroke(arc(x, 0.28 + row * 0.16, 0.07, 0.06, 10, 170), 0.035, coat)
    for side in (-1, 1):
        pen.ellipse(side * 0.52, 0.3, 0.15, 0.38, lighter(coat, -0.08), side * 0.18)
        pen.ellipse(side * 0.24, -0.32, 0.27, 0.27, light)
    if look in ("cool", "happy", "wink"):
        face.eyes(pen, look, 0.24, -0.32, 0.14)
    else:
        face.eyes(pen, "awe", 0.24, -0.32, 0.15, lch(0.84, 0.16, 85))
    pen.polygon([(-0.08, -0.2), (0.08, -0.2), (0, -0.02)], lch(0.78, 0.16, 65))


def fish(pen: Pen, ink: Ink, look: str) -> None:
    skin = lch(0.72, 0.17, 48)
    pen.blob([(0.36, 0.0), (0.92, -0.44), (0.84, 0.0), (0.92, 0.44)], lighter(skin, -0.08))
    pen.blob([(-0.2, -0.4), (0.1, -0.84), (0.42, -0.62), (0.36, -0.2)], lighter(skin, -0.08))
    pen.blob([(-0.1, 0.4), (0.1, 0.74), (0.36, 0.6), (0.3, 0.2)], lighter(skin, -0.08))
    body = smooth(
        [
            (-0.88, 0.02),
            (-0.6, -0.38),
            (-0.1, -0.54),
            (0.36, -0.34),
            (0.56, 0.0),
            (0.36, 0.34),
            (-0.1, 0.54),
            (-0.6, 0.4),
        ]
    )
    pen.polygon(body, skin)
    for x in (-0.22, 0.18):
        pen.shade(body, [(x, -1), (x + 0.17, -1), (x + 0.21, 0), (x + 0.17, 1), (x, 1), (x + 0.04, 0)], WHITE, 0.9)
    pen.shade(body, oval(-0.3, -0.36, 0.4, 0.09, -0.2), WHITE, 0.35)
    pen.ellipse(-0.52, -0.1, 0.16, 0.17, WHITE)
    pen.ellipse(-0.54, -0.09, 0.1, 0.115, DARK)
    pen.ellipse(-0.58, -0.14, 0.04, 0.04, WHITE)
    pen.stroke(arc(-0.76, 0.12, 0.14, 0.12, 0, 120), 0.035, DARK)
    for x, y, size in ((-0.86, -0.5, 0.06), (-0.74, -0.72, 0.09), (-0.94, -0.84, 0.045)):
        pen.ellipse(x, y, size, size, lch(0.88, 0.06, 215))


def octopus(pen: Pen, ink: Ink, look: str) -> None:
    skin = lch(0.66, 0.17, 345)
    for index in range(6):
        side = -1 if index < 3 else 1
        reach = (0.22, 0.52, 0.8)[index % 3]
        leg = smooth(
            [
                (side * reach * 0.4, 0.2),
                (side * reach * 0.9, 0.52),
                (side * (reach + 0.06), 0.8),
                (side * (reach - 0.14), 0.88),
            ],
            closed=False,
        )
        pen.stroke(leg, 0.19, lighter(skin, -0.05 * (index % 3 == 1)))
    head = smooth(
        [
            (0, -0.84),
            (0.46, -0.68),
            (0.62, -0.24),
            (0.46, 0.22),
            (0.2, 0.42),
            (-0.2, 0.42),
            (-0.46, 0.22),
            (-0.62, -0.24),
            (-0.46, -0.68),
        ]
    )
    pen.polygon(head, skin)
    pen.shade(head, oval(-0.24, -0.6, 0.24, 0.12, -0.5), WHITE, 0.35)
    for x, y, size in ((0.3, -0.58, 0.07), (0.42, -0.4, 0.045), (0.16, -0.68, 0.04)):
        pen.ellipse(x, y, size, size, lighter(skin, -0.1))
    face.eyes(pen, look, 0.22, -0.08, 0.12)
    face.mouth(pen, look, 0, 0.12, 0.11)
    face.blush(pen, 0.4, 0.1, 0.08)


def dragon(pen: Pen, ink: Ink, look: str) -> None:
    skin, belly, wing = lch(0.66, 0.16, 150), lch(0.92, 0.09, 100), lch(0.55, 0.17, 25)
    for flip in (False, True):
        points = [
            (0.28, 0.2),
            (0.5, -0.3),
            (0.96, -0.46),
            (0.88, -0.12),
            (0.98, 0.1),
            (0.78, 0.14),
            (0.76, 0.36),
            (0.58, 0.3),
            (0.4, 0.48),
        ]
        pen.polygon(flipped(points) if flip else points, wing)
        bone = [(0.3, 0.24), (0.52, -0.26), (0.95, -0.45)]
        pen.stroke(flipped(bone) if flip else bone, 0.05, lighter(skin, -0.12))
    pen.stroke(smooth([(0.2, 0.86), (0.6, 0.92), (0.82, 0.74), (0.78, 0.56)], closed=False), 0.15, lighter(skin, -0.06))
    pen.polygon([(0.66, 0.62), (0.78, 0.36), (0.92, 0.6)], wing)
    body = smooth(
        [(-0.24, 0.1), (0.24, 0.1), (0.42, 0.5), (0.4, 0.86), (0.16, 0.94), (-0.16, 0.94), (-0.4, 0.86), (-0.42, 0.5)]
    )
    pen.polygon(body, skin)
    for index in range(4):
        pen.ellipse(0, 0.42 + index * 0.13, 0.25 - 0.015 * index, 0.07, lighter(belly, -0.03 * (index % 2)))
    for side in (-1, 1):
        pen.ellipse(side * 0.3, 0.9, 0.19, 0.09, lighter(skin, -0.05))
        pen.ellipse(side * 0.34, 0.5, 0.09, 0.17, lighter(skin, -0.03), side * 0.5)
        pen.polygon([(side * 0.24, -0.56), (side * 0.42, -0.94), (side * 0.46, -0.5)], belly)
        pen.blob([(side * 0.5, -0.2), (side * 0.84, -0.36), (side * 0.66, -0.02)], wing)
    for x in (-0.1, 0.02, 0.12):
        pen.polygon([(x - 0.1, -0.6), (x, -0.86), (x + 0.09, -0.6)], wing)
    head = smooth(
        [
            (0, -0.68),
            (0.4, -0.6),
            (0.56, -0.3),
            (0.5, 0.0),
            (0.3, 0.2),
            (-0.3, 0.2),
            (-0.5, 0.0),
            (-0.56, -0.3),
            (-0.4, -0.6),
        ]
    )
    pen.polygon(head, skin)
    pen.shade(head, oval(-0.2, -0.56, 0.28, 0.1, -0.2), WHITE, 0.28)
    pen.ellipse(0, 0.04, 0.34, 0.17, lighter(skin, 0.08))
    for side in (-1, 1):
        pen.ellipse(side * 0.13, -0.02, 0.035, 0.028, lch(0.35, 0.08, 150))
        pen.polygon([(side * 0.16, 0.1), (side * 0.2, 0.2), (side * 0.24, 0.1)], WHITE)
    face.eyes(pen, look, 0.25, -0.28, 0.13, lch(0.84, 0.16, 90))
    pen.stroke(arc(0, 0.02, 0.24, 0.1, 15, 165), 0.03, DARK)
