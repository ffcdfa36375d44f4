"""Measure what a pool of slots costs and withstands: overhead, a killed and a hanging worker, and a flood.

- Overhead is all that a picture takes but the backend's own time, of the process on this computer and of a worker that
  `streamer worker` runs behind a WebSocket on the same computer; they take turns in one run.
- Killed: a process is killed in the middle of a picture, and another slot draws it.
- Hanging: how long until the slot draws again, with the timeouts that are shipped.
- Flood: 20 channels on two slots; one of them keeps 60 pictures waiting, 19 ask as often as many viewers would,
  which alone is 60 % of what the slots can do, and the streamers of two press a key now and then.

The backend is bench.timed_backend. Usage: python -m bench.pool [--pictures 100] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import report
from streamer.errors import BackendDied
from streamer.generator.config import WorkerOptions, WorkerSetup
from streamer.generator.ipc import BackendUse
from streamer.generator.pool import Pool
from streamer.generator.pool_channel import PoolChannel
from streamer.generator.slot import Slot, SlotPlace
from streamer.generator.slots import remote
from streamer.generator.supervisor import Supervisor
from streamer.storage import secret_files
from streamer.types import Actor, Frame, ImageRequest, Lane, RequestKind, Role, SamplingParams

BACKEND = "bench.timed_backend"
SIZES = ((64, 48),)
PICTURE_S = 0.16
STEPS = (3, 4, 5)
"""In the flood pictures differ, as commands do: two slots whose pictures end together are an artefact."""
CHANNELS, FLOOD, STREAMERS = 20, 60, 2
ASKS_EVERY_S, KEY_EVERY_S = 3.0, 2.5
OPTIONS = WorkerOptions(restart_delays_s=(0,), give_up_after=99)


@dataclass(frozen=True)
class Drawn:
    """A picture: how long it took from the asking on, and how much of that it waited for a slot."""

    took_s: float
    waited_s: float
    frame: Frame


def request(prompt: str, number: int, steps: int = 4) -> ImageRequest:
    """Build a request with an id of its own."""
    params, actor = SamplingParams(64, 48, steps, 1.0, number), Actor("1", "somebody", Role.VIEWER)
    return ImageRequest(
        f"{prompt}-{number}", "bg", RequestKind.BACKGROUND, "background", prompt, prompt, params, actor, Lane.CHAT,
        0.0, 1e9,
    )  # fmt: skip


def process_slot(home: Path, name: str, step_s: float) -> Supervisor:
    """Return a slot with a process on this computer."""
    setup = WorkerSetup(OPTIONS, BackendUse(BACKEND, {"step_s": step_s}), SIZES, home)
    return Supervisor(setup, SlotPlace(name, here=True))


@asynccontextmanager
async def worker_slot(folder: Path, step_s: float) -> AsyncIterator[Supervisor]:
    """Run `streamer worker` in a process of its own, and return a slot that draws there."""
    home, config = folder / "worker", folder / "worker.yaml"
    config.write_text(f"generator: {{use: {BACKEND}, backends: {{{BACKEND}: {{step_s: {step_s}}}}}}}\n")
    command = ["-m", "streamer", "--config", str(config), "worker", "--listen", "0"]
    worker = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "STREAMER_HOME": str(home), "PYTHONPATH": str(report.ROOT)}, cwd=folder,
    )  # fmt: skip
    try:
        assert worker.stdout is not None
        lines = [(await worker.stdout.readline()).decode() for _ in range(4)]
        secret_files.write(secret_files.path_in(folder, "gpu"), (home / "secrets/worker").read_bytes())
        setup = WorkerSetup(OPTIONS, BackendUse(BACKEND, {}), SIZES, folder)
        yield remote.create(remote.Options(url=lines[1].split()[1], token_file="gpu"), setup, folder)
    finally:
        worker.terminate()
        await worker.wait()


@asynccontextmanager
async def running(*slots: Slot) -> AsyncIterator[Pool]:
    """Run a pool until all of its slots would draw at once."""
    pool = Pool(slots)
    task = asyncio.create_task(pool.run())
    try:
        while not all(slot.free for slot in slots):
            await asyncio.sleep(0.01)
        yield pool
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def draw(channel: PoolChannel, wanted: ImageRequest, lane: Lane = Lane.CHAT) -> Drawn:
    """Ask for a picture and wait until it is there."""
    began = now()
    async with channel.lease(lane) as lease:
        assert lease is not None
        *_, frame = [item async for item in lease.draw(wanted)]
        waited_s = lease.waited_s
    assert isinstance(frame, Frame)
    return Drawn(now() - began, waited_s, frame)


def now() -> float:
    """Return the event loop's time."""
    return asyncio.get_running_loop().time()


async def overhead(folder: Path, pictures: int) -> dict[str, list[float]]:
    """Let the process and the worker draw in turn; return what each picture took beside the backend, in ms."""
    ways: dict[str, list[float]] = {"child": [], "remote": []}
    async with AsyncExitStack() as stack:
        slots = {
            "child": process_slot(folder, "child", 0.01),
            "remote": await stack.enter_async_context(worker_slot(folder, 0.01)),
        }
        channels = {name: PoolChannel(await stack.enter_async_context(running(slot))) for name, slot in slots.items()}
        for number in range(-10, pictures):
            for name, channel in channels.items():
                drawn = await draw(channel, request("picture", number + 10))
                if number >= 0:
                    ways[name].append((drawn.took_s - drawn.frame.drew_s) * 1000)
    return ways


