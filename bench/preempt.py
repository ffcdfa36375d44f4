"""A key of the streamer, pressed while a viewer's picture is being drawn, to its own picture at the page.

Two real programs in this process, one in which the viewer's picture makes way and one in which it is finished first,
each with its own generator process (the built-in painter) and a page on a real socket; they take turns, so that only
one of them draws at a time. The key is pressed at a random moment of the viewer's picture, the same one in both.
Usage: python -m bench.preempt [--rounds 12] [--side 2048]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

from bench import report
from streamer import app, config_checks, paths, server
from streamer.api.auth import TokenRole
from streamer.overlay import wire
from streamer.pipeline.pipeline import Pipeline

CONFIG = """\
generator: {{use: procedural}}
policy: []
commands:
  bg: {{kind: background, layer: background, width: {side}, height: {side}}}
layers:
  background: {{use: background}}
approval: {{mode: "off"}}
queue: {{preempt: {preempt}}}
"""


@dataclass(frozen=True)
class Press:
    """What one press came to, in milliseconds from the press: its picture begun, and at the page."""

    begun_ms: float
    shown_ms: float


@dataclass
class Show:
    """One program: how to speak to it, and when its page got the picture of each request."""

    client: httpx.AsyncClient
    pipeline: Pipeline
    painted_at: dict[str, float] = field(default_factory=dict)

    async def ask(self, role: str, number: int) -> str:
        """Ask for a picture that nobody has asked for before, the same in both programs; return the request's id."""
        name = f"{role}-{number}"
        text = f"!bg snowy mountains with clouds and a lake, {name}"
        body = {"id": name, "text": text, "actor": {"id": name, "name": name, "role": role}}
        answer = await self.client.post("/api/v1/triggers", json=body)
        answer.raise_for_status()
        receipt: dict[str, str] = answer.json()
        if receipt["outcome"] != "queued":
            raise RuntimeError(f"the request was not taken: {receipt}")
        return receipt["id"]

    async def press(self, number: int) -> Press:
        """Press the key, and wait until the page has its picture."""
        pressed = time.monotonic()
        request_id = await self.ask("broadcaster", number)
        await until(lambda: self.draws(request_id))
        waited = time.monotonic() - pressed
        await until(lambda: request_id in self.painted_at)
        return Press(waited * 1000, (self.painted_at[request_id] - pressed) * 1000)

    async def press_into(self, share: float, usual_ms: float, number: int) -> Press:
        """Press it when that share of a viewer's picture is drawn, and wait for the viewer's as well."""
        viewers = await self.ask("viewer", number)
        await until(lambda: self.draws(viewers))
        await asyncio.sleep(share * usual_ms / 1000)
        press = await self.press(number)
        await until(lambda: viewers in self.painted_at)
        return press

    def draws(self, request_id: str) -> bool:
        drawing = self.pipeline.state().drawing
        return drawing is not None and drawing.id == request_id


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not fact():
            await asyncio.sleep(0.001)


@asynccontextmanager
async def show(home: Path, preempt: bool, side: int) -> AsyncIterator[Show]:
    """Run a program with one page."""
    config_file = home / f"preempt-{preempt}.yaml"
    config_file.write_text(CONFIG.format(side=side, preempt=str(preempt).lower()), encoding="utf-8")
    where = paths.place({"STREAMER_HOME": str(home / f"state-{preempt}"), "STREAMER_CONFIG": str(config_file)})
    config, document = config_checks.checked_config(where, {})
    listening = server.listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    config = config.model_copy(update={"server": config.server.model_copy(update={"port": port})})
    built = app.build(config, document, where, {})
    program = asyncio.create_task(server.serve(built, listening, lambda health: None))
    tokens = built.tokens.standing
    async with asyncio.timeout(60):
        await built.generator.ready()
    operator = {"authorization": f"Bearer {tokens[TokenRole.OPERATOR]}"}
    async with (
        connect(f"ws://127.0.0.1:{port}/ws/overlay", max_size=None) as socket,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=operator) as client,
    ):
        running = Show(client, built.pipeline)

        async def read() -> None:
            async for message in socket:
                if isinstance(message, bytes):
                    header, _ = wire.decode_picture(message)
                    if header["type"] == "frame":
                        running.painted_at.setdefault(str(header["request_id"]), time.monotonic())
                    answer = {key: header[key] for key in ("seq", "request_id", "layer")}
                    await socket.send(json.dumps({"type": "painted", **answer}))

        await socket.send(json.dumps({"v": 1, "type": "hello", "token": tokens[TokenRole.OVERLAY], "layers": None}))
        reading = asyncio.create_task(read())
        try:
            yield running
        finally:
            reading.cancel()
            program.cancel()
            await asyncio.gather(reading, program, return_exceptions=True)


async def rounds(count: int, side: int, home: Path) -> dict[str, list[Press]]:
    """Press again and again: while nothing is drawn, while the viewer's makes way, and while it is waited for."""
    took: dict[str, list[Press]] = {"idle": [], "preempt": [], "wait": []}
    numbers, chance = iter(range(10_000)), random.Random(1)
    async with AsyncExitStack() as stack:
        shows = {
            name: await stack.enter_async_context(show(home, name == "preempt", side)) for name in ("preempt", "wait")
        }
        for one in shows.values():
            await one.press(next(numbers))
        for _ in range(count):
            number, share = next(numbers), chance.random()
            took["idle"].append(await shows["preempt"].press(next(numbers)))
            usual_ms = statistics.median(press.shown_ms for press in took["idle"])
            for name, one in shows.items():
                took[name].append(await one.press_into(share, usual_ms, number))
    return took


def main() -> None:
    """Measure and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--side", type=int, default=2048)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        took = asyncio.run(rounds(chosen.rounds, chosen.side, Path(home)))
    shown = {name: [press.shown_ms for press in presses] for name, presses in took.items()}
    begun = {name: [press.begun_ms for press in presses] for name, presses in took.items()}
    ratios = {what: statistics.median(ms["preempt"]) / statistics.median(ms["wait"])
              for what, ms in (("begun", begun), ("shown", shown))}  # fmt: skip
    report.finish(
        "preempt",
        {"rounds": chosen.rounds, "side": chosen.side,
         **{f"{name}_begun_ms": report.spread(ms) for name, ms in begun.items()},
         **{f"{name}_shown_ms": report.spread(ms) for name, ms in shown.items()},
         **{f"{what}_ratio": round(ratio, 3) for what, ratio in ratios.items()}},
        [report.at_most("key to its picture begun, share of what it is without pre-emption", ratios["begun"], 0.5),
         report.at_most("key to its picture at the page, likewise", ratios["shown"], 1.0)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
