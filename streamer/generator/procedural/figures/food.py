"""Food, drink and what grows, each with a face: coffee, pizza, burger, mushroom, pumpkin, cactus."""

from __future__ import annotations

from streamer.generator.procedural.engine.colour import Ink, lch, lighter
from streamer.generator.procedural.figures import face
from streamer.generator.procedural.figures.pen import DARK, WHITE, Pen, arc, oval, smooth


def coffee(pen: Pen, ink: Ink, look: str) -> None:
    for x in (-0.22, 0.0, 0.22):
        steam = smooth([(x, -0.5), (x + 0.07, -0.62), (x - 0.04, -0.76), (x + 0.05, -0.94)], closed=False)
        pen.stroke(steam, 0.07, lch(0.96, 0.01, 80))
    pen.stroke(arc(0.56, 0.12, 0.26, 0.27, -90, 90), 0.13, lighter(ink, -0.08))
    cup = smooth(
        [(-0.58, -0.34), (0, -0.36), (0.58, -0.34), (0.56, 0.3), (0.38, 0.72), (0, 0.78), (-0.38, 0.72), (-0.56, 0.3)]
    )
    pen.ellipse(0, 0.82, 0.72, 0.11, lch(0.9, 0.03, 80))
    pen.polygon(cup, ink)
    pen.shade(cup, [(0.24, -1), (1, -1), (1, 1), (0.1, 1)], DARK, 0.16)
    pen.shade(cup, oval(-0.42, 0.1, 0.06, 0.3), WHITE, 0.5)
    pen.ellipse(0, -0.35, 0.58, 0.13, lighter(ink, 0.1))
    pen.ellipse(0, -0.34, 0.5, 0.095, lch(0.38, 0.07, 50))
    pen.ellipse(-0.08, -0.35, 0.22, 0.035, lch(0.62, 0.08, 62))
    face.small(pen, look, 0.12, 0.09)


def mushroom(pen: Pen, ink: Ink, look: str) -> None:
    red = lch(0.58, 0.2, 25)
    pen.blob(
        [(-0.3, 0.0), (0.3, 0.0), (0.36, 0.5), (0.44, 0.84), (0, 0.92), (-0.44, 0.84), (-0.36, 0.5)],
        lch(0.95, 0.03, 85),
    )
    cap = smooth(
        [
            (-0.92, 0.06),
            (-0.8, -0.4),
            (-0.4, -0.78),
            (0, -0.86),
            (0.4, -0.78),
            (0.8, -0.4),
            (0.92, 0.06),
            (0.5, 0.16),
            (0, 0.12),
            (-0.5, 0.16),
        ]
    )
    pen.polygon(cap, red)
    for x, y, size in (
        (-0.46, -0.38, 0.15),
        (0.1, -0.6, 0.18),
        (0.54, -0.24, 0.15),
        (-0.02, -0.12, 0.13),
        (-0.72, -0.04, 0.09),
        (0.8, -0.02, 0.07),
    ):
        pen.shade(cap, oval(x, y, size, size * 0.88), WHITE, 1.0)
    pen.shade(cap, oval(0.4, 0.16, 0.9, 0.3, -0.25), lch(0.35, 0.15, 15), 0.3)
    face.small(pen, look, 0.42, 0.075)


def pizza(pen: Pen, ink: Ink, look: str) -> None:
    crust = lch(0.70, 0.12, 62)
    slice_ = smooth([(-0.74, -0.5), (0, -0.64), (0.74, -0.5), (0.4, 0.2), (0.04, 0.9), (-0.04, 0.9), (-0.4, 0.2)])
    pen.polygon(slice_, lch(0.88, 0.14, 90))
    for x, y, size in ((-0.3, -0.32, 0.15), (0.34, -0.34, 0.15), (0.14, 0.36, 0.12), (-0.12, 0.6, 0.08)):
        pen.shade(slice_, oval(x, y, size, size), lch(0.58, 0.18, 30), 1.0)
        pen.shade(slice_, oval(x - 0.03, y - 0.03, size * 0.7, size * 0.7), lch(0.66, 0.17, 35), 1.0)
    for x, y in ((0.02, -0.42), (-0.2, 0.2), (0.3, 0.02)):
        pen.ellipse(x, y, 0.05, 0.03, lch(0.6, 0.14, 140), 0.6)
    pen.blob(
        [
            (-0.86, -0.44),
            (-0.6, -0.72),
            (0, -0.86),
            (0.6, -0.72),
            (0.86, -0.44),
            (0.7, -0.38),
            (0, -0.58),
            (-0.7, -0.38),
        ],
        crust,
    )
    for x, long in ((-0.24, 0.3), (0.3, 0.16)):
        pen.stroke([(x, 0.2), (x, 0.2 + long)], 0.08, lch(0.88, 0.14, 90))
    face.small(pen, look, -0.08, 0.08)


