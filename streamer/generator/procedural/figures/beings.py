"""Characters on two legs or none: robot, ghost, alien, saucer, astronaut, wizard, knight, snowman."""

from __future__ import annotations

from streamer.generator.procedural.engine.colour import Ink, lch, lighter
from streamer.generator.procedural.figures import face
from streamer.generator.procedural.figures.pen import DARK, WHITE, Pen, arc, oval, smooth


def robot(pen: Pen, ink: Ink, look: str) -> None:
    steel, dark, lamp = lch(0.78, 0.035, 240), lch(0.52, 0.045, 250), lch(0.86, 0.15, 195)
    pen.stroke([(0, -0.6), (0, -0.86)], 0.05, dark)
    pen.ellipse(0, -0.88, 0.085, 0.085, lch(0.68, 0.21, 27))
    for side in (-1, 1):
        pen.stroke(smooth([(side * 0.4, 0.36), (side * 0.66, 0.42), (side * 0.7, 0.66)], closed=False), 0.12, dark)
        pen.ellipse(side * 0.7, 0.72, 0.12, 0.12, steel)
        pen.box(side * 0.62 - 0.09, -0.36, side * 0.62 + 0.09, -0.08, 0.05, dark)
        pen.box(side * 0.2 - 0.13, 0.7, side * 0.2 + 0.13, 0.95, 0.09, dark)
    pen.box(-0.42, 0.16, 0.42, 0.82, 0.16, steel)
    pen.box(-0.26, 0.3, 0.26, 0.62, 0.06, dark)
    for index, hue in enumerate((25, 90, 150)):
        pen.ellipse(-0.14 + index * 0.14, 0.4, 0.045, 0.045, lch(0.76, 0.17, hue))
    pen.box(-0.19, 0.5, 0.19, 0.56, 0.03, lamp)
    pen.box(-0.58, -0.64, 0.58, 0.18, 0.2, lighter(steel, 0.06))
    pen.shade(oval(0, -0.23, 0.62, 0.5), [(-0.6, -0.6), (0.1, -0.66), (-0.25, 0.2), (-0.6, 0.2)], WHITE, 0.3)
    pen.box(-0.46, -0.52, 0.46, 0.06, 0.15, lch(0.24, 0.04, 265))
    _screen(pen, look, lamp)


def _screen(pen: Pen, look: str, lamp: Ink) -> None:
    """Draw a face of light on a dark screen."""
    for side in (-1, 1):
        if look in ("happy", "wink") and (look == "happy" or side == 1):
            pen.stroke(arc(side * 0.2, -0.22, 0.1, 0.12, 200, 340), 0.06, lamp)
        elif look in ("sad", "angry"):
            tilt = 0.05 if look == "sad" else -0.05
            pen.stroke([(side * 0.28, -0.27 + tilt), (side * 0.12, -0.27 - tilt)], 0.07, lamp)
        elif look in ("smug", "cool"):
            pen.box(side * 0.2 - 0.11, -0.32, side * 0.2 + 0.11, -0.24, 0.03, lamp)
        else:
            pen.ellipse(side * 0.2, -0.28, 0.085, 0.12, lamp)
    down = look in ("sad", "angry")
    pen.stroke(arc(0, 0.02 if down else -0.12, 0.15, 0.09, 195 if down else 15, 345 if down else 165), 0.05, lamp)


def ghost(pen: Pen, ink: Ink, look: str) -> None:
    white = lch(0.96, 0.02, 270)
    body = smooth(
        [
            (0, -0.86),
            (0.42, -0.72),
            (0.6, -0.3),
            (0.6, 0.3),
            (0.66, 0.72),
            (0.48, 0.66),
            (0.34, 0.84),
            (0.14, 0.68),
            (0, 0.86),
            (-0.16, 0.68),
            (-0.34, 0.84),
            (-0.5, 0.66),
            (-0.66, 0.72),
            (-0.6, 0.3),
            (-0.6, -0.3),
            (-0.42, -0.72),
        ]
    )
    for side in (-1, 1):
        pen.ellipse(side * 0.66, 0.06, 0.17, 0.1, white, side * -0.6)
    pen.polygon(body, white)
    pen.shade(
        body, [(0.3, -0.9), (0.9, -0.9), (0.9, 1), (0.3, 1), (0.46, 0.3), (0.48, -0.3)], lch(0.74, 0.07, 285), 0.6
    )
    face.eyes(pen, look, 0.22, -0.28, 0.13)
    face.blush(pen, 0.42, -0.06, 0.09)
    face.mouth(pen, look, 0, -0.06, 0.15)


