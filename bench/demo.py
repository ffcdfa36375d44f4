"""Film the demo as a stream would show it, two frames a second, on contact sheets for people to judge.

Above each frame stands the time, and every chat line that asked for something since the frame before.
Usage: python -m bench.demo --out DIR [--seconds 120] [--sheet 48]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import Page, async_playwright

from streamer.triggers.replay import RecordedLine, read
from tests.support.browsers import CURRENT, launch
from tests.support.real_program import OPERATOR, command, free_port, wait_until_ready

EVERY_S = 0.5
WIDTH, HEIGHT = 1920, 1080
TILE_WIDTH, COLUMNS, LABEL_PX = 384, 8, 38
BACKDROP = "#223038"
"""What stands for the game beneath a transparent overlay."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is seen at a moment, and the requests since the frame before."""

    at_s: float
    asked: tuple[str, ...]
    image: Image.Image


async def film(page: Page, lines: Sequence[RecordedLine], began: float, seconds: float) -> list[Frame]:
    """Take a frame every EVERY_S; a slow machine takes fewer."""
    frames: list[Frame] = []
    before_s = 0.0
    while (at_s := time.monotonic() - began) < seconds:
        asked = tuple(line.text for line in lines if before_s < line.at <= at_s and line.text.startswith("!"))
        shot = Image.open(io.BytesIO(await page.screenshot(type="jpeg", quality=85))).convert("RGB")
        frames.append(Frame(at_s, asked, shot.resize((TILE_WIDTH, TILE_WIDTH * HEIGHT // WIDTH))))
        before_s = at_s
        await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - began - at_s)))
    return frames


def sheet(frames: Sequence[Frame]) -> Image.Image:
    """Lay frames out in rows under their labels."""
    height = TILE_WIDTH * HEIGHT // WIDTH + LABEL_PX
    page = Image.new("RGB", (COLUMNS * (TILE_WIDTH + 6), -(-len(frames) // COLUMNS) * (height + 6)), (16, 16, 20))
    draw, font = ImageDraw.Draw(page), ImageFont.truetype("DejaVuSans.ttf", 13)
    for index, frame in enumerate(frames):
        x, y = index % COLUMNS * (TILE_WIDTH + 6), index // COLUMNS * (height + 6)
        page.paste(frame.image, (x, y + LABEL_PX))
        asked = f"{frame.at_s:.1f} s  " + "  ".join(frame.asked)
        draw.text((x + 2, y + 2), f"{asked[:54]}\n{asked[54:108]}", (230, 230, 235), font)
    return page


async def record(seconds: float, folder: Path) -> list[Frame]:
    """Run the demo and film its overlay."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    environ = {"STREAMER_PORT": str(port), "STREAMER_HOME": str(folder), "STREAMER_OPERATOR_TOKEN": OPERATOR}
    with command("demo", environ=environ, log=folder / "log"):
        began = time.monotonic()
        wait_until_ready(url, seconds=60)
        headers = {"authorization": f"Bearer {OPERATOR}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as client, async_playwright() as playwright:
            overlay = (await client.get("/api/v1/overlay")).json()["url"]
            browser = await launch(playwright, CURRENT)
            page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            await page.goto(overlay)
            await page.evaluate(f"document.documentElement.style.background = '{BACKDROP}'")
            return await film(page, read("demo"), began, seconds)


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("gallery"))
    parser.add_argument("--label", default="demo_")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--sheet", type=int, default=64, help="frames on a sheet")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        frames = asyncio.run(record(options.seconds, Path(folder)))
        print((Path(folder) / "log").read_text())
    for number, start in enumerate(range(0, len(frames), options.sheet), start=1):
        sheet(frames[start : start + options.sheet]).save(options.out / f"{options.label}{number}.png")
    print(f"{len(frames)} frames")


if __name__ == "__main__":
    main()
