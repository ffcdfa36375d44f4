"""Send 10,000 chat lines a second from 50,000 accounts through the real loops; measure lag, keys, memory and fairness.

Everything but the model is real: pipeline, scheduler, store, hub, and the rules of the shipped config, with limits that
let enough pictures through to compare people. Usage: python -m bench.flood [--seconds 20] [--rate 10000]; in full: 60
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

from bench import report
from bench.load import Prepared, parts, resident_mb
from streamer.interfaces import Health, HealthState, SourceEvent
from streamer.moderation.policy import Policy
from streamer.moderation.raid_mode import RaidModeOptions
from streamer.moderation.rules import cooldown
from streamer.pipeline.admit import Admit, TriggerTables
from streamer.pipeline.pipeline import Pipeline, build_channel
from streamer.pipeline.show import ShowConfig, new_show, restore
from streamer.types import Actor, Ended, Event, Frame, ImageRequest, Lane, Preview, RequestState, Role, Trigger

ACCOUNTS, GROUPS = 50_000, 20
STEADY = 200
DRAW_S, CHAT_EVERY_S = 0.01, 0.025
"""Requests come much more slowly than they are drawn: otherwise the bench would measure a full queue."""
KEY_EVERY_S = 0.25
CALM_S = 12.0


class Painter(Prepared):
    """Take as long over each picture as a fast model would, without using the processor."""

    async def draw(self, request: ImageRequest) -> AsyncGenerator[Preview | Frame, None]:
        await asyncio.sleep(DRAW_S)
        yield Frame(request.id, request.layer, "image/jpeg", b"x" * 4096, 1280, 720)


class Crowd:
    """A source of ordinary chat and of requests; one account asks a hundred times as often as each other."""

    def __init__(self, rate: int) -> None:
        self.rate, self.sent = rate, 0
        self._chance = random.Random(1)

    def health(self) -> Health:
        return Health("crowd", HealthState.READY)

    async def listen(self) -> AsyncIterator[SourceEvent]:
        began = time.monotonic()
        while True:
            due = int((time.monotonic() - began) * self.rate)
            while self.sent < due:
                yield self._line()
            await asyncio.sleep(0.005)

    def _line(self) -> Trigger:
        self.sent += 1
        number = 0 if self.sent % 100 == 0 else self._chance.randrange(1, ACCOUNTS)
        actor = Actor(f"u{number}", f"viewer{number}", Role.VIEWER)
        text = f"!bg stormy harbour {self.sent}" if self.sent % 2 == 0 else "what a fine evening this is"
        return Trigger(f"c{self.rate}-{self.sent}", "crowd", text, actor, time.monotonic())


class Steady:
    """One of many equal people who want a picture as often as they are allowed to."""

    def __init__(self, number: int, admit: Admit, user_s: float) -> None:
        self._actor = Actor(f"steady{number}", f"regular{number}", Role.VIEWER)
        self._admit, self._user_s = admit, user_s
        self.answers: Counter[str] = Counter()
        # Nobody types the moment a wait is over, nor at the same moment as two hundred others.
        self._hand = random.Random(number)

    async def ask_all_evening(self) -> None:
        """Ask, wait for as long as the answer says, and ask again."""
        await asyncio.sleep(self._hand.uniform(0, 1))
        for number in itertools.count():
            now = time.monotonic()
            text = f"!bg {self._actor.name} wants {number}"
            receipt = await self._admit.submit(Trigger(f"{text} {now}", "crowd", text, self._actor, now))
            self.answers[receipt.rule or receipt.outcome] += 1
            told = re.search(r"again in (\d+) s", receipt.reason)
            wait_s = float(told[1]) if told else self._user_s if receipt.outcome == "queued" else 1.0
            await asyncio.sleep(wait_s + self._hand.uniform(0, 0.3))


class Ears:
    """A listener that notes who was served and how long the streamer's keys took."""

    def __init__(self) -> None:
        self.served: Counter[str] = Counter()
        self.keys_ms: list[float] = []

    async def publish(self, event: Event) -> None:
        if isinstance(event, Ended) and event.state is RequestState.SHOWN:
            if event.request.priority is Lane.BROADCASTER:
                self.keys_ms.append((time.monotonic() - event.request.at) * 1000)
            else:
                self.served[event.request.actor.id] += 1


async def press(admit: Admit, seconds: float) -> None:
    """Press the streamer's key again and again."""
    for number in range(int(seconds / KEY_EVERY_S)):
        actor = Actor("streamer", "Streamer", Role.BROADCASTER)
        now = time.monotonic()
        await admit.submit(Trigger(f"k{now}-{number}", "keys", f"!bg my own harbour {number}", actor, now))
        await asyncio.sleep(KEY_EVERY_S)