def alien(pen: Pen, ink: Ink, look: str) -> None:
    skin = lch(0.78, 0.17, 140)
    pen.blob([(-0.2, 0.2), (0.2, 0.2), (0.4, 0.7), (0.3, 0.94), (-0.3, 0.94), (-0.4, 0.7)], lch(0.52, 0.14, 290))
    for side in (-1, 1):
        pen.stroke(smooth([(side * 0.18, -0.6), (side * 0.3, -0.8), (side * 0.26, -0.92)], closed=False), 0.045, skin)
        pen.ellipse(side * 0.26, -0.92, 0.075, 0.075, lch(0.85, 0.16, 100))
        pen.ellipse(side * 0.42, 0.6, 0.1, 0.22, skin, side * -0.35)
    head = smooth(
        [
            (0, -0.74),
            (0.46, -0.6),
            (0.66, -0.24),
            (0.46, 0.12),
            (0.16, 0.36),
            (-0.16, 0.36),
            (-0.46, 0.12),
            (-0.66, -0.24),
            (-0.46, -0.6),
        ]
    )
    pen.polygon(head, skin)
    pen.shade(head, oval(-0.24, -0.56, 0.26, 0.11, -0.35), WHITE, 0.35)
    if look in ("cool", "happy", "wink"):
        face.eyes(pen, look, 0.27, -0.16, 0.15)
    else:
        for side in (-1, 1):
            pen.ellipse(side * 0.27, -0.16, 0.15, 0.235, DARK, side * 0.45)
            pen.ellipse(side * 0.27 - 0.05, -0.26, 0.055, 0.065, WHITE)
    face.mouth(pen, look, 0, 0.12, 0.1)


def ufo(pen: Pen, ink: Ink, look: str) -> None:
    pen.polygon([(-0.28, 0.1), (0.28, 0.1), (0.62, 0.96), (-0.62, 0.96)], lch(0.93, 0.1, 105))
    dome = arc(0, -0.14, 0.42, 0.52, 180, 360, 30)
    pen.polygon(dome, lch(0.84, 0.08, 210))
    pen.ellipse(0, -0.26, 0.22, 0.24, lch(0.78, 0.17, 140))
    face.eyes(pen, "bright" if look == "cool" else look, 0.09, -0.3, 0.055)
    face.mouth(pen, look, 0, -0.2, 0.055)
    pen.shade(dome, oval(-0.22, -0.42, 0.07, 0.17, 0.5), WHITE, 0.7)
    pen.ellipse(0, 0.02, 0.92, 0.25, lch(0.5, 0.05, 270))
    pen.ellipse(0, -0.05, 0.9, 0.21, lch(0.76, 0.035, 260))
    for index in range(5):
        x = -0.62 + index * 0.31
        pen.ellipse(x, 0.07 - 0.1 * abs(x) ** 2, 0.06, 0.05, lch(0.83, 0.17, (100, 345, 190, 345, 100)[index]))


def astronaut(pen: Pen, ink: Ink, look: str) -> None:
    suit, grey = lch(0.95, 0.01, 250), lch(0.72, 0.02, 255)
    pen.box(-0.5, 0.04, 0.5, 0.66, 0.12, grey)
    for side in (-1, 1):
        pen.ellipse(side * 0.46, 0.46, 0.15, 0.29, suit, side * -0.3)
        pen.ellipse(side * 0.55, 0.7, 0.11, 0.1, lch(0.62, 0.16, 35))
        pen.box(side * 0.2 - 0.16, 0.62, side * 0.2 + 0.16, 0.95, 0.1, suit)
        pen.box(side * 0.2 - 0.16, 0.84, side * 0.2 + 0.16, 0.95, 0.05, lch(0.62, 0.16, 35))
    pen.box(-0.38, 0.1, 0.38, 0.78, 0.18, suit)
    pen.box(-0.2, 0.36, 0.2, 0.58, 0.05, grey)
    for index, hue in enumerate((25, 90, 220)):
        pen.ellipse(-0.1 + index * 0.1, 0.44, 0.032, 0.032, lch(0.68, 0.18, hue))
    pen.ellipse(0, -0.3, 0.62, 0.56, suit)
    visor = oval(0, -0.28, 0.47, 0.39)
    pen.polygon(visor, lch(0.32, 0.09, 270))
    pen.ellipse(0, -0.22, 0.34, 0.31, lch(0.86, 0.06, 62))
    face.eyes(pen, look, 0.14, -0.26, 0.07)
    face.mouth(pen, look, 0, -0.12, 0.07)
    pen.shade(visor, oval(-0.24, -0.46, 0.2, 0.09, -0.5), WHITE, 0.6)


def wizard(pen: Pen, ink: Ink, look: str) -> None:
    robe, skin = lch(0.42, 0.15, 285), lch(0.84, 0.06, 60)
    pen.stroke([(0.62, 0.94), (0.62, -0.2)], 0.06, lch(0.48, 0.07, 55))
    pen.ellipse(0.62, -0.3, 0.14, 0.14, lch(0.82, 0.15, 200))
    pen.ellipse(0.58, -0.35, 0.05, 0.05, WHITE)
    pen.blob([(-0.22, 0.0), (0.22, 0.0), (0.46, 0.5), (0.56, 0.94), (-0.56, 0.94), (-0.46, 0.5)], robe)
    pen.ellipse(0.5, 0.4, 0.22, 0.11, lighter(robe, -0.04), -0.35)
    pen.ellipse(0.62, 0.33, 0.08, 0.08, skin)
    pen.ellipse(0, -0.16, 0.4, 0.36, skin)
    face.eyes(pen, look, 0.16, -0.16, 0.075)
    beard = smooth(
        [
            (-0.4, -0.1),
            (-0.18, 0.0),
            (0, -0.04),
            (0.18, 0.0),
            (0.4, -0.1),
            (0.34, 0.3),
            (0.12, 0.56),
            (0, 0.72),
            (-0.12, 0.56),
            (-0.34, 0.3),
        ]
    )
    pen.polygon(beard, WHITE)
    pen.ellipse(0, -0.02, 0.085, 0.07, lch(0.76, 0.1, 35))
    face.hat(pen, "wizard", -0.42, 0.46)