def burger(pen: Pen, ink: Ink, look: str) -> None:
    bun = lch(0.74, 0.13, 65)
    pen.blob([(-0.74, 0.44), (0.74, 0.44), (0.7, 0.74), (0.4, 0.86), (-0.4, 0.86), (-0.7, 0.74)], bun)
    pen.box(-0.78, 0.26, 0.78, 0.5, 0.11, lch(0.40, 0.08, 40))
    pen.polygon([(-0.76, 0.16), (0.76, 0.16), (0.5, 0.3), (0.36, 0.44), (0.2, 0.28), (-0.6, 0.3)], lch(0.86, 0.16, 88))
    pen.stroke(
        smooth([(-0.8, 0.12), (-0.5, 0.2), (-0.2, 0.1), (0.1, 0.2), (0.4, 0.1), (0.8, 0.14)], closed=False),
        0.14,
        lch(0.74, 0.18, 135),
    )
    top = smooth(
        [(-0.8, 0.06), (-0.74, -0.36), (-0.4, -0.7), (0, -0.78), (0.4, -0.7), (0.74, -0.36), (0.8, 0.06), (0, 0.12)]
    )
    pen.polygon(top, bun)
    pen.shade(top, oval(-0.3, -0.54, 0.3, 0.1, -0.4), WHITE, 0.4)
    for x, y in ((-0.4, -0.4), (-0.1, -0.62), (0.2, -0.5), (0.48, -0.38), (0.36, -0.62), (-0.16, -0.4)):
        pen.ellipse(x, y, 0.045, 0.026, lch(0.94, 0.05, 90), 0.5)
    face.small(pen, look, -0.16, 0.085)


def cactus(pen: Pen, ink: Ink, look: str) -> None:
    green = lch(0.62, 0.13, 150)
    for side, y, up in ((-1, 0.02, -0.34), (1, 0.16, -0.22)):
        pen.stroke(
            smooth([(side * 0.2, y), (side * 0.52, y), (side * 0.58, up)], closed=False), 0.2, lighter(green, -0.05)
        )
    body = smooth([(0, -0.86), (0.26, -0.72), (0.34, -0.3), (0.34, 0.5), (-0.34, 0.5), (-0.34, -0.3), (-0.26, -0.72)])
    pen.polygon(body, green)
    for x in (-0.2, 0.2):
        pen.shade(body, oval(x, -0.1, 0.022, 0.56), lighter(green, -0.14), 0.7)
    for angle in range(0, 360, 72):
        x, y = arc(0.08, -0.86, 0.1, 0.09, angle, angle, 1)[0]
        pen.ellipse(x, y, 0.075, 0.075, lch(0.72, 0.18, 355))
    pen.ellipse(0.08, -0.86, 0.06, 0.06, lch(0.9, 0.14, 95))
    pen.polygon([(-0.5, 0.44), (0.5, 0.44), (0.38, 0.94), (-0.38, 0.94)], lch(0.62, 0.12, 42))
    pen.box(-0.56, 0.38, 0.56, 0.54, 0.05, lch(0.68, 0.12, 45))
    face.small(pen, look, -0.2, 0.075)


def pumpkin(pen: Pen, ink: Ink, look: str) -> None:
    orange, lamp = lch(0.68, 0.18, 50), lch(0.93, 0.14, 95)
    pen.blob([(-0.08, -0.5), (-0.14, -0.86), (0.06, -0.9), (0.1, -0.5)], lch(0.48, 0.09, 135))
    for x, wide, ink_ in (
        (-0.5, 0.38, -0.07),
        (0.5, 0.38, -0.07),
        (-0.26, 0.4, 0.0),
        (0.26, 0.4, 0.0),
        (0, 0.36, 0.045),
    ):
        pen.ellipse(x, 0.14, wide, 0.68, lighter(orange, ink_))
    for side in (-1, 1):
        pen.polygon([(side * 0.12, 0.04), (side * 0.44, 0.04), (side * 0.28, -0.26)], lamp)
    pen.polygon([(-0.07, 0.2), (0.07, 0.2), (0, 0.08)], lamp)
    pen.polygon(
        [
            (-0.56, 0.26),
            (-0.3, 0.36),
            (-0.22, 0.28),
            (-0.1, 0.4),
            (0.1, 0.4),
            (0.2, 0.28),
            (0.3, 0.36),
            (0.56, 0.26),
            (0.4, 0.56),
            (0.16, 0.66),
            (0.06, 0.56),
            (-0.08, 0.66),
            (-0.4, 0.56),
        ],
        lamp,
    )
