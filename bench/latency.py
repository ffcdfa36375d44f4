"""Measure the time from an accepted trigger to pixels in a real Chromium, step by step, with the real program.

No debugger is attached to the browser, since that makes large socket frames several times slower. The page reports each
paint to the server, so every figure includes the way back of that report (a fraction of a millisecond).
Usage: python -m bench.latency [--pictures 150] [--width 1280 --height 720]
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench import report
from tests.support.real_program import OPERATOR, command, environment, free_port, wait_until_ready

CONFIG = """\
generator: {{use: procedural}}
policy: [{{use: role}}, {{use: cooldown, user_s: 0, everyone_s: 0}}, {{use: length}}, {{use: words}}]
commands:
  bg: {{kind: background, layer: background, width: {width}, height: {height}}}
layers:
  background: {{use: background, crossfade_s: 0.8}}
"""

PROMPTS = [
    "stormy harbour at night",
    "forest in autumn fog",
    "neon city in the rain",
    "desert at dawn",
    "winter village",
]
STAGES = ("admit", "queue", "draw", "deliver", "paint", "overhead")


@contextmanager
def chromium(url: str, profile: Path) -> Iterator[None]:
    """Open the overlay in a headless Chromium without a debugger."""
    program = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-quic", "--hide-scrollbars",
             "--window-size=1920,1080", f"--user-data-dir={profile}", "--remote-debugging-port=0"]  # fmt: skip
    with subprocess.Popen([program, *flags, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            yield
        finally:
            browser.terminate()


def painted(client: httpx.Client) -> float:
    """Return how many paints the page has reported."""
    count: float = client.get("/api/v1/status").json()["timings"].get("overhead", {}).get("count", 0)
    return count


def one_picture(client: httpx.Client, number: int) -> None:
    """Request a picture, send nothing until it has surely faded in, then check that it was painted."""
    before = painted(client)
    text = f"!bg {PROMPTS[number % len(PROMPTS)]} {number}"
    actor = {"id": f"viewer{number}", "name": f"viewer{number}", "role": "viewer"}
    receipt = client.post("/api/v1/triggers", json={"text": text, "actor": actor}).json()
    assert receipt["outcome"] == "queued", receipt
    for _ in range(20):
        time.sleep(1.2)
        if painted(client) > before:
            return
    raise SystemExit(f"picture {number} was never painted")


def measure(pictures: int, width: int, height: int, home: Path) -> dict[str, dict[str, float]]:
    """Run the program and a browser, draw, and read the program's own timings."""
    port, config = free_port(), home / "config.yaml"
    config.write_text(CONFIG.format(width=width, height=height), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    with command("run", environ=environment(home / "state", port, config), log=home / "log"):
        wait_until_ready(url)
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {OPERATOR}"}) as client:
            overlay = client.get("/api/v1/overlay").json()["url"]
            with chromium(overlay, home / f"profile-{secrets.token_hex(4)}"):
                while client.get("/api/v1/status").json()["pages"] == 0:
                    time.sleep(0.05)
                for number in range(pictures):
                    one_picture(client, number)
                    print(f"\r{number + 1}/{pictures}", end="", file=sys.stderr)
                timings: dict[str, dict[str, float]] = client.get("/api/v1/status").json()["timings"]
    print(file=sys.stderr)
    return timings


def main() -> None:
    """Measure and print a table, then the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        timings = measure(chosen.pictures, chosen.width, chosen.height, Path(home))
    for stage in STAGES:
        print(stage, json.dumps(timings.get(stage)))
    overhead = timings["overhead"]
    report.finish(
        "latency",
        {stage: timings[stage] for stage in STAGES if stage in timings},
        [
            report.at_most("overhead p50 ms", overhead["p50"], 30),
            report.at_most("overhead p95 ms", overhead["p95"], 50),
        ],
    )


if __name__ == "__main__":
    main()