def knight(pen: Pen, ink: Ink, look: str) -> None:
    steel, dark = lch(0.80, 0.02, 250), lch(0.45, 0.03, 260)
    pen.blob([(0, -0.66), (0.1, -0.94), (0.46, -0.92), (0.62, -0.6), (0.36, -0.7), (0.14, -0.6)], lch(0.6, 0.21, 25))
    pen.blob([(-0.3, 0.1), (0.3, 0.1), (0.46, 0.6), (0.4, 0.94), (-0.4, 0.94), (-0.46, 0.6)], steel)
    for side in (-1, 1):
        pen.ellipse(side * 0.44, 0.34, 0.18, 0.17, lighter(steel, -0.08))
    pen.polygon([(0.56, 0.9), (0.5, 0.84), (0.78, -0.3), (0.84, -0.42), (0.86, -0.28)], lch(0.9, 0.02, 230))
    pen.stroke([(0.44, 0.52), (0.76, 0.62)], 0.07, lch(0.72, 0.14, 80))
    helm = smooth(
        [(0, -0.72), (0.4, -0.6), (0.52, -0.2), (0.46, 0.14), (0, 0.24), (-0.46, 0.14), (-0.52, -0.2), (-0.4, -0.6)]
    )
    pen.polygon(helm, lighter(steel, 0.05))
    pen.shade(helm, [(0.1, -0.9), (0.7, -0.9), (0.7, 0.4), (0.1, 0.4)], dark, 0.3)
    pen.box(-0.46, -0.32, 0.46, -0.06, 0.1, lch(0.2, 0.03, 270))
    face.eyes(pen, "bright" if look == "cool" else look, 0.2, -0.19, 0.075, lch(0.85, 0.15, 90))
    for x in (-0.18, -0.06, 0.06, 0.18):
        pen.box(x - 0.02, 0.0, x + 0.02, 0.14, 0.02, dark)
    shield = smooth([(-0.66, 0.22), (-0.32, 0.14), (0.0, 0.22), (-0.02, 0.56), (-0.33, 0.86), (-0.64, 0.56)])
    pen.polygon(shield, ink)
    pen.shade(shield, [(-0.33, 0.0), (0.2, 0.0), (0.2, 1), (-0.33, 1)], WHITE, 0.4)
    face.star(pen, -0.33, 0.46, 0.14, lch(0.88, 0.15, 92))


def snowman(pen: Pen, ink: Ink, look: str) -> None:
    for side in (-1, 1):
        pen.stroke([(side * 0.36, 0.16), (side * 0.8, -0.08)], 0.045, lch(0.42, 0.06, 50))
        pen.stroke([(side * 0.66, 0.0), (side * 0.74, -0.16)], 0.035, lch(0.42, 0.06, 50))
    for y, size in ((0.52, 0.46), (0.02, 0.36)):
        ball = oval(0, y, size, size * 0.92)
        pen.polygon(ball, WHITE)
        pen.shade(ball, oval(0.22, y + 0.2, size, size), lch(0.76, 0.05, 250), 0.35)
    for y in (0.02, 0.2, 0.42):
        pen.ellipse(0, y, 0.045, 0.045, DARK)
    head = oval(0, -0.42, 0.33, 0.31)
    pen.polygon(head, WHITE)
    pen.shade(head, oval(0.2, -0.28, 0.3, 0.28), lch(0.76, 0.05, 250), 0.35)
    face.eyes(pen, look, 0.12, -0.46, 0.055)
    pen.polygon([(-0.02, -0.42), (0.3, -0.34), (-0.01, -0.33)], lch(0.72, 0.17, 52))
    pen.stroke(arc(0, -0.3, 0.14, 0.08, 15, 165), 0.03, DARK)
    pen.stroke(arc(0, -0.2, 0.3, 0.12, 10, 170), 0.11, ink)
    pen.box(0.1, -0.12, 0.24, 0.22, 0.05, lighter(ink, -0.06))
    pen.box(-0.26, -0.98, 0.26, -0.66, 0.04, lch(0.26, 0.03, 280))
    pen.box(-0.4, -0.74, 0.4, -0.66, 0.04, lch(0.26, 0.03, 280))
    pen.box(-0.26, -0.8, 0.26, -0.73, 0.0, ink)
