"""Animals from one template: a large head on a small sitting body, told apart by ears, muzzle and markings."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.generator.procedural.engine.colour import Ink, lch, lighter
from streamer.generator.procedural.figures import face
from streamer.generator.procedural.figures.pen import DARK, WHITE, Pen, arc, flipped, oval, smooth

PINK = lch(0.78, 0.1, 12)


@dataclass(frozen=True)
class Coat:
    """What makes one animal of the template."""

    fur: Ink
    light: Ink
    ears: str
    tail: str = "none"
    iris: Ink | None = None
    marks: str = "none"


COATS = {
    "cat": (
        Coat(lch(0.76, 0.13, 65), lch(0.96, 0.03, 85), "point", "curl", lch(0.78, 0.17, 140), "tabby"),
        Coat(lch(0.36, 0.03, 285), lch(0.52, 0.03, 285), "point", "curl", lch(0.86, 0.16, 100)),
        Coat(lch(0.68, 0.02, 260), lch(0.95, 0.01, 260), "point", "curl", lch(0.76, 0.12, 220), "tabby"),
    ),
    "dog": (
        Coat(lch(0.76, 0.11, 68), lch(0.96, 0.03, 85), "flop", "curl"),
        Coat(lch(0.92, 0.02, 80), lch(0.98, 0.01, 80), "flop", "curl", None, "patch"),
        Coat(lch(0.74, 0.13, 58), lch(0.97, 0.02, 85), "point", "curl", None, "mask"),
    ),
    "fox": (Coat(lch(0.68, 0.17, 48), lch(0.97, 0.02, 80), "tall", "brush", lch(0.74, 0.14, 80), "mask"),),
    "wolf": (Coat(lch(0.56, 0.03, 260), lch(0.92, 0.01, 250), "tall", "brush", lch(0.85, 0.14, 90), "mask"),),
    "bear": (
        Coat(lch(0.52, 0.08, 55), lch(0.80, 0.06, 70), "round"),
        Coat(lch(0.62, 0.1, 60), lch(0.86, 0.06, 75), "round"),
    ),
    "panda": (Coat(lch(0.97, 0.008, 90), lch(0.98, 0.005, 90), "dark", "none", None, "panda"),),
    "rabbit": (Coat(lch(0.93, 0.02, 60), lch(0.985, 0.01, 80), "long", "none", lch(0.6, 0.15, 350)),),
    "mouse": (Coat(lch(0.74, 0.025, 270), lch(0.93, 0.02, 30), "huge", "string"),),
    "pig": (Coat(lch(0.82, 0.09, 5), lch(0.88, 0.07, 5), "flap", "none", None, "snout"),),
    "lion": (Coat(lch(0.80, 0.12, 75), lch(0.95, 0.04, 85), "round", "string", lch(0.7, 0.13, 75), "mane"),),
    "monkey": (Coat(lch(0.50, 0.07, 50), lch(0.84, 0.07, 65), "side", "string", None, "monkey"),),
}


def draw(pen: Pen, name: str, variant: int, look: str, hat: str) -> None:
    """Draw one animal of COATS."""
    coats = COATS[name]
    coat = coats[variant % len(coats)]
    _tail(pen, coat)
    _body(pen, coat)
    if coat.marks == "mane":
        for angle in range(0, 360, 24):
            x, y = arc(0, -0.22, 0.56, 0.52, angle, angle, 1)[0]
            pen.ellipse(x, y, 0.21, 0.21, lch(0.56, 0.14, 48))
    _ears(pen, coat)
    _head(pen, coat)
    _muzzle(pen, coat, name, look)
    if hat:
        face.hat(pen, hat, -0.70 if hat != "headphones" else -0.74, 0.5 if hat != "headphones" else 0.62)


def _tail(pen: Pen, coat: Coat) -> None:
    if coat.tail == "curl":
        curl = smooth([(0.25, 0.84), (0.62, 0.8), (0.74, 0.5), (0.6, 0.3), (0.66, 0.18)], closed=False)
        pen.stroke(curl, 0.17, lighter(coat.fur, -0.05))
    elif coat.tail == "brush":
        brush = smooth(
            [(0.2, 0.86), (0.62, 0.9), (0.88, 0.6), (0.84, 0.24), (0.7, 0.04), (0.6, 0.3), (0.56, 0.5), (0.3, 0.62)]
        )
        pen.polygon(brush, lighter(coat.fur, -0.04))
        pen.shade(
            brush, [(0.4, 0.36), (0.6, 0.26), (0.75, 0.32), (0.95, 0.26), (0.95, -0.1), (0.4, -0.1)], coat.light, 1.0
        )
    elif coat.tail == "string":
        pen.stroke(
            smooth([(0.25, 0.86), (0.6, 0.88), (0.78, 0.6), (0.66, 0.34)], closed=False), 0.07, lighter(coat.fur, -0.1)
        )


def _body(pen: Pen, coat: Coat) -> None:
    limbs = DARK if coat.marks == "panda" else coat.fur
    body = smooth(
        [(-0.26, 0.12), (0.26, 0.12), (0.44, 0.5), (0.42, 0.84), (0.2, 0.94), (-0.2, 0.94), (-0.42, 0.84), (-0.44, 0.5)]
    )
    pen.polygon(body, coat.fur)
    pen.ellipse(0, 0.6, 0.25, 0.32, coat.light)
    pen.shade(body, oval(0, 0.12, 0.62, 0.24), DARK, 0.22)
    for side in (-1, 1):
        pen.ellipse(side * 0.33, 0.88, 0.2, 0.11, lighter(limbs, -0.04))
        pen.ellipse(side * 0.17, 0.62, 0.105, 0.25, lighter(limbs, 0.015), side * 0.1)
        pen.ellipse(side * 0.15, 0.86, 0.125, 0.1, coat.light if coat.marks in ("mask", "tabby") else limbs)


def _ears(pen: Pen, coat: Coat) -> None:
    inner = PINK if coat.ears != "dark" else DARK
    for side in (-1, 1):
        if coat.ears in ("point", "tall"):
            up = -0.98 if coat.ears == "tall" else -0.9
            ear = [(0.14, -0.62), (0.3, -0.78), (0.5, up), (0.56, up + 0.04), (0.6, -0.6), (0.54, -0.3)]
            lining = [(0.27, -0.62), (0.38, -0.72), (0.5, up + 0.13), (0.54, -0.6), (0.5, -0.42)]
            for points, ink in ((ear, coat.fur), (lining, inner)):
                pen.polygon(smooth([(side * x, y) for x, y in points]), ink)
        elif coat.ears == "flop":
            ear = [(0.36, -0.66), (0.58, -0.62), (0.78, -0.3), (0.78, 0.02), (0.62, 0.08), (0.52, -0.16)]
            pen.blob([(side * x, y) for x, y in ear], lighter(coat.fur, -0.14))
        elif coat.ears in ("round", "dark", "huge", "side"):
            size, x, y = {"huge": (0.36, 0.56, -0.62), "side": (0.2, 0.62, -0.28)}.get(coat.ears, (0.21, 0.43, -0.64))
            pen.ellipse(side * x, y, size, size, DARK if coat.ears == "dark" else coat.fur)
            pen.ellipse(side * x, y + 0.01, size * 0.62, size * 0.62, coat.light if coat.ears == "side" else inner)
        elif coat.ears == "long":
            pen.ellipse(side * 0.24, -0.76, 0.135, 0.36, coat.fur, side * 0.16)
            pen.ellipse(side * 0.24, -0.74, 0.07, 0.27, inner, side * 0.16)
        elif coat.ears == "flap":
            pen.blob(
                [(side * x, y) for x, y in [(0.2, -0.66), (0.44, -0.82), (0.64, -0.72), (0.6, -0.48), (0.42, -0.4)]],
                lighter(coat.fur, -0.08),
            )


def _head(pen: Pen, coat: Coat) -> None:
    head = smooth(
        [
            (0, -0.74),
            (0.36, -0.68),
            (0.58, -0.4),
            (0.62, -0.1),
            (0.42, 0.14),
            (0, 0.2),
            (-0.42, 0.14),
            (-0.62, -0.1),
            (-0.58, -0.4),
            (-0.36, -0.68),
        ]
    )
    pen.polygon(head, coat.fur)
    pen.shade(head, oval(0.05, 0.3, 0.75, 0.2), DARK, 0.14)
    pen.shade(head, oval(-0.22, -0.6, 0.3, 0.13, -0.35), WHITE, 0.2)
    if coat.marks == "mask":
        cheek = [(0, -0.2), (0.16, -0.32), (0.4, -0.2), (0.66, -0.02), (0.66, 0.3), (0, 0.3)]
        for points in (cheek, flipped(cheek)):
            pen.shade(head, smooth(points), coat.light, 1.0)
    elif coat.marks == "tabby":
        for x, long in ((-0.14, 0.16), (0.0, 0.22), (0.14, 0.16)):
            pen.shade(head, oval(x, -0.7, 0.035, long), lighter(coat.fur, -0.16), 0.9)
        for side in (-1, 1):
            for y in (-0.1, 0.02):
                pen.shade(head, oval(side * 0.58, y, 0.13, 0.026, side * 0.15), lighter(coat.fur, -0.16), 0.9)
    elif coat.marks == "panda":
        for side in (-1, 1):
            pen.ellipse(side * 0.27, -0.24, 0.17, 0.2, DARK, side * 0.5)
    elif coat.marks == "patch":
        pen.shade(head, oval(0.28, -0.3, 0.27, 0.3, 0.3), lch(0.55, 0.08, 55), 1.0)
    elif coat.marks == "monkey":
        for side in (-1, 1):
            pen.ellipse(side * 0.2, -0.28, 0.26, 0.24, coat.light)


def _muzzle(pen: Pen, coat: Coat, name: str, look: str) -> None:
    panda = coat.marks == "panda"
    iris = coat.iris if not panda else lch(0.62, 0.07, 55)
    if coat.marks == "snout":
        face.eyes(pen, look, 0.29, -0.3, 0.095)
        pen.ellipse(0, -0.08, 0.23, 0.17, lch(0.74, 0.12, 5))
        for side in (-1, 1):
            pen.ellipse(side * 0.085, -0.08, 0.04, 0.07, lch(0.52, 0.13, 8))
        face.mouth(pen, look, 0, 0.09, 0.075)
    else:
        pen.ellipse(0, -0.02, 0.25 if name != "monkey" else 0.36, 0.16, coat.light)
        face.eyes(pen, look, 0.27, -0.25, 0.125 if iris is not None else 0.1, iris)
        nose = PINK if name in ("cat", "rabbit", "mouse") else DARK
        pen.blob([(-0.075, -0.1), (0, -0.115), (0.075, -0.1), (0.03, -0.035), (0, -0.02), (-0.03, -0.035)], nose)
        pen.stroke([(0, -0.03), (0, 0.02)], 0.02, DARK)
        if look in ("awe", "bright", "wink", "sad", "angry"):
            face.mouth(pen, look, 0, 0.025, 0.095)
        else:
            for side in (-1, 1):
                pen.stroke(arc(side * 0.075, 0.01, 0.075, 0.06, 0, 180), 0.024, DARK)
    if not panda:
        face.blush(pen, 0.44, -0.04, 0.085)
    if name in ("cat", "mouse", "rabbit"):
        for side in (-1, 1):
            for y, tilt in ((-0.06, -0.05), (0.02, 0.03)):
                pen.stroke([(side * 0.36, y), (side * 0.74, y + tilt)], 0.016, WHITE if coat.fur[0] < 0.5 else DARK)
