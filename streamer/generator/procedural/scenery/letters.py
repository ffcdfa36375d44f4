"""Letters a viewer's words into the picture where nobody can draw them: as a title in the sky, or as a poster."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from streamer.generator.procedural.engine.colour import Ink, lch, lighter, mix, rgb
from streamer.generator.procedural.engine.noise import Field
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.engine.typeset import SetType, TypeBox, set_type
from streamer.generator.procedural.scenery import figures, popart


def poster(scene: Scene) -> None:
    """Fill the middle of the picture with the words; a meme's captions keep their place above and below."""
    portrait = scene.kind != "background"
    box = _box(scene, (0.3, 0.7) if portrait else (0.16, 0.8), 0.34 if scene.kind == "sticker" else 0.17)
    type_ = set_type(scene.idea.words, box)
    if type_ is None:
        if scene.kind == "sticker":
            popart.paint(scene)
            figures.badge(scene)
        return
    middle = 0.5 if portrait else 0.47
    if portrait:
        _as_sticker(scene, type_, middle)
    else:
        _as_title(scene, type_, middle)
        _rules(scene, type_, middle)


def title(scene: Scene) -> None:
    """Write the words across the upper part of a view."""
    type_ = set_type(scene.idea.words, _box(scene, (0.05, 0.3), 0.085))
    if type_ is not None and scene.setting.portrait:
        _as_sticker(scene, type_, 0.16)
    elif type_ is not None:
        _as_title(scene, type_, 0.175)


def _box(scene: Scene, rows: tuple[float, float], largest: float) -> TypeBox:
    side = min(scene.height, scene.width)
    return TypeBox(scene.width * 0.86, scene.height * (rows[1] - rows[0]), side * largest, max(7.0, side * 0.042))


def _as_title(scene: Scene, type_: SetType, middle: float) -> None:
    """Lay light letters over a soft shade, with a shadow that lifts them off the picture."""
    x, y = _corner(scene, type_, middle)
    _shade(scene, type_, x, y)
    top, low = _inks(scene)
    rows, columns = type_.letters.shape
    ramp = scene.canvas.gradient(rgb(top), rgb(low), 0, rows, rows * 0.15, rows * 0.75)
    drop = max(1, round(type_.size * 0.05))
    soft = _blurred(type_.letters, type_.size * 0.06)
    _stamp(scene, np.broadcast_to(rgb(lighter(scene.tones.near, -0.04))[:, None, None], (3, rows, columns)),
           soft * np.float32(0.75), x, y + drop)  # fmt: skip
    _stamp(scene, np.broadcast_to(ramp, (3, rows, columns)), type_.letters, x, y)
    _stamp(scene, type_.emoji, type_.emoji_mask, x, y)


def _shade(scene: Scene, type_: SetType, x: int, y: int) -> None:
    """Darken the picture behind the letters, enough for them to be read wherever they stand."""
    ink = rgb(mix(scene.tones.near, lch(0.16, 0.05, 280), 0.4))
    pad = round(type_.size * 1.6)
    wide = _blurred(np.pad(np.maximum(type_.letters, type_.emoji_mask), pad), type_.size * 0.55)
    part = scene.canvas.rgb[1, max(0, y) : y + type_.letters.shape[0], max(0, x) : x + type_.letters.shape[1]]
    light = float(part[::4, ::4].mean()) if part.size else 0.5
    strength = np.clip(wide * 2.2, 0, 1) * np.float32(np.clip((light - 0.16) / max(0.1, light), 0.3, 0.85))
    _stamp(scene, np.broadcast_to(ink[:, None, None], (3, *strength.shape)), strength, x - pad, y - pad)


def _inks(scene: Scene) -> tuple[Ink, Ink]:
    light = lch(0.985, 0.015, 90)
    accent = scene.tones.accents[scene.idea.salt % len(scene.tones.accents)]
    return light, mix(light, lighter(accent, 0.12), 0.45)


def _rules(scene: Scene, type_: SetType, middle: float) -> None:
    """Set a short rule above and below the block, as on a poster."""
    unit = scene.unit
    half = min(type_.letters.shape[1] * 0.22, scene.width * 0.16)
    gap = type_.letters.shape[0] / 2 - type_.size * 0.12
    for y in (scene.height * middle - gap, scene.height * middle + gap):
        rule = scene.canvas.stencil(scene.width / 2 - half, y - 3 * unit, scene.width / 2 + half, y + 3 * unit)
        rule.rectangle(scene.width / 2 - half, y - 1.6 * unit, scene.width / 2 + half, y + 1.6 * unit, 1.6 * unit)
        scene.canvas.stamp(rule, rgb(_inks(scene)[1]), 0.85)


def _as_sticker(scene: Scene, type_: SetType, middle: float) -> None:
    """Cut the letters out with a white rim."""
    x, y = _corner(scene, type_, middle)
    ink = rgb(lch(0.42, 0.17, (scene.idea.hues or (float(scene.idea.salt % 360),))[0]))
    sheet = np.zeros((scene.height, scene.width, 4), np.uint8)
    rows, columns = type_.letters.shape
    top, left = max(0, y), max(0, x)
    low, right = min(scene.height, y + rows), min(scene.width, x + columns)
    part = (slice(top - y, low - y), slice(left - x, right - x))
    target = sheet[top:low, left:right]
    target[..., :3] = (ink * 255).astype(np.uint8)
    seen = type_.emoji_mask[part] > 0
    target[seen, :3] = (type_.emoji[:, part[0], part[1]].transpose(1, 2, 0)[seen] * 255).astype(np.uint8)
    target[..., 3] = (np.maximum(type_.letters, type_.emoji_mask)[part] * 255).astype(np.uint8)
    figures.lay_sticker(scene, sheet)


def _corner(scene: Scene, type_: SetType, middle: float) -> tuple[int, int]:
    rows, columns = type_.letters.shape
    return round((scene.width - columns) / 2), round(scene.height * middle - rows / 2)


def _blurred(mask: Field, radius: float) -> Field:
    """Blur a mask at a quarter of its size."""
    image = Image.fromarray((mask * 255).astype(np.uint8))
    small = image.reduce(4).filter(ImageFilter.GaussianBlur(max(0.4, radius / 4)))
    large: Field = np.asarray(small.resize(image.size, Image.Resampling.BILINEAR), np.float32) * np.float32(1 / 255)
    return large


def _stamp(scene: Scene, planes: Field, mask: Field, x: int, y: int) -> None:
    left, top = max(0, -x), max(0, -y)
    right, low = min(mask.shape[1], scene.width - x), min(mask.shape[0], scene.height - y)
    if right > left and low > top:
        part = mask[top:low, left:right]
        scene.canvas.blend(planes[:, top:low, left:right], part, y + top, x + left)
        scene.canvas.shade_light(part, y + top, x + left)
