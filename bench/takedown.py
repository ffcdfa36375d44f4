"""Measure how soon a moderator's deletion or ban takes a picture off the overlay, with the real program.

A flood of chat runs meanwhile, because that is when moderators are busy. The time runs from the moment at which Twitch
tells of it until the page has the order to clear. Usage: python -m bench.takedown [--times 60] [--flood 40]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from bench import report
from tests.support.real_program import Remote
from tests.support.twitch_program import on_air
from tests.support.twitch_standin.standin import Standin

GOAL_MS = 250.0


async def page_of(remote: Remote) -> ClientConnection:
    """Open the overlay's socket as a page does."""
    address = (await remote.client.get("/api/v1/overlay")).json()["url"]
    socket = await connect(remote.url.replace("http", "ws") + "/ws/overlay", compression=None, max_size=None)
    await socket.send(json.dumps({"v": 1, "type": "hello", "token": address.partition("#")[2], "layers": None}))
    return socket


async def told(page: ClientConnection, kind: str) -> float:
    """Acknowledge pictures until a message of this type arrives; return its time (perf_counter seconds)."""
    async with asyncio.timeout(20):
        while True:
            message = await page.recv()
            if isinstance(message, bytes):
                length = int.from_bytes(message[:4], "big")
                header = json.loads(message[4 : 4 + length])
                painted = {"type": "painted", "seq": header["seq"], "request_id": header["request_id"],
                           "layer": header["layer"]}  # fmt: skip
                await page.send(json.dumps(painted))
            else:
                header = json.loads(message)
            if header["type"] == kind:
                return time.perf_counter()


async def flood(twitch: Standin, per_s: int) -> None:
    """Let viewers chat without requesting pictures."""
    number = 0
    while True:
        await twitch.say(f"hello {number}", f"chatter{number % 500}")
        number += 1
        await asyncio.sleep(1 / per_s)


async def measure(times: int, per_s: int, folder: Path) -> list[float]:
    """Draw and take down repeatedly; return the milliseconds of each take-down."""
    found = []
    async with Standin() as twitch, on_air(twitch, folder) as remote:
        await twitch.subscribed("channel.chat.message", "channel.chat.message_delete")
        page = await page_of(remote)
        talking = asyncio.create_task(flood(twitch, per_s))
        for number in range(times):
            viewer = f"viewer{number}"
            message_id = await twitch.say(f"!bg thing {number}", viewer)
            await told(page, "frame")
            began = time.perf_counter()
            await (twitch.delete(message_id) if number % 2 else twitch.ban(viewer))
            found.append((await told(page, "clear") - began) * 1000)
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        await page.close()
    return found


def main() -> None:
    """Measure and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=60)
    parser.add_argument("--flood", type=int, default=40, help="lines of chat a second meanwhile")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = asyncio.run(measure(chosen.times, chosen.flood, Path(folder)))
    spread = report.spread(found)
    report.finish("takedown", {"ms": spread}, [report.at_most("takedown p99 ms", spread["p99"], GOAL_MS)])


if __name__ == "__main__":
    main()
