"""Puts the prompt's character into the picture: large with a sticker's edge in a meme, part of the view elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from streamer.generator.procedural.engine.colour import Ink, lch, rgb
from streamer.generator.procedural.engine.noise import Field
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.figures import animals, beings, creatures, face, food, things
from streamer.generator.procedural.figures.pen import Pen
from streamer.generator.procedural.plan.idea import Idea

Figure = Callable[[Pen, Ink, str], None]

BEINGS: dict[str, Figure] = {
    "robot": beings.robot,
    "ghost": beings.ghost,
    "alien": beings.alien,
    "ufo": beings.ufo,
    "astronaut": beings.astronaut,
    "wizard": beings.wizard,
    "knight": beings.knight,
    "dragon": creatures.dragon,
    "penguin": creatures.penguin,
    "duck": creatures.duck,
    "frog": creatures.frog,
    "owl": creatures.owl,
    "fish": creatures.fish,
    "octopus": creatures.octopus,
    "snowman": beings.snowman,
    "rocket": things.rocket,
}
THINGS: dict[str, Figure] = {
    "heart": things.heart,
    "coffee": food.coffee,
    "fire": things.fire,
    "trophy": things.trophy,
    "star": things.star,
    "mushroom": food.mushroom,
    "crown": things.crown,
    "gamepad": things.gamepad,
    "pizza": food.pizza,
    "burger": food.burger,
    "cactus": food.cactus,
    "pumpkin": food.pumpkin,
    "bomb": things.bomb,
    "gem": things.gem,
    "bulb": things.bulb,
    "money": things.money,
    "sword": things.sword,
    "potion": things.potion,
    "castle": things.castle,
}
_FLYING = ("ufo", "rocket", "ghost", "owl", "fish", "astronaut")
_HEAD_TOPS = {
    "frog": (-0.5, 0.36),
    "penguin": (-0.7, 0.42),
    "ghost": (-0.72, 0.46),
    "octopus": (-0.68, 0.46),
    "alien": (-0.6, 0.4),
}
_HATLESS = ("rabbit", "lion")


def chosen(idea: Idea, kind: str) -> str | None:
    """Choose the one character to draw; a view shows living things only, a meme anything."""
    alive = [name for name in idea.subjects if name in animals.COATS or name in BEINGS]
    if kind != "background":
        return next(iter(alive or idea.subjects), None)
    return alive[0] if alive else None


def paint(scene: Scene) -> None:
    """Draw the chosen character over the scene."""
    name = chosen(scene.idea, scene.kind)
    if name is None:
        return
    share = 0.44 if not scene.is_portrait else (0.6 if scene.idea.places else 0.66)
    size = int(min(scene.height, scene.width) * share)
    if size < 8:
        return
    pen = Pen(size)
    _draw(scene, pen, name)
    planes, mask = pen.layers()
    x, y = _place(scene, name, size)
    second = _second(scene, name)
    if second:
        x -= scene.width // 11
    if scene.is_portrait:
        _sticker(scene, planes, mask, x, y)
    else:
        _in_the_view(scene, planes, mask, x, y)
    if second:
        small = Pen(int(size * 0.46))
        _draw(scene, small, second)
        _sticker(scene, *small.layers(), int(x + size * 0.82), int(y + size * 0.56))


def _second(scene: Scene, main: str) -> str | None:
    """Choose what the character has with it in a meme: the next thing the prompt names."""
    if not scene.is_portrait:
        return None
    worn = {"wizard", "crown", "castle", main}
    return next((name for name in scene.idea.subjects if name in THINGS and name not in worn), None)


def _draw(scene: Scene, pen: Pen, name: str) -> None:
    variant = scene.idea.salt // 5 + int(scene.rng.integers(1 << 20))
    look = _look(scene, variant)
    hue = scene.idea.hues[0] if scene.idea.hues else float((25, 250, 345, 165, 300, 45)[variant % 6])
    if name in animals.COATS:
        animals.draw(pen, name, variant, look, _hat(scene, name))
    else:
        (BEINGS.get(name) or THINGS[name])(pen, lch(0.62, 0.17, hue), look)
        hat = _hat(scene, name)
        if name in _HEAD_TOPS and hat in ("wizard", "crown", "santa"):
            face.hat(pen, hat, *_HEAD_TOPS[name])


def _look(scene: Scene, variant: int) -> str:
    for mood in ("sad", "angry"):
        if scene.idea.has(mood):
            return mood
    if scene.idea.has("calm", "pastel"):
        return "happy"
    if scene.idea.has("storm", "gloomy", "epic"):
        return "awe"
    return face.LOOKS[variant % len(face.LOOKS)]


def _hat(scene: Scene, name: str) -> str:
    idea = scene.idea
    if name in _HATLESS:
        return ""
    if "wizard" in idea.subjects or "magic" in idea.moods:
        return "wizard"
    if "crown" in idea.subjects:
        return "crown"
    if "computer" in idea.features or "gamepad" in idea.subjects:
        return "headphones"
    return "santa" if idea.season == "winter" else ""


def _place(scene: Scene, name: str, size: int) -> tuple[int, int]:
    """Choose the upper left corner: centred for a meme, beside the middle for a view, aloft for what flies."""
    if scene.is_portrait:
        return (scene.width - size) // 2, int(scene.height * 0.54 - size / 2)
    aside = 1 if scene.sun[0] < scene.width / 2 else -1
    x = scene.width * (0.5 + aside * float(scene.rng.uniform(0.08, 0.2))) - size / 2
    aloft = (name in _FLYING and "room" not in scene.idea.places) or bool(
        {"space", "underwater"} & set(scene.idea.places)
    )
    y = scene.height * 0.46 - size / 2 if aloft else scene.height * 0.985 - size
    return int(np.clip(x, 0, max(0, scene.width - size))), int(y)


def _grown(mask: Field, by: float) -> Field:
    """Widen a mask evenly: blur it at half its size and keep all but the blur's faintest foot."""
    image = Image.fromarray((mask * 255).astype(np.uint8))
    small = image.reduce(2).filter(ImageFilter.GaussianBlur(max(0.4, by * 0.31)))
    blurred = np.asarray(small.resize(image.size, Image.Resampling.BILINEAR)) * np.float32(1 / 255)
    grown: Field = np.clip((blurred - 0.06) * np.float32(max(2.0, by * 0.8)), 0, 1)
    return grown


