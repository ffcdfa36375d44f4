"""Measure how soon a panic or a deleted message blanks the page while the generator hangs and chat floods the queue.

The real program in this process, its generator process hung in a picture, and a page on a real socket. A panic comes
over HTTP; a deletion comes as a source reports it, behind everything that chat wrote before.
Usage: python -m bench.panic [--rounds 100] [--rate 2000]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench import report
from streamer.interfaces import Health, HealthState, SourceEvent
from streamer.pipeline.status import on_air
from streamer.types import Actor, Retraction, Role, Trigger
from tests.support.embedded import Embedded, place, served
from tests.support.waiting import until

POLL_S = 0.002
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
    """A source of picture requests that are refused or replace one another, and of the events that the bench adds."""

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


async def fill_queue_behind_a_hung_picture(program: Embedded) -> None:
    """Put one picture on air and hang the generator in the next."""
    channel, show = program.app.channel, program.app.channel.show
    shown = Trigger("first", "bench", "!bg harbour", Actor("author", "author", Role.BROADCASTER), time.monotonic())
    await channel.admit.submit(shown)
    await until(lambda: on_air(show)["background"] == "first")
    hang = Trigger("hang", "bench", "!bg hang", Actor("h", "h", Role.BROADCASTER), time.monotonic())
    await channel.admit.submit(hang)
    await until(lambda: show.active.request is not None)


async def blank_once(program: Embedded, crowd: Crowd, how: str) -> float:
    """Show the picture again, blank by a panic or a deletion, and return the milliseconds until the page knows."""
    channel, page = program.app.channel, program.page
    await until(lambda: len(channel.show.scheduler) >= 45, poll_s=POLL_S)
    asked = time.monotonic()
    assert await channel.controls.show_again("first")
    await until(lambda: page.shown_at > asked, poll_s=POLL_S)
    started = time.monotonic()
    if how == "panic":
        (await program.client.post("/api/v1/panic")).raise_for_status()
    else:
        await crowd.extra.put(Retraction("crowd", None, "author", started))
    await until(lambda: page.cleared_at > started, poll_s=POLL_S)
    if how == "panic":
        (await program.client.post("/api/v1/resume")).raise_for_status()
    return (page.cleared_at - started) * 1000


async def measure(rounds: int, rate: int, home: Path) -> dict[str, list[float]]:
    """Blank again and again; return the milliseconds of each."""
    took: dict[str, list[float]] = {"panic": [], "delete": []}
    async with served(place(home, CONFIG)) as program:
        await fill_queue_behind_a_hung_picture(program)
        crowd = Crowd(rate)
        flooding = asyncio.create_task(program.app.pipeline.listen(crowd))
        for _ in range(rounds):
            for how, times in took.items():
                times.append(await blank_once(program, crowd, how))
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
    return took


def main() -> None:
    """Measure and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--rate", type=int, default=2000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        took = asyncio.run(measure(chosen.rounds, chosen.rate, Path(home)))
    report.finish(
        "panic",
        {"rounds": chosen.rounds, "lines_per_s": chosen.rate,
         **{f"{what}_ms": report.spread(ms) for what, ms in took.items()}},
        [report.at_most("panic to blank p99 ms", report.percentile(took["panic"], 0.99), 100),
         report.at_most("deleted message to blank p99 ms", report.percentile(took["delete"], 0.99), 250)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
