"""Things with a face: rocket, heart, coffee, fire, trophy and everything else a meme may be about."""

from __future__ import annotations

from streamer.generator.procedural.engine.colour import Ink, lch, lighter
from streamer.generator.procedural.figures import face
from streamer.generator.procedural.figures.pen import DARK, WHITE, Pen, arc, flipped, oval, smooth

GOLD = lch(0.84, 0.15, 88)


def rocket(pen: Pen, ink: Ink, look: str) -> None:
    for wide, low, hot in (
        (0.24, 0.98, lch(0.68, 0.19, 45)),
        (0.15, 0.82, lch(0.82, 0.16, 75)),
        (0.08, 0.7, lch(0.96, 0.08, 95)),
    ):
        pen.blob([(-wide, 0.5), (wide, 0.5), (wide * 0.7, 0.7), (0, low), (-wide * 0.7, 0.7)], hot)
    fin = [(0.28, 0.08), (0.56, 0.36), (0.6, 0.72), (0.22, 0.5)]
    for points in (fin, flipped(fin)):
        pen.blob(points, ink)
    body = smooth(
        [
            (0, -0.96),
            (0.24, -0.66),
            (0.36, -0.2),
            (0.32, 0.3),
            (0.2, 0.56),
            (-0.2, 0.56),
            (-0.32, 0.3),
            (-0.36, -0.2),
            (-0.24, -0.66),
        ]
    )
    pen.polygon(body, lch(0.95, 0.01, 250))
    pen.shade(body, [(-1, -1), (1, -1), (1, -0.6), (-1, -0.6)], ink, 1.0)
    pen.shade(body, [(-1, 0.34), (1, 0.34), (1, 0.46), (-1, 0.46)], ink, 1.0)
    pen.shade(body, [(0.12, -1), (1, -1), (1, 1), (0.12, 1)], lch(0.5, 0.05, 265), 0.3)
    pen.ellipse(0, -0.2, 0.24, 0.24, lch(0.55, 0.05, 255))
    pen.ellipse(0, -0.2, 0.19, 0.19, lch(0.84, 0.09, 215))
    face.eyes(pen, "bright" if look == "cool" else look, 0.075, -0.23, 0.045)
    face.mouth(pen, look, 0, -0.16, 0.05)
    pen.blob([(-0.05, 0.2), (0.05, 0.2), (0.06, 0.7), (0, 0.76), (-0.06, 0.7)], lighter(ink, -0.06))


def heart(pen: Pen, ink: Ink, look: str) -> None:
    red = lch(0.62, 0.23, 18)
    shape = smooth(
        [
            (0, -0.42),
            (0.24, -0.74),
            (0.62, -0.74),
            (0.86, -0.4),
            (0.78, 0.02),
            (0.44, 0.44),
            (0, 0.84),
            (-0.44, 0.44),
            (-0.78, 0.02),
            (-0.86, -0.4),
            (-0.62, -0.74),
            (-0.24, -0.74),
        ]
    )
    pen.polygon(shape, red)
    pen.shade(shape, oval(0.3, 0.4, 0.8, 0.5, -0.7), lch(0.42, 0.19, 10), 0.4)
    pen.shade(shape, oval(-0.5, -0.44, 0.2, 0.11, -0.7), WHITE, 0.6)
    face.small(pen, look, -0.14, 0.1)


def fire(pen: Pen, ink: Ink, look: str) -> None:
    outer = [
        (0, 0.9),
        (-0.46, 0.78),
        (-0.66, 0.36),
        (-0.5, -0.04),
        (-0.3, -0.3),
        (-0.26, -0.06),
        (-0.12, -0.5),
        (0.1, -0.94),
        (0.16, -0.5),
        (0.36, -0.2),
        (0.44, -0.44),
        (0.66, 0.02),
        (0.66, 0.46),
        (0.44, 0.8),
    ]
    middle = [
        (0, 0.86),
        (-0.36, 0.74),
        (-0.46, 0.38),
        (-0.3, 0.14),
        (-0.16, 0.16),
        (0.0, -0.3),
        (0.16, 0.06),
        (0.34, 0.02),
        (0.48, 0.36),
        (0.34, 0.76),
    ]
    pen.blob(outer, lch(0.64, 0.21, 33))
    pen.blob(middle, lch(0.80, 0.17, 70))
    pen.blob([(0, 0.82), (-0.24, 0.7), (-0.28, 0.46), (0, 0.2), (0.28, 0.46), (0.24, 0.7)], lch(0.95, 0.11, 100))
    face.small(pen, look, 0.46, 0.085)