def _sticker(scene: Scene, planes: Field, mask: Field, x: int, y: int) -> None:
    """Lay the figure down with a white rim and a soft shadow."""
    size = mask.shape[0]
    pad = max(2, size // 14)
    roomy = np.pad(mask, pad)
    rim = _grown(roomy, size / 52)
    _cast(scene, rim, x - pad + size // 60, y - pad + size // 34)
    _stamp(scene, np.broadcast_to(rgb(lch(0.99, 0.004, 90))[:, None, None], (3, *rim.shape)), rim, x - pad, y - pad)
    _stamp(scene, planes, mask, x, y)


def _cast(scene: Scene, mask: Field, x: int, y: int) -> None:
    image = Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(max(1, mask.shape[0] // 70)))
    shadow = np.asarray(image, np.float32) * np.float32(0.42 / 255)
    _stamp(scene, np.broadcast_to(rgb(lch(0.2, 0.06, 280))[:, None, None], (3, *mask.shape)), shadow, x, y)


def _in_the_view(scene: Scene, planes: Field, mask: Field, x: int, y: int) -> None:
    """Tone the figure down to the light of the scene, so that it stands in it and not on it."""
    near = scene.tones.layer(0.55)[:, None, None]
    dim = {"night": 0.34, "dusk": 0.24, "dawn": 0.14, "day": 0.08}[scene.tones.hour]
    if {"room", "space"} & set(scene.idea.places):
        dim = 0.14
    toned = planes * (1 - dim) + near * dim * (0.4 + 0.6 * planes)
    if not {"space", "underwater"} & set(scene.idea.places):
        _contact(scene, x, y, mask.shape[0])
    _stamp(scene, toned.astype(np.float32), mask, x, y)


def _contact(scene: Scene, x: int, y: int, size: int) -> None:
    """Darken the ground under the feet."""
    canvas = scene.canvas
    foot = y + size * 0.96
    far = ((canvas.coarse_x - x - size / 2) / (size * 0.42)) ** 2 + ((canvas.coarse_y - foot) / (size * 0.055)) ** 2
    canvas.wash(rgb(lch(0.12, 0.04, 280)), (np.clip(1.4 - far, 0, 1) * 0.45).astype(np.float32))


def _stamp(scene: Scene, planes: Field, mask: Field, x: int, y: int) -> None:
    """Blend planes at (x, y), cutting off what lies outside the canvas."""
    left, top = max(0, -x), max(0, -y)
    right, low = min(mask.shape[1], scene.width - x), min(mask.shape[0], scene.height - y)
    if right > left and low > top:
        scene.canvas.blend(planes[:, top:low, left:right], mask[top:low, left:right], y + top, x + left)
