"""Trees: ranks of conifers in the mist, broad crowns, birches and palms, trunks that frame the view."""

from __future__ import annotations

import math

import numpy as np

from streamer.generator.procedural.engine.canvas import Stencil
from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import Field, line
from streamer.generator.procedural.engine.scene import Scene

_LEAF_LIGHT = {"night": 0.32, "dusk": 0.41, "dawn": 0.50, "day": 0.55}


def ranks(scene: Scene, count: int = 4, start: float = 0.1) -> None:
    """Paint rows of trees from the horizon to the foreground with mist between them."""
    from_y, to_y = scene.horizon + 10 * scene.unit, scene.height + 10 * scene.unit
    for index in range(count):
        depth = start + (0.97 - start) * index / max(1, count - 1)
        base = from_y + (to_y - from_y) * (index / max(1, count - 1)) ** 1.3
        tall = (60 + 190 * depth**1.3) * scene.unit
        rank(scene, base, tall, depth)


def rank(scene: Scene, base: float, tall: float, depth: float) -> None:
    """Paint one row of trees whose feet stand on undulating ground near ``base``."""
    ground = (base - 16 * scene.unit * (0.5 + line(scene.rng, scene.width, 3, 3))).astype(np.float32)
    edge = _conifers(scene, ground, tall) if not _is_leafy(scene) else _crowns(scene, ground, tall)
    ink = foliage(scene, depth)
    foot = mix(ink, scene.tones.haze, 0.5 * (1 - depth) + 0.08)
    if scene.is_snowy:
        foot = mix(foot, mix(scene.tones.ground, scene.tones.haze, 0.3), 0.8)
    if depth < 0.7:
        scene.canvas.below(edge, rgb(lighter(ink, 0.02)), rgb(foot), tall * 1.2)
        return
    scene.canvas.below(
        ground,
        rgb(mix(ink, scene.tones.ground, 0.85 if scene.is_snowy or scene.idea.season == "autumn" else 0.35)),
        rgb(mix(lighter(ink, -0.04), scene.tones.ground, 0.5 * scene.is_snowy)),
        tall * 0.6,
    )
    _standing(scene, ground, tall, ink)


def _is_leafy(scene: Scene) -> bool:
    grown = bool(scene.idea.features & {"palm", "tree"}) or "jungle" in scene.idea.places
    return grown or scene.idea.season in ("autumn", "spring")


def foliage(scene: Scene, depth: float) -> Ink:
    """Choose the colour of leaves or needles at a depth."""
    base = scene.tones.layer_lab(depth)
    bright = {"night": -0.02, "dusk": 0.0, "dawn": 0.06, "day": 0.1}[scene.tones.hour]
    if scene.idea.season == "autumn":
        leaf = lch(0.44 + bright + 0.12 * (1 - depth), 0.135, float(scene.rng.uniform(32, 72)))
        return mix(base, leaf, 0.35 + 0.4 * depth)
    if scene.idea.season == "spring":
        return mix(base, lch(0.62 + bright, 0.12, 352), 0.5)
    if scene.is_snowy:
        return mix(mix(base, lch(0.34 + bright, 0.05, 215), 0.35), scene.tones.ground, 0.22 * (1.15 - depth))
    if scene.idea.hues:
        return base
    return mix(base, lch(0.30 + bright + 0.12 * (1 - depth), 0.07, 155), 0.4)


def _conifers(scene: Scene, ground: Field, tall: float) -> Field:
    """Return the upper edge of a far row of firs: overlapping sharp triangles with toothed flanks."""
    rng, x = scene.rng, scene.canvas.x
    edge = ground.copy()
    gap = max(3.0, tall * 0.2)
    teeth = np.abs((x / max(2.0, tall * 0.07)) % 1.0 - 0.5).astype(np.float32)
    at = -gap
    while at < scene.width + gap:
        height = tall * float(rng.uniform(0.45, 1.0))
        reach = height * 0.3
        low, high = max(0, int(at - reach)), min(scene.width, int(at + reach) + 1)
        if high > low:
            part = np.abs(x[low:high] - at) / reach
            tree = ground[low:high] - height * (1 - part) * (1 - 0.25 * teeth[low:high] * (part > 0.1))
            edge[low:high] = np.minimum(edge[low:high], tree)
        at += gap * float(rng.uniform(0.5, 1.5))
    return edge.astype(np.float32)


def _crowns(scene: Scene, ground: Field, tall: float) -> Field:
    """Return the upper edge of a far row of broad-leaved trees: overlapping round crowns."""
    rng, x = scene.rng, scene.canvas.x
    edge = ground - tall * 0.25
    at = -tall * 0.3
    while at < scene.width + tall * 0.3:
        radius = tall * float(rng.uniform(0.16, 0.34))
        middle = float(ground[int(np.clip(at, 0, scene.width - 1))]) - tall * float(rng.uniform(0.3, 0.6))
        inside = radius**2 - (x - at) ** 2
        np.minimum(edge, np.where(inside > 0, middle - np.sqrt(np.maximum(inside, 0)), edge), out=edge)
        at += radius * float(rng.uniform(0.6, 1.3))
    return edge.astype(np.float32)


