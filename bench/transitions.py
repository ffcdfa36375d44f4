"""Lay out what viewers see from one picture to the next, a frame every 40 ms, on contact sheets for people to judge.

The real program draws, and a page's messages are recorded with their times. A real Chromium then plays them back at
1920x1080 on a clock of its own, so that a slow machine shows the same frames as a fast one. Above each frame stands the
time since the request; a dot marks a preview, a square a finished picture; the number is how much detail is visible.
Usage: python -m bench.transitions --out DIR [--backends painter,klein,slow] [--label after] [--kinds background,meme]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import math
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import Browser, Page, WebSocketRoute, async_playwright
from websockets.asyncio.client import connect

from bench import report
from streamer.overlay import wire
from tests.support.browsers import CURRENT, launch
from tests.support.detail import detail
from tests.support.real_program import Remote, client, command, environment, free_port, wait_until_ready

CONFIG = """\
generator: {generator}
policy: [{{use: role}}]
queue: {{same_s: 0}}
commands:
  bg: {{kind: background, layer: background, width: 1280, height: 720}}
  meme: {{kind: meme, layer: meme, width: 1024, height: 1024, layout: top_bottom, seconds: 60}}
  sticker: {{kind: sticker, layer: sticker, width: 512, height: 512, seconds: 60}}
  clear: {{kind: clear}}
layers:
  background: {{use: background, crossfade_s: 0.8, at_least_s: 0}}
  meme: {{use: popup, z: 10, at_least_s: 0}}
  sticker: {{use: popup, z: 20, position: left, scale: 0.3, at_least_s: 0}}
