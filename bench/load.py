"""Measure chat lines per second through commands and policy on one core, and memory after 100,000 requests.

The memory part runs the real pipeline with its real store; a generator that hands out one prepared picture stands in
for the child process, whose memory is its own. For 200 overlay pages see bench.fanout.
Usage: python -m bench.load [--requests 100000]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import psutil

from bench import report
from streamer import app, config_checks, paths
from streamer.interfaces import Abilities, Health, HealthState, Lease
from streamer.moderation.policy import Policy
from streamer.overlay.hub import Hub
from streamer.pipeline.admit import TriggerTables
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.pipeline import Pipeline, build_channel
from streamer.pipeline.scheduler import Scheduler
from streamer.pipeline.show import ShowConfig, ShowParts, new_show
from streamer.pipeline.stage import Stage
from streamer.storage.store import Store
from streamer.triggers import replay
from streamer.types import Actor, Frame, ImageRequest, Lane, Preview, Role, Trigger

ROUNDS = 5


class Prepared:
    """Hand out the same small picture for every request."""

    active: Mapping[str, str] = MappingProxyType({"backend": "prepared"})
    restarts: Mapping[str, int] = MappingProxyType({})
    slots: Mapping[str, Health] = MappingProxyType({})
    abilities = Abilities(edits=False)

    waited_s = 0.0

    @asynccontextmanager
    async def lease(self, lane: Lane, unless: asyncio.Event | None = None) -> AsyncIterator[Lease | None]:
        yield self

    def cancel(self, request_id: str) -> None: ...

    def release_gpu(self) -> bool:
        return True

    def reclaim_gpu(self) -> None: ...

    def health(self) -> Health:
        return Health("generator", HealthState.READY)

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        yield Frame(request.id, request.layer, "image/jpeg", b"x" * 4096, 1280, 720)


def evening() -> list[Trigger]:
    """Return the recorded chat evening as triggers of as many viewers."""
    return [
        Trigger(f"e{n}", "bench", line.text, Actor(line.actor.id, line.actor.name, line.actor.role), line.at)
        for n, line in enumerate(replay.read("demo"))
    ]


def prompts(count: int) -> Iterator[Trigger]:
    """Yield picture requests, each by a new viewer."""
    for number in range(count):
        actor = Actor(f"viewer{number}", f"Viewer{number}", Role.VIEWER)
        yield Trigger(f"p{number}", "bench", f"!bg stormy harbour number {number} at night", actor, float(number))


def judged_per_second(built: ShowParts, triggers: Sequence[Trigger]) -> float:
    """Run every line through commands and policy; return lines per second, best of five rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for trigger in triggers:
            order = built.commands.interpret(trigger)
            if isinstance(order, ImageRequest):
                built.policy.check(order, trigger.at)
        best = max(best, len(triggers) / (time.perf_counter() - started))
    return best


def parts(home: Path) -> ShowParts:
    """Build the stages from the shipped config."""
    shipped = report.ROOT / "config.yaml"
    where = paths.place({"STREAMER_HOME": str(home), "STREAMER_CONFIG": str(shipped)})
    config, document = config_checks.checked_config(where, {})
    return ShowParts(
        commands=app.commands(config, document), policy=Policy(app.rules(config, document)),
        scheduler=Scheduler(config.queue), stage=Stage(tuple(config.layers)), store=Store.at(home, config.store),
        generator=Prepared(), hub=Hub(config.layers), metrics=Metrics(),
    )  # fmt: skip


async def memory(count: int, home: Path) -> tuple[float, float]:
    """Push requests through the whole pipeline; return resident MB after a tenth of them and after all of them."""
    built = replace(parts(home), policy=Policy(()))
    channel = build_channel(new_show(built, ShowConfig()), TriggerTables())
    pipeline = Pipeline(channel, (), ())
    await built.store.open()
    running = asyncio.create_task(pipeline.run())
    early = 0.0
    for number, trigger in enumerate(prompts(count)):
        now = Trigger(trigger.id, trigger.source, trigger.text, trigger.actor, time.monotonic())
        await channel.admit.submit(now)
        while len(built.scheduler) > 10:
            await asyncio.sleep(0)
        if number == count // 10:
            early = resident_mb()
    late = resident_mb()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await built.store.close()
    return early, late


def resident_mb() -> float:
    """Return this process's resident memory."""
    return float(psutil.Process(os.getpid()).memory_info().rss) / 1e6


def main() -> None:
    """Measure both and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        chat = judged_per_second(parts(Path(home)), evening() * 20)
        fresh = judged_per_second(parts(Path(home)), list(itertools.islice(prompts(10_000), 10_000)))
        print(f"lines judged per second: a chat evening {chat:,.0f}, all of them requests {fresh:,.0f}")
        early, late = asyncio.run(memory(chosen.requests, Path(home) / "state"))
    print(f"memory: {early:.0f} MB after {chosen.requests // 10:,} requests, {late:.0f} MB after {chosen.requests:,}")
    assert "torch" not in sys.modules
    report.finish(
        "load",
        {"evening_lines_per_s": round(chat), "request_lines_per_s": round(fresh), "requests": chosen.requests,
         "memory_early_mb": round(early, 1), "memory_late_mb": round(late, 1)},
        [report.at_least("lines judged per second", chat, 20_000), report.at_most("memory MB", late, 150),
         report.at_most("memory growth MB", late - early, 10)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