def _standing(scene: Scene, ground: Field, tall: float, ink: Ink) -> None:
    """Paint near trees one by one, thinner in the middle so that the view stays open."""
    rng = scene.rng
    for shade in (0.035, 0.0):
        if scene.idea.season == "autumn":
            leaf = lch(_LEAF_LIGHT[scene.tones.hour], 0.13, float(scene.rng.uniform(28, 80)))
            ink = mix(scene.tones.layer_lab(0.8), leaf, 0.72)
        top = float(ground.min()) - tall * 1.75
        stencil = scene.canvas.stencil(0, top, scene.width, float(ground.max()) + 4, finer=2)
        if stencil.empty:
            return
        for _ in range(7):
            at = float(rng.random()) ** 1.6 * 0.42
            x = scene.width * (at if rng.random() < 0.5 else 1 - at)
            height = tall * float(rng.uniform(0.75, 1.6)) * (1.1 - at)
            foot = float(ground[int(np.clip(x, 0, scene.width - 1))]) + 3 * scene.unit
            if _is_leafy(scene):
                broadleaf(stencil, rng, x, foot, height * 0.9)
            else:
                fir(stencil, rng, x, foot, height)
        scene.canvas.stamp(stencil, rgb(lighter(ink, shade)))
        if scene.is_snowy and shade == 0.0:
            _snow_on(scene, stencil)


def _snow_on(scene: Scene, stencil: Stencil) -> None:
    """Lay snow on what lies open to the sky: where a tree is, and a little higher nothing is."""
    mask = stencil.mask()
    drop = max(2, int(5 * scene.unit))
    above = np.zeros_like(mask)
    above[drop:] = mask[:-drop]
    scene.canvas.blend(
        rgb(mix(scene.tones.ground, scene.tones.light, 0.35)),
        np.clip(mask - above, 0, 1) * 0.85,
        stencil.y0,
        stencil.x0,
    )


def fir(stencil: Stencil, rng: np.random.Generator, x: float, foot: float, tall: float) -> None:
    """Draw one fir: a trunk and tiers of drooping branches, each a little irregular."""
    stencil.rectangle(x - tall * 0.018, foot - tall * 0.3, x + tall * 0.018, foot)
    tiers = 9
    for index in range(tiers):
        part = index / tiers
        y = foot - tall * (0.99 - 0.86 * part)
        half = tall * (0.035 + 0.2 * part**0.9) * float(rng.uniform(0.85, 1.12))
        deep = tall * (0.09 + 0.07 * part)
        tilt = float(rng.uniform(-0.012, 0.012)) * tall
        points = [(x, y - deep * 0.55), (x + half * 0.55, y + deep * 0.45), (x + half, y + deep + tilt)]
        points += [(x + half * 0.45, y + deep * 0.82), (x, y + deep * 0.95), (x - half * 0.45, y + deep * 0.82)]
        points += [(x - half, y + deep - tilt), (x - half * 0.55, y + deep * 0.45)]
        stencil.polygon(points)


def broadleaf(stencil: Stencil, rng: np.random.Generator, x: float, foot: float, tall: float) -> None:
    """Draw one broad-leaved tree: a forked trunk under a cloud of leaves."""
    lean = float(rng.uniform(-0.06, 0.06)) * tall
    width = tall * 0.05
    stencil.polygon(
        [
            (x - width, foot),
            (x + lean - width * 0.4, foot - tall * 0.6),
            (x + lean + width * 0.4, foot - tall * 0.6),
            (x + width, foot),
        ]
    )
    for side in (-1, 1):
        stencil.stroke(
            [(x + lean * 0.6, foot - tall * 0.4), (x + lean + side * tall * 0.16, foot - tall * 0.66)], width * 0.55
        )
    for _ in range(15):
        angle, far = float(rng.uniform(0, 2 * math.pi)), float(rng.random()) ** 0.6
        size = tall * float(rng.uniform(0.09, 0.17))
        cx, cy = x + lean + math.cos(angle) * far * tall * 0.26, foot - tall * 0.76 + math.sin(angle) * far * tall * 0.2
        stencil.ellipse(cx, cy, size, size * 0.85)


def palm(stencil: Stencil, rng: np.random.Generator, x: float, foot: float, tall: float) -> None:
    """Draw one palm with a bent trunk and hanging fronds."""
    bend = tall * float(rng.uniform(0.12, 0.32)) * float(rng.choice([-1, 1]))
    trunk = [(x + bend * t * t, foot - tall * t) for t in np.linspace(0, 1, 14)]
    for (x0, y0), (x1, y1), t in zip(trunk, trunk[1:], np.linspace(1, 0.55, 13), strict=False):
        stencil.stroke([(x0, y0), (x1, y1)], tall * 0.032 * float(t))
    top_x, top_y = trunk[-1]
    for angle in np.linspace(-2.9, -0.25, 9) + rng.uniform(-0.1, 0.1, 9):
        _frond(stencil, top_x, top_y, float(angle), tall * float(rng.uniform(0.36, 0.5)))


