"""Paint the gallery's prompts and lay them out on one sheet for people to judge."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from streamer.generator.backend import HostPicture
from streamer.generator.backends.procedural import Options, create
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

PROMPTS: tuple[tuple[str, str], ...] = (
    ("background", "misty mountains at dawn"),
    ("background", "neon city in the rain at night"),
    ("background", "stormy harbour with a lighthouse at night"),
    ("background", "уютная комната с окном на ночной город"),
    ("background", "purple nebula with a ringed planet"),
    ("background", "осенний лес на закате"),
    ("background", "зимний лес, северное сияние"),
    ("background", "calm lake with a boat at sunset"),
    ("background", "desert with cactus at dusk"),
    ("background", "поле тюльпанов и мельница днём"),
    ("background", "dreamy chaos of quantum marmalade"),
    ("background", "synthwave sunset over the ocean"),
    ("background", "wizard castle on a hill, full moon"),
    ("background", "киберпанк город, фиолетовый неон"),
    ("background", "underwater coral reef"),
    ("background", "gaming setup desk room at night"),
    ("background", "black void at night"),
    ("background", "тропический остров, пляж, рассвет"),
    ("background", "cozy cabin in snowy mountains, christmas"),
    ("background", "изумрудные волны абстракция"),
    ("meme", "a cat who found coffee"),
    ("meme", "грустный робот"),
    ("meme", "dragon in the mountains"),
    ("meme", "призрак в космосе"),
    ("meme", "when the code compiles first try"),
    ("meme", "trophy for the best streamer"),
    ("meme", "пёс в огне говорит что всё хорошо"),
    ("meme", "frog wizard with a potion"),
)
SIZES = {"background": (1280, 720), "meme": (1024, 1024)}
_TILE_HEIGHT, _COLUMNS = 288, 4


def request(kind: str, prompt: str, seed: int, size: tuple[int, int] | None = None, steps: int = 4) -> ImageRequest:
    """Build the request that a typed command would build."""
    width, height = size or SIZES[kind]
    params = SamplingParams(width, height, steps, 1.0, seed)
    actor = Actor("1", "gallery", Role.BROADCASTER)
    return ImageRequest(
        f"{kind}-{seed}",
        kind,
        RequestKind(kind),
        kind,
        prompt,
        prompt,
        params,
        actor,
        Lane.BROADCASTER,
        at=0.0,
        expires_at=1e9,
    )


def pictures(seed: int, prompts: tuple[tuple[str, str], ...] = PROMPTS) -> Iterator[tuple[str, np.ndarray, float]]:
    """Paint every prompt; yield the prompt, its picture and the seconds it took."""
    painter = create(Options())
    painter.load(lambda _what, _share: None)
    painter.warm_up(tuple(SIZES.values()), lambda _what, _share: None)
    for kind, prompt in prompts:
        started = time.perf_counter()
        *_, last = painter.draw(request(kind, prompt, seed))
        assert isinstance(last, HostPicture)
        yield prompt, last.array, time.perf_counter() - started


def sheet(arrays: list[np.ndarray]) -> Image.Image:
    """Lay pictures out in rows of equal height."""
    tiles = [
        Image.fromarray(a).resize((a.shape[1] * _TILE_HEIGHT // a.shape[0], _TILE_HEIGHT), Image.Resampling.LANCZOS)
        for a in arrays
    ]
    rows = [tiles[i : i + _COLUMNS] for i in range(0, len(tiles), _COLUMNS)]
    width = max(sum(tile.width for tile in row) + 8 * (len(row) - 1) for row in rows)
    page = Image.new("RGB", (width, len(rows) * (_TILE_HEIGHT + 8) - 8), (24, 24, 28))
    for r, row in enumerate(rows):
        x = 0
        for tile in row:
            page.paste(tile, (x, r * (_TILE_HEIGHT + 8)))
            x += tile.width + 8
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("gallery"), help="folder to write into")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    arrays = []
    for index, (prompt, array, seconds) in enumerate(pictures(options.seed)):
        Image.fromarray(array).save(options.out / f"{index:02d}.png")
        print(f"{index:02d} {seconds * 1000:6.0f} ms  {prompt}")
        arrays.append(array)
    sheet(arrays).save(options.out / "sheet.jpg", quality=90)


if __name__ == "__main__":
    main()
