"""Sets the figures into the scene: in its light and haze, with a shadow on the ground or a mirror image in water."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from streamer.generator.procedural.engine import cutout
from streamer.generator.procedural.engine.colour import lch, mix, rgb
from streamer.generator.procedural.engine.noise import Field, line
from streamer.generator.procedural.engine.scene import Scene
from streamer.generator.procedural.plan.cast import Figure, Relation
from streamer.generator.procedural.plan.groups import Measures
from streamer.generator.procedural.plan.kinds import emoji
from streamer.generator.procedural.plan.layout import Medium, Placement, arrange

_SHAPES = Measures(cutout.aspect, cutout.head_of)
_TALLEST = 1400
_BRIGHTNESS = {"night": 0.66, "dusk": 0.88, "dawn": 0.98, "day": 1.0}
_TINT = {"night": 0.42, "dusk": 0.34, "dawn": 0.2, "day": 0.1}
_HAZE = {"night": 0.5, "dusk": 0.45, "dawn": 0.5, "day": 0.42}
_LAMPS = frozenset("🔥💡🕯🏮🎃⭐🌟✨🌕🌙☀🔮🪔🎆💫🌝🌞🛸👻")
_RIM_PX = 3.2


def paint(scene: Scene) -> None:
    """Place and draw everybody, back to front."""
    for placement in _placed(scene, scene.cast):
        _draw(scene, placement)


def paint_behind(scene: Scene) -> None:
    """Draw those who sit behind the table, before the table is painted."""
    for placement in _placed(scene, [figure for figure in scene.cast if _sits(figure)]):
        _draw(scene, placement)


def paint_before(scene: Scene) -> None:
    """Draw what lies on the table, after the table is painted."""
    for placement in _placed(scene, [figure for figure in scene.cast if not _sits(figure)]):
        _draw(scene, placement)


STAGES = (paint, paint_behind, paint_before)
"""What a picture without figures can do without."""


def _sits(figure: Figure) -> bool:
    return figure.is_alive or figure.relation is Relation.WORN


def _placed(scene: Scene, cast: Sequence[Figure]) -> list[Placement]:
    return arrange(cast, scene.setting, scene.width, scene.height, _SHAPES, scene.rng)


def stickers(scene: Scene) -> None:
    """Lay everybody down as one sticker: cut out together, with a white rim and a soft shadow."""
    placements = _placed(scene, scene.cast)
    sheet = Image.new("RGBA", (scene.width, scene.height), (255, 255, 255, 0))
    for placement in placements:
        picture, left, top = _cut(placement)
        sheet.alpha_composite(_inside(Image.fromarray(picture), scene, left, top), (max(0, left), max(0, top)))
    lay_sticker(scene, np.asarray(sheet))


def lay_sticker(scene: Scene, sheet: npt.NDArray[np.uint8]) -> None:
    """Give a drawing on a transparent sheet of the canvas's size its rim and shadow, and paint it."""
    alpha = Image.fromarray(np.ascontiguousarray(sheet[..., 3]))
    side = min(scene.width, scene.height)
    rim = _grown(alpha, side / 58)
    shadow = Image.fromarray((rim * 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(max(1, side // 90)))
    drop = max(1, side // 64)
    soft = np.zeros_like(rim)
    soft[drop:] = np.asarray(shadow, np.float32)[:-drop] * np.float32(0.4 / 255)
    canvas, dark = scene.canvas, rgb(lch(0.2, 0.05, 280))
    if scene.kind == "sticker":
        canvas.rgb[:] = dark[:, None, None]
    canvas.blend(dark, soft)
    canvas.blend(np.ones(3, np.float32), rim)
    planes = sheet[..., :3].transpose(2, 0, 1).astype(np.float32) * np.float32(1 / 255)
    canvas.blend(planes, sheet[..., 3].astype(np.float32) * np.float32(1 / 255))
    canvas.cut_out(np.maximum(rim, soft))


def badge(scene: Scene) -> None:
    """Cut a round badge with a white rim out of a view."""
    x, y = scene.width / 2, scene.height / 2
    radius = min(x, y) * 0.97
    distance = np.hypot(scene.canvas.x[None, :] + 0.5 - x, np.arange(scene.height, dtype=np.float32)[:, None] + 0.5 - y)
    rim = np.clip(distance - radius * np.float32(0.945), 0, 1).astype(np.float32)
    scene.canvas.blend(np.ones(3, np.float32), rim)
    scene.canvas.shade_light(rim, 0, 0)
    scene.canvas.cut_out(np.clip(radius - distance, 0, 1).astype(np.float32))


def _inside(image: Image.Image, scene: Scene, left: int, top: int) -> Image.Image:
    box = (max(0, -left), max(0, -top), min(image.width, scene.width - left), min(image.height, scene.height - top))
    return image.crop((box[0], box[1], max(box[0] + 1, box[2]), max(box[1] + 1, box[3])))


def _grown(alpha: Image.Image, by: float) -> Field:
    """Widen a mask evenly: blur it at half its size and keep all but the blur's faintest foot."""
    small = alpha.reduce(2).filter(ImageFilter.GaussianBlur(max(0.4, by * 0.31)))
    blurred = np.asarray(small.resize(alpha.size, Image.Resampling.BILINEAR)) * np.float32(1 / 255)
    grown: Field = np.clip((blurred - 0.06) * np.float32(max(2.0, by * 0.8)), 0, 1)
    return grown


def _cut(placement: Placement) -> tuple[npt.NDArray[np.uint8], int, int]:
    """Return the drawing in its final shape, and where its upper left corner goes."""
    tall = max(6, min(_TALLEST, round(placement.height)))
    picture = cutout.whole(placement.key, tall)
    if placement.dye is not None:
        picture = cutout.dyed(picture, placement.dye.hue, placement.dye.lightness)
    picture = cutout.turned(picture, mirrored=placement.mirrored, degrees=placement.degrees)
    height, width = picture.shape[:2]
    return picture, round(placement.x - width / 2), round(placement.foot - (height + tall) / 2)


def _draw(scene: Scene, placement: Placement) -> None:
    picture, left, top = _cut(placement)
    height, width = picture.shape[:2]
    mask = picture[..., 3].astype(np.float32) * np.float32(1 / 255)
    planes = _lit(scene, picture, mask, placement)
    waterline = round(placement.foot - placement.height * placement.sunk)
    if placement.medium is Medium.GROUND and not scene.setting.floats:
        _shadow(scene, placement, width)
    if placement.medium is Medium.WATER or (scene.setting.mirrors and placement.medium is Medium.GROUND):
        _mirror(scene, planes, mask, left, top, waterline, 0.42 if placement.medium is Medium.WATER else 0.2)
    if placement.sunk:
        rows = np.arange(top, top + height, dtype=np.float32)[:, None]
        wave = line(scene.rng, width, 5, 2) * np.float32(2.2 * scene.unit)
        mask *= np.clip(waterline + wave[None, :] - rows, 0, 1)
    _glow(scene, placement)
    _stamp(scene, planes, mask, left, top)
    if placement.medium is Medium.WATER:
        _ripples(scene, placement, waterline, width)


def _lit(scene: Scene, picture: npt.NDArray[np.uint8], mask: Field, placement: Placement) -> Field:
    """Colour a drawing by the hour, shade it away from the light, and let the light catch its edge."""
    tones, (height, width) = scene.tones, mask.shape
    ambient = _ambient(scene)
    toward = 1.0 if scene.sun[0] > placement.x else -1.0
    across = np.linspace(-1, 1, width, dtype=np.float32) * toward
    down = np.linspace(0, 1, height, dtype=np.float32)
    sides = 1 + np.float32(0.1) * across
    fall = np.float32(1.03) - np.float32(0.17) * down * down
    haze = rgb(tones.haze) if not scene.setting.floats else ambient
    share = np.float32(_HAZE[tones.hour] * (1 - placement.depth))
    planes = np.empty((3, height, width), np.float32)
    for i in range(3):
        plane = planes[i]
        np.multiply(picture[..., i], np.float32(ambient[i] / 255), out=plane)
        plane *= sides[None, :]
        plane *= fall[:, None]
        if share > 0.01:
            plane += (np.float32(haze[i]) - plane) * share
    _catch_light(scene, planes, mask, toward)
    return planes


def _ambient(scene: Scene) -> Field:
    """Return the factor by which the hour's light changes each of red, green and blue."""
    tones = scene.tones
    dim, share = _BRIGHTNESS[tones.hour], _TINT[tones.hour]
    if scene.setting.lamplit:
        dim, share = max(dim, 0.93), 0.12
    colour = rgb(mix(tones.haze, tones.light, 0.35))
    tint = colour / max(0.2, float(colour.max()))
    factor: Field = ((1 - share) + tint * share).astype(np.float32) * np.float32(dim)
    return factor


def _catch_light(scene: Scene, planes: Field, mask: Field, toward: float) -> None:
    """Brighten the edge that faces the sun or the moon."""
    by = max(1, round(_RIM_PX * scene.unit))
    shifted = np.zeros_like(mask)
    if toward > 0:
        shifted[by:, :-by] = mask[:-by, by:]
    else:
        shifted[by:, by:] = mask[:-by, :-by]
    rim = mask - shifted
    np.clip(rim, 0, 1, out=rim)
    rim *= np.float32(0.5 if scene.tones.hour in ("night", "dusk") else 0.28)
    shine = scene.tones.shine()
    for i in range(3):
        planes[i] += (np.float32(shine[i]) - planes[i]) * rim


def _shadow(scene: Scene, placement: Placement, width: int) -> None:
    """Darken the ground under the feet, and throw a long soft shadow away from the light."""
    canvas, wide = scene.canvas, width * 0.46
    away = 1.0 if scene.sun[0] < placement.x else -1.0
    foot = placement.foot - 0.012 * placement.height
    soft = scene.setting.lamplit or scene.tones.hour == "night"
    reach, strength = (0.16, 0.3) if soft else (0.42, 0.34)
    flat = max(3.0, placement.height * 0.05)
    x = placement.x + away * wide * reach
    long = ((canvas.coarse_x - x) / (wide * (1 + reach))) ** 2 + ((canvas.coarse_y - foot) / (flat * 1.5)) ** 2
    near = ((canvas.coarse_x - placement.x) / (wide * 0.92)) ** 2 + ((canvas.coarse_y - foot) / flat) ** 2
    mask = np.clip(1.2 - long, 0, 1) * strength + np.clip(1.25 - near, 0, 1) * 0.34
    canvas.wash(rgb(mix(lch(0.14, 0.04, 280), scene.tones.near, 0.4)), np.minimum(mask, 0.72).astype(np.float32))


def _mirror(scene: Scene, planes: Field, mask: Field, left: int, top: int, waterline: int, strength: float) -> None:
    """Lay the drawing upside down below the waterline, broken by waves and fading."""
    above = max(1, min(mask.shape[0], waterline - top))
    shore = scene.height * (scene.setting.water[1] if scene.setting.water else 1.0)
    whole = max(1, round(above * 0.62))
    rows = max(1, min(whole, round(shore - waterline)))
    source = np.linspace(above - 1, 0, whole).astype(np.int32)[:rows]
    sway = line(scene.rng, rows, max(2.0, rows / (9 * scene.unit)), 2) * np.linspace(1.5, 7, rows) * scene.unit
    width = mask.shape[1]
    columns = np.clip(np.arange(width)[None, :] + sway[:, None], 0, width - 1).astype(np.int32)
    fade = np.linspace(strength, 0, whole, dtype=np.float32)[:rows, None]
    seen = mask[source[:, None], columns] * fade
    dark = (planes[:, source[:, None], columns] * np.float32(0.8)).astype(np.float32)
    _stamp(scene, dark, seen, left, waterline)


def _ripples(scene: Scene, placement: Placement, waterline: int, width: int) -> None:
    """Ring what swims with a few bright lines."""
    unit, rng = scene.unit, scene.rng
    stencil = scene.canvas.stencil(
        placement.x - width * 0.8, waterline - 6 * unit, placement.x + width * 0.8, waterline + 40 * unit, finer=2
    )
    if stencil.empty:
        return
    for row, half in ((0.0, 0.56), (7.0, 0.64), (16.0, 0.5), (27.0, 0.36)):
        reach = width * half * float(rng.uniform(0.85, 1.05))
        y = waterline + row * unit
        x = placement.x + float(rng.uniform(-0.06, 0.06)) * width
        stencil.rectangle(x - reach, y - 1.1 * unit, x + reach, y + 1.1 * unit, 1.1 * unit, 210 - int(row * 5))
    scene.canvas.stamp(stencil, rgb(mix(scene.tones.haze, scene.tones.light, 0.6)), 0.5)


def _glow(scene: Scene, placement: Placement) -> None:
    """Let what shines light up the air around it."""
    if not _LAMPS & set(emoji(placement.key)) or scene.tones.hour == "day":
        return
    y = placement.foot - placement.height / 2
    scene.canvas.glow(placement.x, y, placement.height * 0.55, rgb(lch(0.85, 0.13, 78)), 0.45)


def _stamp(scene: Scene, planes: Field, mask: Field, x: int, y: int) -> None:
    """Blend planes at (x, y), cutting off what lies outside the canvas."""
    left, top = max(0, -x), max(0, -y)
    right, low = min(mask.shape[1], scene.width - x), min(mask.shape[0], scene.height - y)
    if right > left and low > top:
        scene.canvas.blend(planes[:, top:low, left:right], mask[top:low, left:right], y + top, x + left)
        scene.canvas.shade_light(mask[top:low, left:right], y + top, x + left)