async def lag(into: list[float]) -> None:
    """Note how late the event loop wakes a timer."""
    while True:
        asked = time.monotonic()
        await asyncio.sleep(0.01)
        into.append((time.monotonic() - asked - 0.01) * 1000)


def jain(shares: list[int]) -> float:
    """Return Jain's fairness index: 1 when all shares are equal."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


async def flood(seconds: float, rate: int, user_s: float, home: Path) -> dict[str, object]:
    """Run without and with the crowd, and compare."""
    built, ears, crowd = parts(home), Ears(), Crowd(rate)
    # Pictures as fast as they are drawn; a raid mode would hold every one of them, which is not what is measured.
    calm = ShowConfig(raid_mode=RaidModeOptions(viewers=0, newcomers=1.0, alike=1.0, blocks=1_000_000))
    limit = cooldown.Options(user_s=user_s, everyone_s=CHAT_EVERY_S, burst=5)
    rules = built.policy.rules
    policy = Policy(cooldown.create(limit) if isinstance(rule, cooldown.Cooldown) else rule for rule in rules)
    show = new_show(replace(built, policy=policy, generator=Painter(), outputs=[ears]), calm)
    channel = build_channel(show, TriggerTables())
    pipeline, admit = Pipeline(channel, (), ()), channel.admit
    await built.store.open()
    await restore(show)
    running = asyncio.create_task(pipeline.run())
    # A calm chat that still keeps the generator busy: a key waits for the picture being drawn, flood or not.
    few = asyncio.create_task(pipeline.listen(Crowd(rate // 200)))
    steady = [Steady(number, admit, user_s) for number in range(STEADY)]
    regulars = [asyncio.create_task(one.ask_all_evening()) for one in steady]
    await press(admit, CALM_S)
    few.cancel()
    calm_ms, ears.keys_ms, ears.served = ears.keys_ms, [], Counter()
    listening = asyncio.create_task(pipeline.listen(crowd))
    late: list[float] = []
    measuring = asyncio.create_task(lag(late))
    await press(admit, seconds / 4)
    early_mb = resident_mb()
    await press(admit, seconds * 3 / 4)
    late_mb = resident_mb()
    tasks = (listening, measuring, running, *regulars)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await built.store.close()
    groups = Counter(int(who[1:]) % GROUPS for who in ears.served.elements() if who[0] == "u" and who != "u0")
    each = [ears.served[f"steady{number}"] for number in range(STEADY)]
    return {
        "lines_per_s": round(crowd.sent / seconds), "loop_lag_ms": report.spread(late),
        "key_to_shown_ms_calm": report.spread(calm_ms), "key_to_shown_ms_flood": report.spread(ears.keys_ms),
        "memory_early_mb": round(early_mb, 1), "memory_late_mb": round(late_mb, 1),
        "pictures": sum(ears.served.values()),
        "jain_of_equal_groups": round(jain([groups[n] for n in range(GROUPS)]), 4),
        "jain_of_steady_people": round(jain(each), 4), "pictures_of_steady_people": report.spread(each),
        "answers_to_steady_people": dict(sum((one.answers for one in steady), Counter())),
        "most_for_one_person": max(ears.served.values()), "for_the_loudest": ears.served["u0"],
        "key_ms_more": round(statistics.median(ears.keys_ms) - statistics.median(calm_ms), 2),
    }  # fmt: skip


def main() -> None:
    """Measure and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--user-s", type=float, default=5, help="what one person waits between two pictures")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        found = asyncio.run(flood(chosen.seconds, chosen.rate, chosen.user_s, Path(home)))
    grown = float(str(found["memory_late_mb"])) - float(str(found["memory_early_mb"]))
    report.finish(
        "flood", {"seconds": chosen.seconds, "user_s": chosen.user_s, **found},
        [report.at_least("lines per second", float(str(found["lines_per_s"])), chosen.rate * 0.98),
         report.at_most("loop lag p99 ms", found["loop_lag_ms"]["p99"], 50),  # type: ignore[index]
         report.at_most("a key takes longer by ms (median)", float(str(found["key_ms_more"])), 5),
         report.at_most("memory grows by MB", grown, 20),
         report.at_least("Jain index of equal groups", float(str(found["jain_of_equal_groups"])), 0.95),
         report.at_least("Jain index of steady people", float(str(found["jain_of_steady_people"])), 0.95)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
