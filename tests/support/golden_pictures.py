"""The pictures that the built-in painter must go on painting: prompts that between them enter every scenery function.

After a change that is meant to be seen, look at the new pictures and keep them: python -m tests.support.golden_pictures
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from streamer.generator.procedural.engine.finish import finish
from streamer.generator.procedural.engine.noise import Noise
from streamer.generator.procedural.engine.scene import Scene, Stage
from streamer.generator.procedural.plan.compose import stage_scene
from streamer.generator.procedural.scenery import letters
from tests.support.drawings import drawings

FOLDER = Path(__file__).parents[1] / "generator" / "procedural" / "scenery" / "golden"
SEED = 7
SIZES = {"background": (320, 180), "meme": (180, 180), "sticker": (180, 180)}
"""Width and height in pixels, as they are painted."""
SHRINK = 5
"""How many times smaller the kept pictures are: rounding averages out, and the files stay small."""

PROMPTS: dict[str, tuple[str, str]] = {
    "lake": ("background", "calm lake with a boat at sunset"),
    "room": ("background", "уютная комната с окном на ночной город"),
    "fireplace": ("background", "cozy room with a fireplace and candles"),
    "desk": ("background", "gaming setup desk room at night"),
    "campfire": ("background", "campfire by an old oak tree in the forest, hot air balloons"),
    "autumn": ("background", "осенний лес на закате"),
    "aurora": ("background", "зимний лес, северное сияние"),
    "silk": ("background", "изумрудные волны абстракция"),
    "paper": ("background", "pastel swirls"),
    "bands": ("background", "dreamy chaos of quantum marmalade"),
    "reef": ("background", "underwater coral reef"),
    "harbour": ("background", "stormy harbour with a lighthouse at night"),
    "tulips": ("background", "поле тюльпанов и мельница днём"),
    "cabin": ("background", "cozy cabin in snowy mountains, christmas"),
    "roofs": ("background", "rooftop party over the city at dusk"),
    "neon_city": ("background", "neon city in the rain at night"),
    "nebula": ("background", "purple nebula with a ringed planet"),
    "orbit": ("background", "milky way"),
    "volcano": ("background", "volcano by the sea at night, fireworks and a comet"),
    "pyramids": ("background", "pyramids in the desert under a ringed planet"),
    "cactus": ("background", "desert with cactus at dusk"),
    "castle": ("background", "castle on a hill, full moon"),
    "noir_bridge": ("background", "noir bridge over a river with a rainbow"),
    "striped_sun": ("background", "neon retrowave night"),
    "island": ("background", "тропический остров, пляж, рассвет"),
    "pixels": ("background", "pixel art castle"),
    "fireflies": ("background", "fireflies in a magic forest"),
    "moonscape": ("background", "astronaut on the moon"),
    "mars": ("background", "rover on mars"),
    "iceberg": ("background", "iceberg at dawn"),
    "clouds": ("background", "above the clouds at sunset"),
    "window": ("background", "cat on a windowsill in the rain"),
    "table": ("background", "pizza on the table"),
    "branch": ("background", "owl on a branch in autumn"),
    "stage": ("background", "concert on a stage"),
    "road": ("background", "a road through fields at noon"),
    "rails": ("background", "railway through the forest"),
    "shore_village": ("background", "рыбацкая деревня на закате"),
    "bank": ("background", "cat by the lake"),
    "street": ("background", "black and white street"),
    "badge": ("sticker", "sunset beach"),
    "popart_rays": ("meme", "when the code compiles first try"),
    "popart_rings": ("meme", "good morning chat"),
}


@cache
def _noise() -> Noise:
    return Noise()


def stages_of(name: str) -> tuple[Scene, list[Stage]]:
    """Prepare a golden picture without lettering, which another version of FreeType draws a little differently.

    A cat is the only figure, and plain, so that better drawings change nothing here.
    """
    kind, prompt = PROMPTS[name]
    with drawings(cat="1f408"):
        scene, stages = stage_scene(prompt, kind, *SIZES[kind], SEED, _noise())
    return scene, [stage for stage in stages if stage not in (letters.poster, letters.title)]


def paint(name: str, *, without: int | None = None) -> npt.NDArray[np.uint8]:
    """Paint a golden picture, with one stage left out if asked, and shrink it: [height, width, 3] bytes."""
    scene, stages = stages_of(name)
    with drawings(cat="1f408"):
        for number, stage in enumerate(stages):
            if number != without:
                stage(scene)
    whole = Image.fromarray(np.ascontiguousarray(finish(scene)[..., :3]))
    return np.asarray(whole.resize((whole.width // SHRINK, whole.height // SHRINK), Image.Resampling.BOX))


def golden(name: str) -> npt.NDArray[np.uint8]:
    """Read the kept picture."""
    with Image.open(FOLDER / f"{name}.png") as picture:
        return np.asarray(picture.convert("RGB"))


def main() -> None:
    """Write every golden picture anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PROMPTS:
        Image.fromarray(paint(name)).save(FOLDER / f"{name}.png", optimize=True)
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