def trophy(pen: Pen, ink: Ink, look: str) -> None:
    for side in (-1, 1):
        pen.stroke(
            smooth([(side * 0.46, -0.6), (side * 0.84, -0.56), (side * 0.8, -0.1), (side * 0.36, 0.04)], closed=False),
            0.1,
            lighter(GOLD, -0.12),
        )
    cup = smooth(
        [(-0.54, -0.78), (0, -0.8), (0.54, -0.78), (0.5, -0.2), (0.26, 0.2), (0, 0.28), (-0.26, 0.2), (-0.5, -0.2)]
    )
    pen.box(-0.09, 0.1, 0.09, 0.6, 0.03, lighter(GOLD, -0.14))
    pen.polygon(cup, GOLD)
    pen.shade(cup, [(0.2, -1), (1, -1), (1, 1), (0.1, 1)], lch(0.55, 0.13, 60), 0.4)
    pen.shade(cup, oval(-0.36, -0.36, 0.06, 0.26, -0.12), WHITE, 0.75)
    pen.ellipse(0, -0.78, 0.55, 0.08, lighter(GOLD, 0.08))
    pen.box(-0.3, 0.5, 0.3, 0.62, 0.05, lighter(GOLD, -0.06))
    pen.box(-0.42, 0.6, 0.42, 0.92, 0.07, lch(0.36, 0.06, 45))
    pen.box(-0.2, 0.68, 0.2, 0.82, 0.03, GOLD)
    face.small(pen, look, -0.4, 0.085)


def star(pen: Pen, ink: Ink, look: str) -> None:
    points = []
    for index in range(10):
        far = 0.92 if index % 2 == 0 else 0.5
        points.append(arc(0, 0.06, far, far, index * 36 - 90, index * 36 - 90, 1)[0])
    shape = smooth(points, 8)
    pen.polygon(shape, lch(0.88, 0.16, 95))
    pen.shade(shape, [(0.1, -1), (1, -1), (1, 1), (0.4, 1)], lch(0.7, 0.16, 65), 0.35)
    pen.shade(shape, oval(-0.26, -0.2, 0.16, 0.07, -0.7), WHITE, 0.7)
    face.small(pen, look, 0.0, 0.095)


def crown(pen: Pen, ink: Ink, look: str) -> None:
    shape = [(-0.66, 0.56), (-0.84, -0.36), (-0.4, 0.02), (0, -0.7), (0.4, 0.02), (0.84, -0.36), (0.66, 0.56)]
    pen.polygon(shape, GOLD)
    pen.shade(shape, [(0.1, -1), (1, -1), (1, 1), (0.1, 1)], lch(0.6, 0.14, 60), 0.35)
    for x, y in ((-0.84, -0.4), (0, -0.74), (0.84, -0.4)):
        pen.ellipse(x, y, 0.11, 0.11, lch(0.62, 0.21, 20))
        pen.ellipse(x - 0.03, y - 0.04, 0.035, 0.035, WHITE)
    pen.box(-0.7, 0.52, 0.7, 0.76, 0.06, lighter(GOLD, -0.1))
    for x, hue in ((-0.48, 250), (-0.24, 150), (0, 20), (0.24, 150), (0.48, 250)):
        pen.ellipse(x, 0.64, 0.07, 0.07, lch(0.66, 0.17, hue))
    face.small(pen, look, 0.2, 0.085)


def gamepad(pen: Pen, ink: Ink, look: str) -> None:
    shell = lch(0.40, 0.05, 285)
    body = smooth(
        [
            (-0.5, -0.4),
            (0, -0.34),
            (0.5, -0.4),
            (0.8, -0.2),
            (0.94, 0.3),
            (0.8, 0.6),
            (0.56, 0.5),
            (0.34, 0.22),
            (0, 0.24),
            (-0.34, 0.22),
            (-0.56, 0.5),
            (-0.8, 0.6),
            (-0.94, 0.3),
            (-0.8, -0.2),
        ]
    )
    for side in (-1, 1):
        pen.box(side * 0.5 - 0.2, -0.52, side * 0.5 + 0.2, -0.3, 0.08, lighter(shell, -0.1))
    pen.polygon(body, shell)
    pen.shade(body, oval(-0.4, -0.34, 0.5, 0.08, 0.02), WHITE, 0.3)
    pen.box(-0.66, -0.14, -0.3, -0.02, 0.03, lch(0.85, 0.01, 280))
    pen.box(-0.54, -0.26, -0.42, 0.1, 0.03, lch(0.85, 0.01, 280))
    for x, y, hue in ((0.48, -0.24, 100), (0.62, -0.1, 25), (0.34, -0.1, 250), (0.48, 0.04, 150)):
        pen.ellipse(x, y, 0.072, 0.072, lch(0.76, 0.17, hue))
    pen.box(-0.2, -0.24, 0.2, 0.12, 0.08, lch(0.25, 0.04, 275))
    face.eyes(pen, "bright" if look == "cool" else look, 0.08, -0.1, 0.045, lch(0.86, 0.15, 195))
    pen.stroke(arc(0, -0.02, 0.07, 0.05, 15, 165), 0.025, lch(0.86, 0.15, 195))


