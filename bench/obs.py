"""Measure the time from a trigger to an OBS screenshot that shows it, minus the drawing, for both ways into OBS.

browser: the overlay in a Chromium on a screen of its own, which OBS captures as it would render its browser source.
image: the picture files that an OBS without a browser source is fed with.
Each figure includes OBS's own frame (33 ms at 30 a second) and the wait for the next screenshot (about 10 ms).
Usage: python -m bench.obs [--pictures 20]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from bench import report
from tests.support.obs_program import program, window
from tests.support.real_obs import HEIGHT, WIDTH, RealObs, real_obs, screen
from tests.support.real_program import Remote

CONFIG = """\
generator: {{use: procedural, process: {{preview_width: 16, trusted_preview_width: 16}}}}
policy: [{{use: role}}]
commands:
  bg: {{kind: background, layer: background, width: 640, height: 352}}
layers:
  background: {{use: background, crossfade_s: 0, previews: false}}
obs: {{port: {port}, install: {install}}}
"""
PROMPTS = (
    "stormy harbour at night",
    "desert at dawn",
    "forest in autumn fog",
    "winter village",
    "neon city in the rain",
)
DIFFERENT = 6.0
"""Mean difference of two screenshots, of 255, above which they show different pictures."""
STILL_S = 0.4


def look(real: RealObs) -> np.ndarray:
    """Take a small screenshot of what viewers see."""
    size = {"imageWidth": WIDTH // 4, "imageHeight": HEIGHT // 4}
    answer = real.ask("GetSourceScreenshot", sourceName="Scene", imageFormat="png", **size)
    with Image.open(io.BytesIO(base64.b64decode(answer["imageData"].partition(",")[2]))) as shot:
        return np.asarray(shot.convert("RGB")).astype(int)


def changed(real: RealObs, before: np.ndarray, asked: float) -> float:
    """Return the milliseconds from ``asked`` (perf_counter seconds) until viewers see a different picture."""
    while time.perf_counter() - asked < 10:
        if np.abs(look(real) - before).mean() > DIFFERENT:
            return (time.perf_counter() - asked) * 1000
    raise SystemExit("the picture never came to be seen")


async def one(real: RealObs, remote: Remote, number: int) -> float:
    """Request a picture; return the milliseconds until it was visible, without the drawing."""
    before, asked = look(real), time.perf_counter()
    receipt = await remote.say(f"!bg {PROMPTS[number % len(PROMPTS)]} {number}")
    seen_ms = await asyncio.to_thread(changed, real, before, asked)
    row = await remote.ended(receipt["id"])
    await asyncio.sleep(STILL_S)
    return seen_ms - float(str(row["draw_ms"]))


async def measured(real: RealObs, remote: Remote, pictures: int) -> dict[str, float]:
    """Warm up with three pictures, then measure."""
    for number in range(3):
        await one(real, remote, number)
    return report.spread([await one(real, remote, number) for number in range(3, 3 + pictures)])


async def by_browser(real: RealObs, folder: Path, pictures: int) -> dict[str, float]:
    """Measure through a page that OBS captures."""
    async with program(folder, CONFIG.format(port=real.port, install="false")) as remote:
        url = (await remote.client.get("/api/v1/overlay")).json()["url"]
        with screen(WIDTH, HEIGHT) as display, window(url, display, folder / "profile"):
            capture = {"show_cursor": False, "advanced": True, "server": display}
            real.ask("CreateInput", sceneName="Scene", inputName="page", inputKind="xshm_input", inputSettings=capture)
            await remote.until(lambda status: status["pages"] == 1)
            return await measured(real, remote, pictures)


async def by_image(real: RealObs, folder: Path, pictures: int) -> dict[str, float]:
    """Measure through picture files."""
    async with program(folder, CONFIG.format(port=real.port, install="true")) as remote:
        await remote.until(lambda status: any("no browser source" in one["detail"] for one in status["sources"]))
        return await measured(real, remote, pictures)


def main() -> None:
    """Measure both ways and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=20)
    pictures = parser.parse_args().pictures
    metrics: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        for name, way in (("browser", by_browser), ("image", by_image)):
            folder = Path(home) / name
            (folder / "obs").mkdir(parents=True)
            with real_obs(folder / "obs") as real:
                metrics[name] = asyncio.run(way(real, folder, pictures))
            print(name, metrics[name], file=sys.stderr)
    report.finish("obs", metrics, [report.at_most("browser p50 ms", metrics["browser"]["p50"], 100)])


if __name__ == "__main__":
    main()