def _frond(stencil: Stencil, x: float, y: float, angle: float, length: float) -> None:
    """Draw one frond: a bowed spine with leaflets on both sides, longer below."""
    dx, dy = math.cos(angle), math.sin(angle)
    spine = [(x + dx * length * t, y + dy * length * t + length * 0.42 * t * t) for t in np.linspace(0, 1, 15)]
    stencil.stroke(spine, max(1.0, length * 0.018))
    for index in range(1, len(spine) - 1):
        (x0, y0), (x1, y1) = spine[index], spine[index + 1]
        reach = length * 0.26 * math.sin(math.pi * (index + 2.5) / 18)
        out = 1.0 if dx >= 0 else -1.0
        stencil.polygon([(x0, y0), (x1, y1), (x1 + out * reach * 0.42, y1 + reach)])
        stencil.polygon([(x0, y0), (x1, y1), (x1 + out * reach * 0.7, y1 - reach * 0.32 + reach * index / 22)])


def frame(scene: Scene) -> None:
    """Frame the view with something dark and close: branches, palms or grass."""
    rng, unit = scene.rng, scene.unit
    ink = lighter(foliage(scene, 1.0) if scene.idea.season else scene.tones.near, -0.02)
    side = 1 if scene.sun[0] > scene.width / 2 else 0
    x = scene.width * (0.04 if side == 0 else 0.96)
    stencil = scene.canvas.stencil(0, 0, scene.width, scene.height, finer=2)
    tall = min(scene.height * float(rng.uniform(0.62, 0.85)), scene.width * 0.75)
    if "sea" in scene.idea.places:
        if not scene.idea.has("palm", "beach") and (
            scene.is_snowy or scene.idea.has("storm", "lighthouse", "castle", "cold")
        ):
            return
        palm(stencil, rng, x, scene.height + 5 * unit, tall)
        palm(stencil, rng, x + (0.06 - 0.12 * side) * scene.width, scene.height + 8 * unit, tall * 0.7)
    elif _is_leafy(scene):
        broadleaf(stencil, rng, x, scene.height + 5 * unit, tall * 1.05)
    else:
        fir(stencil, rng, x, scene.height + 5 * unit, tall)
        fir(stencil, rng, x + (0.09 - 0.18 * side) * scene.width, scene.height + 9 * unit, tall * 0.62)
    scene.canvas.stamp(stencil, rgb(ink))
    if scene.is_snowy:
        _snow_on(scene, stencil)


def grass(scene: Scene, strength: float = 1.0) -> None:
    """Let blades of grass grow into the picture along its lower edge."""
    rng, unit = scene.rng, scene.unit
    tall = 62 * unit * strength
    stencil = scene.canvas.stencil(0, scene.height - tall * 1.4, scene.width, scene.height, finer=2)
    mound = line(rng, 256, 4, 3)
    for x in rng.random(int(200 * scene.width / max(1, scene.height))) * scene.width:
        lift = 0.55 + 0.4 * float(mound[int(x / scene.width * 255)])
        height, lean = tall * float(rng.uniform(0.3, 1.0)) * lift, float(rng.uniform(-0.4, 0.4))
        half = (1.4 + 1.6 * float(rng.random())) * unit
        top = (x + lean * height, scene.height - height)
        middle = (x + lean * height * 0.3, scene.height - height * 0.55)
        stencil.polygon(
            [
                (x - half, scene.height),
                (middle[0] - half * 0.7, middle[1]),
                top,
                (middle[0] + half * 0.7, middle[1]),
                (x + half, scene.height),
            ]
        )
    scene.canvas.stamp(stencil, rgb(mix(scene.tones.near, scene.tones.ground, 0.12)))


def birches(scene: Scene) -> None:
    """Stand pale trunks with dark marks in the foreground."""
    rng, canvas, unit = scene.rng, scene.canvas, scene.unit
    trunks = canvas.stencil(0, 0, scene.width, scene.height, finer=2)
    marks = canvas.stencil(0, 0, scene.width, scene.height, finer=2)
    for _ in range(6):
        at = float(rng.random()) ** 1.3 * 0.45
        x = scene.width * (at if rng.random() < 0.5 else 1 - at)
        half = unit * float(rng.uniform(6, 17))
        lean = float(rng.uniform(-26, 26)) * unit
        trunks.polygon(
            [
                (x - half, scene.height),
                (x + lean - half * 0.55, 0),
                (x + lean + half * 0.55, 0),
                (x + half, scene.height),
            ]
        )
        for y in rng.random(16) * scene.height:
            side, here = float(rng.choice([-1, 1])), x + lean * (1 - y / scene.height)
            marks.ellipse(here + side * half * 0.6, float(y), half * float(rng.uniform(0.2, 0.5)), 1.8 * unit)
    canvas.stamp(trunks, rgb(mix(lch(0.9, 0.015, 90), scene.tones.haze, 0.35 if not scene.tones.is_dark else 0.7)))
    canvas.stamp(marks, rgb(scene.tones.near), 0.85)