def bomb(pen: Pen, ink: Ink, look: str) -> None:
    shell = lch(0.32, 0.03, 275)
    pen.stroke(smooth([(0.26, -0.5), (0.4, -0.74), (0.62, -0.7)], closed=False), 0.06, lch(0.78, 0.06, 80))
    face.star(pen, 0.68, -0.7, 0.26, lch(0.72, 0.19, 45))
    face.star(pen, 0.68, -0.7, 0.14, lch(0.94, 0.13, 98))
    pen.polygon([(0.06, -0.5), (0.3, -0.62), (0.46, -0.38), (0.22, -0.26)], lch(0.48, 0.03, 270))
    ball = oval(-0.06, 0.2, 0.68, 0.66)
    pen.polygon(ball, shell)
    pen.shade(ball, oval(-0.32, -0.16, 0.2, 0.12, -0.7), WHITE, 0.5)
    for side in (-1, 1):
        pen.ellipse(-0.06 + side * 0.22, 0.16, 0.12, 0.15, WHITE)
        pen.ellipse(-0.06 + side * 0.2, 0.18, 0.06, 0.08, DARK)
        pen.stroke([(-0.06 + side * 0.36, -0.06), (-0.06 + side * 0.14, 0.0)], 0.05, lch(0.85, 0.02, 270))
    pen.stroke(arc(-0.06, 0.4, 0.2, 0.1, 15, 165), 0.05, WHITE)


def gem(pen: Pen, ink: Ink, look: str) -> None:
    pen.polygon([(-0.5, -0.6), (0.5, -0.6), (0.86, -0.2), (0, 0.84), (-0.86, -0.2)], ink)
    for points, by in (
        ([(-0.5, -0.6), (-0.86, -0.2), (-0.4, -0.2)], 0.1),
        ([(-0.5, -0.6), (-0.4, -0.2), (0, -0.6)], 0.18),
        ([(0, -0.6), (-0.4, -0.2), (0.4, -0.2)], 0.06),
        ([(0, -0.6), (0.4, -0.2), (0.5, -0.6)], 0.13),
        ([(0.5, -0.6), (0.4, -0.2), (0.86, -0.2)], -0.02),
        ([(-0.86, -0.2), (-0.4, -0.2), (0, 0.84)], 0.03),
        ([(0.4, -0.2), (0.86, -0.2), (0, 0.84)], -0.1),
    ):
        pen.polygon(points, lighter(ink, by))
    face.small(pen, look, 0.06, 0.07)


def bulb(pen: Pen, ink: Ink, look: str) -> None:
    for angle in range(200, 341, 35):
        (x0, y0), (x1, y1) = (
            arc(0, -0.16, 0.76, 0.76, angle, angle, 1)[0],
            arc(0, -0.16, 0.96, 0.96, angle, angle, 1)[0],
        )
        pen.stroke([(x0, y0), (x1, y1)], 0.08, lch(0.9, 0.15, 95))
    glass = smooth(
        [
            (0, -0.8),
            (0.44, -0.66),
            (0.62, -0.24),
            (0.46, 0.16),
            (0.26, 0.42),
            (0.24, 0.56),
            (-0.24, 0.56),
            (-0.26, 0.42),
            (-0.46, 0.16),
            (-0.62, -0.24),
            (-0.44, -0.66),
        ]
    )
    pen.polygon(glass, lch(0.93, 0.12, 98))
    pen.shade(glass, oval(-0.3, -0.46, 0.1, 0.2, 0.6), WHITE, 0.8)
    for index in range(3):
        pen.box(-0.22, 0.54 + index * 0.11, 0.22, 0.63 + index * 0.11, 0.04, lch(0.6 + 0.06 * (index % 2), 0.02, 260))
    pen.ellipse(0, 0.88, 0.12, 0.06, DARK)
    face.small(pen, look, -0.18, 0.09)


def money(pen: Pen, ink: Ink, look: str) -> None:
    for x, y in ((-0.5, 0.7), (0.5, 0.7), (-0.46, 0.52), (0.54, 0.54), (0.02, 0.8)):
        pen.ellipse(x, y + 0.08, 0.36, 0.13, lighter(GOLD, -0.2))
        pen.ellipse(x, y, 0.36, 0.13, lighter(GOLD, -0.02))
        pen.ellipse(x, y, 0.26, 0.085, lighter(GOLD, -0.1))
    pen.ellipse(0.06, -0.14, 0.66, 0.68, lighter(GOLD, -0.2))
    coin = oval(0, -0.16, 0.66, 0.68)
    pen.polygon(coin, GOLD)
    pen.ellipse(0, -0.16, 0.53, 0.55, lighter(GOLD, -0.08))
    pen.ellipse(0, -0.14, 0.5, 0.52, lighter(GOLD, 0.02))
    pen.shade(coin, [(-0.5, -1), (-0.1, -1), (-0.6, 0.8), (-1, 0.8)], WHITE, 0.4)
    face.small(pen, look, -0.2, 0.1)


