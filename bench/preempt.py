"""Measure how soon the streamer's key shows its picture when pressed while a viewer's picture is being drawn.

Two real programs in this process, one in which the viewer's picture makes way and one in which it is finished first,
each with its own generator process (the built-in painter) and a page on a real socket; they take turns, so that only
one of them draws at a time. The key is pressed at a random moment of the viewer's picture, the same one in both.
Usage: python -m bench.preempt [--rounds 12] [--side 2048]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import report
from tests.support.embedded import Embedded, place, served
from tests.support.waiting import until

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
    """How long after the press its picture was begun and at the page, in milliseconds."""

    begun_ms: float
    shown_ms: float


class Contender:
    """One of the two programs, and what happens in it when the key is pressed."""

    def __init__(self, program: Embedded) -> None:
        self._program = program

    async def ask(self, role: str, number: int) -> str:
        """Request a picture that is new, the same one in both programs; return the request's id."""
        name = f"{role}-{number}"
        return await self._program.say(f"!bg snowy mountains with clouds and a lake, {name}", role, name)

    async def press(self, number: int) -> Press:
        """Press the key and wait until the page has its picture."""
        pressed = time.monotonic()
        request_id = await self.ask("broadcaster", number)
        await self._until(lambda: self._draws(request_id))
        waited = time.monotonic() - pressed
        await self._until(lambda: request_id in self._painted_at)
        return Press(waited * 1000, (self._painted_at[request_id] - pressed) * 1000)

    async def press_into(self, share: float, usual_ms: float, number: int) -> Press:
        """Press the key when this share of a viewer's picture is drawn; wait for both pictures."""
        viewers_id = await self.ask("viewer", number)
        await self._until(lambda: self._draws(viewers_id))
        await asyncio.sleep(share * usual_ms / 1000)
        press = await self.press(number)
        await self._until(lambda: viewers_id in self._painted_at)
        return press

    @property
    def _painted_at(self) -> dict[str, float]:
        return self._program.page.painted_at

    def _draws(self, request_id: str) -> bool:
        drawing = self._program.app.channel.show.active.request
        return drawing is not None and drawing.id == request_id

    async def _until(self, fact: Callable[[], bool]) -> None:
        await until(fact, seconds=60, poll_s=0.001)


async def measure(rounds: int, side: int, home: Path) -> dict[str, list[Press]]:
    """Press the key repeatedly: idle, where the viewer's picture makes way, and where it is finished first."""
    took: dict[str, list[Press]] = {"idle": [], "preempt": [], "wait": []}
    numbers, chance = iter(range(10_000)), random.Random(1)
    async with AsyncExitStack() as stack:
        contenders = {}
        for name in ("preempt", "wait"):
            (home / name).mkdir()
            where = place(home / name, CONFIG.format(side=side, preempt=str(name == "preempt").lower()))
            contenders[name] = Contender(await stack.enter_async_context(served(where)))
        for contender in contenders.values():
            await contender.press(next(numbers))
        for _ in range(rounds):
            number, share = next(numbers), chance.random()
            took["idle"].append(await contenders["preempt"].press(next(numbers)))
            usual_ms = statistics.median(press.shown_ms for press in took["idle"])
            for name, contender in contenders.items():
                took[name].append(await contender.press_into(share, usual_ms, number))
    return took


def main() -> None:
    """Measure and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--side", type=int, default=2048)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        took = asyncio.run(measure(chosen.rounds, chosen.side, Path(home)))
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
