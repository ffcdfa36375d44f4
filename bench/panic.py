"""Panic and a deleted message, to the page being told to blank: the generator hung, the queue full, chat flooding.

The real program in this process, its generator process hung in a picture, and a page on a real socket. A panic comes
over HTTP; a deletion comes as a source reports it, behind everything that chat wrote before.
Usage: python -m bench.panic [--rounds 100] [--rate 2000]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench import report
from streamer import app, config_checks, paths, server
from streamer.api.auth import TokenRole
from streamer.interfaces import Health, HealthState, SourceEvent
from streamer.overlay import wire
from streamer.types import Actor, Retraction, Role, Trigger

CONFIG = """\
server: {port: 0}
generator:
  use: tests.support.scripted_backend
  process: {deadline_s: 600, step_timeout_s: 600}
commands:
  bg: {kind: background, layer: background, width: 256, height: 256}
layers:
  background: {use: background}
approval: {mode: "off"}
queue: {limit: 50, expires_s: 600}
"""


class Crowd:
    """A source of picture requests that all are refused or replace one another, and of what the bench puts in."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.extra: asyncio.Queue[SourceEvent] = asyncio.Queue(100)
        self._ids = itertools.count()

    def health(self) -> Health:
        return Health("crowd", HealthState.READY)

    async def listen(self) -> AsyncIterator[SourceEvent]:
        while True:
            for _ in range(self.rate // 100):
                number = next(self._ids)
                actor = Actor(f"u{number % 5000}", f"viewer{number % 5000}", Role.VIEWER)
                yield Trigger(f"c{number}", "crowd", f"!bg picture {number}", actor, time.monotonic())
            while not self.extra.empty():
                yield self.extra.get_nowait()
            await asyncio.sleep(0.01)


class Page:
    """What an overlay page gets, with the time at which it got it; it acknowledges every picture."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.cleared_at = self.shown_at = 0.0

    async def read(self) -> None:
        async for message in self._socket:
            now = time.monotonic()
            if isinstance(message, bytes):
                header, _ = wire.decode_picture(message)
                if header["type"] == "frame":
                    self.shown_at = now
                answer = {key: header[key] for key in ("seq", "request_id", "layer")}
                await self._socket.send(json.dumps({"type": "painted", **answer}))
            elif json.loads(message)["type"] == "clear":
                self.cleared_at = now


async def until(fact: object, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not fact():  # type: ignore[operator]
            await asyncio.sleep(0.002)


async def rounds(count: int, rate: int, home: Path) -> dict[str, list[float]]:
    """Blank again and again; return the milliseconds of each."""
    config_file = home / "config.yaml"
    config_file.write_text(CONFIG, encoding="utf-8")
    where = paths.place({"STREAMER_HOME": str(home / "state"), "STREAMER_CONFIG": str(config_file)})
    config, document = config_checks.checked_config(where, {})
    listening = server.listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    config = config.model_copy(update={"server": config.server.model_copy(update={"port": port})})
    built, crowd = app.build(config, document, where, {}), Crowd(rate)
    pipeline = built.pipeline
    running = asyncio.create_task(server.serve(built, listening, lambda health: None))
    took: dict[str, list[float]] = {"panic": [], "delete": []}
    await until(lambda: built.generator.health().state is HealthState.READY, 60)
    shown = Trigger("first", "bench", "!bg harbour", Actor("author", "author", Role.BROADCASTER), time.monotonic())
    await pipeline.submit(shown)
    await until(lambda: pipeline.state().on_air["background"] == "first")
    hang = Trigger("hang", "bench", "!bg hang", Actor("h", "h", Role.BROADCASTER), time.monotonic())
    await pipeline.submit(hang)
    await until(lambda: pipeline.state().drawing is not None)
    flooding = asyncio.create_task(pipeline._listen(crowd))
    url, tokens = f"http://127.0.0.1:{port}", built.tokens.standing
    operator = {"authorization": f"Bearer {tokens[TokenRole.OPERATOR]}"}
    async with (
        connect(f"ws://127.0.0.1:{port}/ws/overlay", max_size=None) as socket,
        httpx.AsyncClient(base_url=url, headers=operator) as client,
    ):
        await socket.send(json.dumps({"v": 1, "type": "hello", "token": tokens[TokenRole.OVERLAY], "layers": None}))
        page = Page(socket)
        reading = asyncio.create_task(page.read())
        for _ in range(count):
            for what, times in took.items():
                await until(lambda: len(pipeline.state().pending) >= 45)
                asked = time.monotonic()
                assert await pipeline.show("first")
                await until(lambda: page.shown_at > asked)  # noqa: B023
                started = time.monotonic()
                if what == "panic":
                    (await client.post("/api/v1/panic")).raise_for_status()
                else:
                    await crowd.extra.put(Retraction("crowd", None, "author", started))
                await until(lambda: page.cleared_at > started)  # noqa: B023
                times.append((page.cleared_at - started) * 1000)
                if what == "panic":
                    (await client.post("/api/v1/resume")).raise_for_status()
        reading.cancel()
    for task in (flooding, running):
        task.cancel()
    await asyncio.gather(flooding, running, return_exceptions=True)
    return took


def main() -> None:
    """Measure and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--rate", type=int, default=2000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        took = asyncio.run(rounds(chosen.rounds, chosen.rate, Path(home)))
    report.finish(
        "panic",
        {"rounds": chosen.rounds, "lines_per_s": chosen.rate,
         **{f"{what}_ms": report.spread(ms) for what, ms in took.items()}},
        [report.at_most("panic to blank p99 ms", report.percentile(took["panic"], 0.99), 100),
         report.at_most("deleted message to blank p99 ms", report.percentile(took["delete"], 0.99), 250)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