def sword(pen: Pen, ink: Ink, look: str) -> None:
    pen.polygon([(-0.13, 0.3), (-0.13, -0.72), (0, -0.96), (0.13, -0.72), (0.13, 0.3)], lch(0.9, 0.02, 230))
    pen.polygon([(0, 0.3), (0, -0.96), (0.13, -0.72), (0.13, 0.3)], lch(0.74, 0.03, 245))
    pen.box(-0.46, 0.24, 0.46, 0.4, 0.08, GOLD)
    pen.box(-0.08, 0.4, 0.08, 0.78, 0.03, lch(0.42, 0.08, 40))
    for y in (0.48, 0.58, 0.68):
        pen.stroke([(-0.07, y), (0.07, y + 0.04)], 0.03, lch(0.58, 0.09, 55))
    pen.ellipse(0, 0.84, 0.12, 0.12, lighter(GOLD, -0.05))
    pen.ellipse(0, 0.32, 0.1, 0.1, ink)
    for x, y, size in ((0.34, -0.6, 0.14), (-0.36, -0.2, 0.1), (0.3, -0.06, 0.08)):
        pen.polygon(
            [
                (x, y - size),
                (x + size * 0.22, y - size * 0.22),
                (x + size, y),
                (x + size * 0.22, y + size * 0.22),
                (x, y + size),
                (x - size * 0.22, y + size * 0.22),
                (x - size, y),
                (x - size * 0.22, y - size * 0.22),
            ],
            WHITE,
        )


def potion(pen: Pen, ink: Ink, look: str) -> None:
    pen.box(-0.13, -0.94, 0.13, -0.7, 0.04, lch(0.6, 0.08, 60))
    pen.box(-0.2, -0.78, 0.2, -0.34, 0.05, lch(0.9, 0.03, 220))
    flask = oval(0, 0.24, 0.66, 0.64)
    pen.polygon(flask, lch(0.9, 0.03, 220))
    pen.shade(
        flask, smooth([(-0.8, 0.06), (-0.4, 0.0), (0, 0.08), (0.4, 0.0), (0.8, 0.06), (0.8, 1), (-0.8, 1)]), ink, 1.0
    )
    for x, y, size in ((-0.3, 0.56, 0.07), (0.34, 0.6, 0.05), (0.24, 0.14, 0.045), (-0.1, 0.7, 0.05)):
        pen.shade(flask, oval(x, y, size, size), WHITE, 0.55)
    pen.shade(flask, oval(-0.4, 0.02, 0.07, 0.24, 0.4), WHITE, 0.7)
    pen.box(-0.26, -0.8, 0.26, -0.7, 0.04, lch(0.8, 0.04, 220))
    face.small(pen, look, 0.28, 0.085)


def castle(pen: Pen, ink: Ink, look: str) -> None:
    stone, roof = lch(0.80, 0.03, 290), ink
    for x, top, half in ((-0.62, -0.2, 0.2), (0.62, -0.2, 0.2), (0, -0.46, 0.24)):
        pen.box(x - half, top, x + half, 0.86, 0.02, lighter(stone, -0.05 if x else 0.02))
        pen.polygon([(x - half * 1.3, top), (x, top - half * 1.9), (x + half * 1.3, top)], roof)
        pen.polygon([(x, top - half * 1.9), (x + half * 1.3, top), (x, top)], lighter(roof, -0.07))
        pen.stroke([(x, top - half * 1.8), (x, top - half * 2.4)], 0.025, DARK)
        pen.polygon([(x, top - half * 2.45), (x + 0.14, top - half * 2.2), (x, top - half * 1.98)], lch(0.66, 0.2, 25))
        pen.box(x - 0.05, top + 0.12, x + 0.05, top + 0.3, 0.05, lch(0.9, 0.12, 85))
    pen.box(-0.5, 0.22, 0.5, 0.9, 0.02, stone)
    for index in range(5):
        pen.box(-0.5 + index * 0.225, 0.12, -0.4 + index * 0.225, 0.26, 0.01, stone)
    pen.blob([(-0.16, 0.9), (-0.16, 0.7), (0, 0.6), (0.16, 0.7), (0.16, 0.9)], lch(0.4, 0.07, 50))
    face.small(pen, look, 0.38, 0.06)