"""
KLEIN = (
    "{{use: klein, process: {{deadline_s: 300, step_timeout_s: 100}}, "
    "backends: {{klein: {{model: '{checkpoint}', device: cpu, text_tokens: 64, optimize: 'off'}}}}}}"
)
GENERATORS = {
    "painter": "{{use: procedural}}",
    "slow": "{{use: tests.support.slow_painter, backends: {{tests.support.slow_painter: {{step_s: 1.2}}}}}}",
    "klein": KLEIN,
}
"""The painter, the painter on a machine that is far too slow, and Klein with tiny random weights on the CPU."""
OLD = {"background": "!bg a mountain lake at dawn, pine forest, mist"}
NEW = {
    "background": "!bg neon city in the rain at night",
    "meme": "!meme a raccoon in a tiny raincoat | me, confident | also me, lost",
    "sticker": "!sticker a happy fox",
}
ROLES = {"viewer": "viewer", "streamer": "broadcaster"}
FRAME_MS, QUIET_MS = 40, 400
AFTER_MS = 1600
"""How long after a message the film takes every frame."""
LONGEST_S = 300
STILL = 0.08
"""Frames that differ by less on average, in levels of 255, are not worth showing both: the ring moves, or grain."""
WIDTH, HEIGHT = 1920, 1080
TILE_WIDTH, COLUMNS = 384, 8
BACKDROP = "linear-gradient(160deg, #26343d, #51606a 55%, #2b3a33)"
"""What stands for the game beneath a transparent overlay."""

# Web Animations follow no page clock: each is paused, and moved on by hand.
BY_HAND = """
window.running = new Set();
const animate = Element.prototype.animate;
Element.prototype.animate = function (...all) {
  const made = animate.apply(this, all);
  made.pause();
  running.add(made);
  return made;
};
window.advance = (ms) => {
  for (const made of [...running]) {
    const end = made.effect.getComputedTiming().endTime;
    const at = Number(made.currentTime) + ms;
    if (made.playState === 'idle' || made.playState === 'finished') running.delete(made);
    else if (at >= end) { running.delete(made); made.finish(); }
    else made.currentTime = at;
  }
};
"""


@dataclass(frozen=True, slots=True)
class Message:
    """What a page got, and when: milliseconds since the request, negative before it."""

    at_ms: float
    data: str | bytes

    @property
    def kind(self) -> str:
        """Return the message's type: frame, preview, toast ..."""
        header = json.loads(self.data) if isinstance(self.data, str) else wire.decode_picture(self.data)[0]
        return str(header["type"])


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame: its time, what arrived since the one before, and what is seen."""

    at_ms: int
    arrived: str
    image: Image.Image


@contextmanager
def program(backend: str, folder: Path) -> Iterator[Remote]:
    """Run the real program with a backend."""
    folder.mkdir()
    checkpoint = folder / "checkpoint"
    if backend == "klein":
        from streamer.generator.klein.testing import make_checkpoint

        make_checkpoint(checkpoint)
    config, port = folder / "config.yaml", free_port()
    generator = GENERATORS[backend].format(checkpoint=checkpoint)
    config.write_text(CONFIG.format(generator=generator), encoding="utf-8")
    environ = environment(folder / "home", port, config)
    environ["PYTHONPATH"] = os.pathsep.join((str(report.ROOT), os.environ.get("PYTHONPATH", "")))
    with command("run", environ=environ, log=folder / "log"):
        wait_until_ready(f"http://127.0.0.1:{port}", seconds=300)
        yield Remote(f"http://127.0.0.1:{port}", folder / "home", folder / "log")


class Recorder:
    """A page without a browser, which keeps every message and when it came."""

    def __init__(self) -> None:
        self._heard: list[tuple[float, str | bytes]] = []

    async def listen(self, address: str, token: str) -> None:
        """Take messages and answer pictures at once, until cancelled."""
        async with connect(address, max_size=None) as socket:
            await socket.send(json.dumps({"v": 1, "type": "hello", "token": token, "layers": None}))
            async for data in socket:
                self._heard.append((time.monotonic(), data))
                if isinstance(data, bytes):
                    header, _ = wire.decode_picture(data)
                    answer = {key: header[key] for key in ("seq", "request_id", "layer")}
                    await socket.send(json.dumps({"v": 1, "type": "painted", **answer}))
                elif json.loads(data)["type"] == "ping":
                    await socket.send(json.dumps({"v": 1, "type": "pong"}))

    def since(self, moment: float) -> list[Message]:
        """Return everything, timed from a moment."""
        return [Message((at - moment) * 1000, data) for at, data in self._heard]


async def shown(remote: Remote, text: str, role: str = "broadcaster", name: str = "ann") -> None:
    """Send a line and wait until its picture is on air, minutes if need be: a model on the CPU is slow."""
    receipt = await remote.say(text, role, name)
    async with asyncio.timeout(LONGEST_S):
        while not (row := (await remote.client.get(f"/api/v1/requests/{receipt['id']}")).json()).get("ended_at"):
            await asyncio.sleep(0.1)
    if row["state"] != "shown":
        raise SystemExit(f"{text}: {row['state']}: {row['reason']}\n{remote.log.read_text()[-2000:]}")


async def record(remote: Remote, kind: str, role: str, old: bool) -> list[Message]:
    """Let one picture follow another, or nothing, and return what a page gets meanwhile."""
    overlay = (await remote.client.get("/api/v1/overlay")).json()["url"]
    recorder = Recorder()
    async with asyncio.TaskGroup() as tasks:
        page = tasks.create_task(
            recorder.listen(f"{remote.url.replace('http', 'ws')}/ws/overlay", overlay.partition("#")[2])
        )
        await remote.say("!clear")
        if old:
            await shown(remote, OLD["background"])
        await asyncio.sleep(0.5)
        asked_at = time.monotonic()
        await shown(remote, NEW[kind], ROLES[role], "mia" if role == "viewer" else "ann")
        await asyncio.sleep(0.5)
        page.cancel()
    return recorder.since(asked_at)


class Player:
    """A page of a real browser that gets recorded messages on a clock of our own."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self._url = page, url
        self._socket: asyncio.Future[WebSocketRoute] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Load the page and take the place of its server."""

        async def connected(socket: WebSocketRoute) -> None:
            socket.on_message(lambda _: None)
            self._socket.set_result(socket)

        await self.page.clock.install(time=0)
        await self.page.clock.pause_at(1000)
        await self.page.add_init_script(BY_HAND)
        await self.page.route_web_socket(lambda url: "/ws/overlay" in url, connected)
        await self.page.goto(self._url)
        await self.page.evaluate(f"document.documentElement.style.background = '{BACKDROP}'")

    async def send(self, message: Message) -> None:
        """Hand the page one message and let it decode a picture, which no clock governs."""
        (await self._socket).send(message.data)
        await asyncio.sleep(0.25 if isinstance(message.data, bytes) else 0.05)

    async def advance(self, milliseconds: int) -> None:
        """Let time pass on the page."""
        await self.page.clock.run_for(milliseconds)
        await self.page.evaluate(f"window.advance({milliseconds})")
        await asyncio.sleep(0.02)

    async def shot(self) -> Image.Image:
        """Return what is seen now."""
        png = await self.page.screenshot(type="jpeg", quality=92)
        return Image.open(io.BytesIO(png)).convert("RGB")


async def film(browser: Browser, url: str, messages: Sequence[Message]) -> list[Shot]:
    """Play messages back and take a frame every FRAME_MS, from just before the first change to well after the last."""
    page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    player = Player(page, url)
    await player.open()
    before = [message for message in messages if message.at_ms < 0]
    after = [message for message in messages if message.at_ms >= 0]
    for message in before:
        await player.send(message)
        await player.advance(50)
    for _ in range(60):
        await player.advance(100)
    shots, waiting, at_ms, changed_ms = [], list(after), 0, 0
    while waiting or at_ms < changed_ms + AFTER_MS:
        arrived = ""
        while waiting and waiting[0].at_ms <= at_ms:
            arrived += {"preview": "●", "frame": "■", "clear": "×", "toast": "t"}.get(waiting[0].kind, "")
            await player.send(waiting.pop(0))
        shots.append(Shot(at_ms, arrived, await player.shot()))
        changed_ms = at_ms if arrived else changed_ms
        passes_ms = FRAME_MS if at_ms < changed_ms + AFTER_MS else pause_ms(waiting[0].at_ms - at_ms)
        await player.advance(passes_ms)
        at_ms += passes_ms
    await page.close()
    return shots


def pause_ms(until_next_ms: float) -> int:
    """Return how long nothing needs to be filmed: whole frames, up to the next message."""
    return min(QUIET_MS, max(1, math.ceil(until_next_ms / FRAME_MS)) * FRAME_MS)


def changing(shots: Sequence[Shot]) -> list[Shot]:
    """Leave out frames in which next to nothing moves, but one in fifteen of them."""
    small = [np.asarray(shot.image.resize((192, 108)), dtype=np.int16) for shot in shots]
    kept = []
    for index, shot in enumerate(shots):
        near = [small[other] for other in (index - 1, index + 1) if 0 <= other < len(small)]
        if index % 15 == 0 or shot.arrived or any(np.abs(small[index] - other).mean() > STILL for other in near):
            kept.append(shot)
    return kept


def contact_sheet(shots: Sequence[Shot]) -> Image.Image:
    """Lay frames out in rows, each with its time, what arrived, and its detail."""
    height = TILE_WIDTH * HEIGHT // WIDTH
    rows = -(-len(shots) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * (TILE_WIDTH + 6) - 6, rows * (height + 24)), (16, 16, 20))
    draw, font = ImageDraw.Draw(page), ImageFont.truetype("DejaVuSans.ttf", 15)
    for index, shot in enumerate(shots):
        x, y = index % COLUMNS * (TILE_WIDTH + 6), index // COLUMNS * (height + 24)
        page.paste(shot.image.resize((TILE_WIDTH, height), Image.Resampling.LANCZOS), (x, y + 20))
        label = f"{shot.at_ms} ms {shot.arrived}  {detail(np.asarray(shot.image)):.1f}"
        draw.text((x + 2, y + 1), label, (230, 230, 235), font)
    return page


def largest(shots: Sequence[Shot]) -> Image.Image:
    """Return one frame at full size: halfway between the request and the finished picture."""
    finished = next((shot.at_ms for shot in shots if "■" in shot.arrived), shots[-1].at_ms)
    return min(shots, key=lambda shot: abs(shot.at_ms - finished * 0.75)).image


async def sheets(backend: str, folder: Path, options: argparse.Namespace) -> None:
    """Write the sheets of one backend."""
    with program(backend, folder) as remote:
        async with client(remote.url) as remote.client, async_playwright() as playwright:
            browser = await launch(playwright, CURRENT)
            url = (await remote.client.get("/api/v1/overlay")).json()["url"]
            for kind in options.kinds.split(","):
                for role in options.roles.split(","):
                    for old in (True, False) if options.empty else (True,):
                        messages = await record(remote, kind, role, old)
                        shots = await film(browser, url, messages)
                        name = f"{options.label}{backend}_{kind}_{role}{'' if old else '_empty'}"
                        contact_sheet(changing(shots)).save(options.out / f"{name}.png")
                        largest(shots).save(options.out / f"{name}_large.png")
                        print(f"{name}: {len(shots)} frames, least detail {least(shots):.2f}", flush=True)


def least(shots: Sequence[Shot]) -> float:
    """Return the detail of the flattest frame."""
    return min(detail(np.asarray(shot.image)) for shot in shots)


def main() -> None:
    """Write a sheet for each backend, kind of picture and role."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("gallery"))
    parser.add_argument("--label", default="", help="begins each file's name, like before_")
    parser.add_argument("--backends", default="painter,slow,klein")
    parser.add_argument("--kinds", default="background,meme,sticker")
    parser.add_argument("--roles", default="viewer,streamer")
    parser.add_argument("--empty", action="store_true", help="also pictures that come onto an empty layer")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for backend in options.backends.split(","):
            asyncio.run(sheets(backend, Path(folder) / backend, options))


if __name__ == "__main__":
    main()