async def killed(folder: Path, rounds: int = 3) -> list[float]:
    """Kill a process in the middle of its picture; return after how many seconds that came, less its own time."""
    slots, waits = [process_slot(folder, f"process {number}", 0.04) for number in (1, 2)], []
    async with running(*slots) as pool:
        for number in range(rounds):
            while not all(slot.free for slot in slots):
                await asyncio.sleep(0.01)
            drawing = asyncio.create_task(draw(PoolChannel(pool), request(f"picture {number}", number)))
            await asyncio.sleep(PICTURE_S / 2)
            busy = next(slot for slot in slots if not slot.free)
            assert busy.pid is not None
            os.kill(busy.pid, signal.SIGKILL)
            killed_at = now()
            drawn = await drawing
            waits.append(now() - killed_at - drawn.frame.drew_s)
    return waits


async def hang(slot: Slot) -> float:
    """Return after how many seconds a slot draws again that a picture has made hang."""
    async with running(slot) as pool:
        began = now()
        try:
            await draw(PoolChannel(pool), request("hang", 1))
        except BackendDied:
            await draw(PoolChannel(pool), request("picture", 2))
    return now() - began - PICTURE_S


async def hangs(folder: Path) -> dict[str, float]:
    """Let the process and the worker hang at the same time."""
    (folder / "hang").mkdir()
    async with worker_slot(folder / "hang", 0.04) as worker:
        child, other = await asyncio.gather(hang(process_slot(folder, "child", 0.04)), hang(worker))
    return {"child": child, "remote": other}


async def flood(folder: Path, seconds: float) -> dict[str, list[float]]:
    """Let one of 20 channels flood two slots; return how long the others' pictures and keys took, and drawing one."""
    took: dict[str, list[float]] = {"others": [], "keys": [], "drawing": []}
    slots = [process_slot(folder, f"process {number}", PICTURE_S / 4) for number in (1, 2)]
    numbers, chance = iter(range(10**6)), random.Random(7)
    async with running(*slots) as pool:
        until = now() + seconds
        loud, quiet = PoolChannel(pool), [PoolChannel(pool) for _ in range(CHANNELS - 1)]

        async def keep_waiting() -> None:
            while now() < until:
                drawn = await draw(loud, request("flood", next(numbers), chance.choice(STEPS)))
                took["drawing"].append(drawn.took_s - drawn.waited_s)

        async def ask(channel: PoolChannel, first_s: float) -> None:
            await asyncio.sleep(first_s)
            while now() < until:
                wanted = request("picture", next(numbers), chance.choice(STEPS))
                took["others"].append((await draw(channel, wanted)).took_s)
                await asyncio.sleep(chance.expovariate(1 / ASKS_EVERY_S))

        async def press(channel: PoolChannel) -> None:
            while now() < until:
                await asyncio.sleep(KEY_EVERY_S * chance.uniform(0.9, 1.1))
                wanted = request("key", next(numbers))
                took["keys"].append((await draw(channel, wanted, Lane.BROADCASTER)).took_s)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(FLOOD):
                tasks.create_task(keep_waiting())
            for channel in quiet:
                tasks.create_task(ask(channel, chance.uniform(0, ASKS_EVERY_S)))
            for channel in quiet[:STREAMERS]:
                tasks.create_task(press(channel))
    return took


async def measure(folder: Path, pictures: int, seconds: float) -> None:
    """Measure all of it, and print the JSON line."""
    ways = await overhead(folder, pictures)
    for name, times in ways.items():
        print(f"overhead {name:<7} {report.spread(times)} ms", flush=True)
    kills = await killed(folder)
    print(
        f"killed   {', '.join(f'{seconds * 1000:.0f}' for seconds in kills)} ms beside the picture's own time",
        flush=True,
    )
    hung = await hangs(folder)
    print(f"hanging  {', '.join(f'{name} {wait:.1f} s' for name, wait in hung.items())}", flush=True)
    took = await flood(folder, seconds)
    for name, times in took.items():
        print(f"flood    {name} {len(times)}: {report.spread(times)} s", flush=True)
    report.finish("pool", _metrics(ways, kills, hung, took), goals(ways, kills, hung, took))


def _metrics(
    ways: dict[str, list[float]], kills: list[float], hung: dict[str, float], took: dict[str, list[float]]
) -> dict[str, object]:
    return {
        **{f"overhead_ms_{name}": report.spread(times) for name, times in ways.items()},
        "killed_s": [round(seconds, 3) for seconds in kills],
        "hang_s": {name: round(seconds, 2) for name, seconds in hung.items()},
        **{f"flood_{name}_s": report.spread(times) for name, times in took.items()},
    }


def goals(
    ways: dict[str, list[float]], kills: list[float], hung: dict[str, float], took: dict[str, list[float]]
) -> Iterator[dict[str, object]]:
    """Judge everything by what docs/two-computers.md and the pool promise."""
    child, other = ways["child"], ways["remote"]
    yield report.at_most("remote over child p50, ms", statistics.median(other) - statistics.median(child), 3)
    yield report.at_most(
        "remote over child p95, ms", report.percentile(other, 0.95) - report.percentile(child, 0.95), 6
    )
    yield report.at_most("killed: picture after its own time, s", max(kills), 1)
    for name, seconds in hung.items():
        yield report.at_most(f"hang of the {name} replaced, s", seconds, 15)
    drawing = statistics.mean(took["drawing"])
    yield report.at_most("flood: others p95 in pictures", report.percentile(took["others"], 0.95) / drawing, 4)
    yield report.at_most("flood: keys p95, s", report.percentile(took["keys"], 0.95), 0.3)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100, help="pictures for each way (default 100)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the flood (default 20)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-pool-") as folder:
        asyncio.run(measure(Path(folder), chosen.pictures, chosen.seconds))


if __name__ == "__main__":
    main()
