"""Take README's pictures anew: the overlay and the panel while the demo plays a few lines, always the same ones.

Usage: python -m scripts.readme_pictures [--out docs/images]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.support.browsers import CURRENT, fact, launch
from tests.support.real_program import Remote, client, command, free_port, wait_until_ready

LINES = (
    (0.0, "oldtramdriver", "vip", "!bg misty mountain lake at dawn"),
    (7.0, "quietkettle", "moderator", "!sticker a happy fox"),
    (8.0, "pixelfjord", "subscriber", "!bg northern lights over a fishing village, snow"),
    (9.0, "saltybiscuit", "subscriber", "!bg neon city in the rain at night"),
    (10.0, "bramblefox", "subscriber", "!meme a raccoon in a raincoat | me, confident | also me, lost since tuesday"),
    (11.0, "Лена_в_тумане", "subscriber", "!фон маяк на скале, ночь, шторм"),
    (600.0, "oldtramdriver", "vip", "good night"),
)
QUALITY = 88


async def take(browser: Browser, remote: Remote, out: Path) -> None:
    """Wait for the meme over the village, then take both pages."""
    overlay = await browser.new_page(viewport={"width": 1280, "height": 720})
    await overlay.goto((await remote.client.get("/api/v1/overlay")).json()["url"])
    panel = await browser.new_page(viewport={"width": 1280, "height": 800})
    await panel.goto(f"{remote.url}/#{remote.client.headers['authorization'].removeprefix('Bearer ')}")
    await overlay.bring_to_front()
    await remote.until(lambda status: status["on_air"]["meme"])
    await fact(overlay, "document.querySelector('.toast') !== null && document.getAnimations().length === 0")
    await overlay.screenshot(path=out / "overlay.jpg", type="jpeg", quality=QUALITY)
    await panel.bring_to_front()
    await fact(panel, "[...document.images].every((image) => image.offsetParent === null || image.naturalWidth > 0)")
    await panel.screenshot(path=out / "panel.jpg", type="jpeg", quality=QUALITY)


async def main_async(out: Path, folder: Path) -> None:
    """Run the demo and look at it."""
    chat, url = folder / "readme.jsonl", f"http://127.0.0.1:{(port := free_port())}"
    rows = [
        {"at": at, "actor": {"id": name, "name": name, "role": role}, "text": text} for at, name, role, text in LINES
    ]
    chat.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    environ = {"STREAMER_PORT": str(port), "STREAMER_HOME": str(folder), "STREAMER_OPERATOR_TOKEN": "readme" * 8}
    with command("demo", "--chat", str(chat), environ=environ, log=folder / "log"):
        await asyncio.to_thread(wait_until_ready, url, 60)
        async with client(url) as speaking, async_playwright() as playwright:
            speaking.headers["authorization"] = f"Bearer {environ['STREAMER_OPERATOR_TOKEN']}"
            remote = Remote(url, folder, folder / "log")
            remote.client = speaking
            await take(await launch(playwright, CURRENT), remote, out)


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        asyncio.run(main_async(out, Path(folder)))


if __name__ == "__main__":
    main()
