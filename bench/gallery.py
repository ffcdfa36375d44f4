"""Paint what strangers ask for, every scene and every style, and lay the pictures out on sheets for people to judge."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml
from PIL import Image, ImageDraw, ImageFont

from bench.report import ROOT
from streamer.generator.backend import HostPicture
from streamer.generator.backends.procedural import Options, ProceduralBackend, create
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

SIZES = {"background": (1280, 720), "meme": (1024, 1024), "sticker": (512, 512)}
SCENES = (
    "misty mountains at dawn", "neon city in the rain at night", "stormy harbour with a lighthouse at night",
    "уютная комната с окном на ночной город", "purple nebula with a ringed planet", "осенний лес на закате",
    "зимний лес, северное сияние", "calm lake at sunset", "desert with cactus at dusk",
    "поле тюльпанов и мельница днём",
    "synthwave sunset over the ocean", "wizard castle on a hill, full moon", "underwater coral reef",
    "gaming setup desk room at night", "тропический остров, пляж, рассвет", "cozy cabin in snowy mountains, christmas",
    "рыбацкая деревня", "on the moon", "on mars", "iceberg at dawn", "above the clouds at sunset", "on a windowsill",
    "on the table", "on a branch in autumn", "a concert on stage", "a road through fields at noon",
    "a railway through the forest", "изумрудные волны абстракция", "existential dread on a monday",
)  # fmt: skip
STYLED = ("a fox and an owl by a lake at sunset", "ein roter Drache über der Stadt")
_TILE_HEIGHT, _COLUMNS, _LABEL = 270, 4, 22
_ROWS = 6
_TRANSPARENT = (120, 150, 130)
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture of the gallery: what a viewer typed, in which language, and the style that is on."""

    kind: str
    words: str
    language: str = ""
    style: str = "{prompt}"

    @property
    def label(self) -> str:
        return f"{self.language}  {self.words}".strip()


def prompts() -> list[Asked]:
    """Read the prompts of gallery_prompts.tsv: kind, language and words."""
    lines = (ROOT / "bench" / "gallery_prompts.tsv").read_text(encoding="utf-8").splitlines()
    return [Asked(kind, words, language) for kind, language, words in (line.split("\t") for line in lines)]


def request(asked: Asked, seed: int, size: tuple[int, int] | None = None, steps: int = 4) -> ImageRequest:
    """Build the request that a typed command would build."""
    width, height = size or SIZES[asked.kind]
    prompt = asked.style.replace("{prompt}", asked.words)
    return ImageRequest(
        f"{asked.kind}-{seed}", asked.kind, RequestKind(asked.kind), asked.kind, asked.words, prompt,
        SamplingParams(width, height, steps, 1.0, seed), Actor("1", "gallery", Role.BROADCASTER), Lane.BROADCASTER,
        at=0.0, expires_at=1e9,
    )  # fmt: skip


def ready_painter() -> ProceduralBackend:
    """Return a painter that has everything loaded."""
    painter = create(Options())
    painter.load(lambda _what, _share: None)
    painter.warm_up(tuple(SIZES.values()), lambda _what, _share: None)
    return painter


def paint(painter: ProceduralBackend, wanted: Sequence[Asked], seed: int) -> Iterator[tuple[Asked, Pixels]]:
    """Paint one after the other and print how long each took."""
    for asked in wanted:
        started = time.perf_counter()
        *_, last = painter.draw(request(asked, seed))
        assert isinstance(last, HostPicture)
        print(f"{(time.perf_counter() - started) * 1000:6.0f} ms  {asked.kind:10}  {asked.label}")
        yield asked, last.pixels()


def sheets(painted: Sequence[tuple[Asked, Pixels]]) -> Iterator[Image.Image]:
    """Lay labelled pictures out in rows, as many rows to a sheet as a large screen shows."""
    tiles = [_tile(asked, pixels) for asked, pixels in painted]
    for start in range(0, len(tiles), _ROWS * _COLUMNS):
        part = tiles[start : start + _ROWS * _COLUMNS]
        width, height = part[0].width + 4, part[0].height + 4
        page = Image.new("RGB", (_COLUMNS * width, -(-len(part) // _COLUMNS) * height), (24, 24, 28))
        for index, tile in enumerate(part):
            page.paste(tile, (index % _COLUMNS * width, index // _COLUMNS * height))
        yield page


def _tile(asked: Asked, pixels: Pixels) -> Image.Image:
    picture = Image.fromarray(pixels)
    ground = Image.new("RGB", picture.size, _TRANSPARENT)
    ground.paste(picture, (0, 0), picture if picture.mode == "RGBA" else None)
    width = _TILE_HEIGHT * 16 // 9
    small = ground.resize((_TILE_HEIGHT * ground.width // ground.height, _TILE_HEIGHT), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (width, _TILE_HEIGHT + _LABEL), (24, 24, 28))
    tile.paste(small, ((width - small.width) // 2, 0))
    font = ImageFont.truetype(str(files("font_roboto") / "files" / "Roboto-Medium.ttf"), 15)
    ImageDraw.Draw(tile).text((4, _TILE_HEIGHT + 2), asked.label[:70], (255, 255, 255), font)
    return tile


def styled() -> list[Asked]:
    """Ask for the same pictures in every style that is shipped."""
    styles: dict[str, str] = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["styles"]
    return [
        replace(Asked("background", words, name), style=style) for words in STYLED for name, style in styles.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("gallery"), help="folder to write into")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    painter = ready_painter()
    wanted = {"prompts": prompts(), "scenes": [Asked("background", words) for words in SCENES], "styles": styled()}
    for name, asked in wanted.items():
        for number, page in enumerate(sheets(list(paint(painter, asked, options.seed))), 1):
            page.save(options.out / f"{name}_{number}.png")
            print(options.out / f"{name}_{number}.png")


if __name__ == "__main__":
    main()
