"""Publish millions of times in random order, with forged pictures among them; count pictures shown without a verdict.

Hub, air gate, store and stage are real; every picture that a page receives is looked up among the stored verdicts.
Usage: python -m bench.door [--attempts 2000000] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import tempfile
import time
from pathlib import Path

from bench import report
from streamer.moderation.air_gate import AirGate, Capability, ClearedFrame, clear_frame
from streamer.overlay import wire
from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import LayerOptions
from streamer.pipeline.stage import Stage
from streamer.storage.store import Store, StoreOptions
from streamer.types import Clear, Frame

LAYERS = {"background": LayerOptions(use="background"), "meme": LayerOptions(use="popup", z=10)}


def forged(frame: Frame, how: int) -> Frame:
    """Return a picture that nobody has cleared, made in one of the ways in which code could go wrong."""
    if how == 0:
        return frame
    if how == 1:
        return clear_frame(frame, "made up", Capability())
    values = (frame.request_id, frame.layer, frame.media_type, frame.data, frame.width, frame.height)
    return ClearedFrame(*values) if how == 2 else ClearedFrame(*values, verdict_id="made up")


async def attempts(count: int, seed: int, home: Path) -> tuple[int, int, int]:
    """Publish; return how many pictures the page received, the hub turned away, and had no verdict."""
    chance = random.Random(seed)
    store = Store.at(home, StoreOptions())
    await store.open()
    hub, stage = Hub(LAYERS), Stage(tuple(LAYERS))
    gate, page = AirGate(store, hub.take_capability()), hub.join()
    handed: set[str] = set()
    now = 0.0
    for number in range(count):
        now += 1
        layer = chance.choice(("background", "meme"))
        frame = Frame(f"p{number}", layer, "image/jpeg", b"jpeg", 8, 8)
        what = chance.random()
        if what < 0.002:
            updates: list[object] = list(stage.show(await gate.clear(frame, "bench"), None, now, now))
        elif what < 0.9:
            updates = [forged(frame, chance.randrange(4))]
        elif what < 0.97:
            updates = list(getattr(stage, chance.choice(("undo", "redo")))(layer, now))
        else:
            updates = [Clear(layer)]
        for update in updates:
            hub.publish(update)  # type: ignore[arg-type]
        while (message := page.take(now)) is not None:
            if isinstance(message, bytes):
                header, _ = wire.decode_picture(message)
                handed.add(str(header["request_id"]))
                page.painted(str(header["layer"]), int(str(header["seq"])), now)
    stored = await store.database.run(lambda db: {row[0] for row in db.execute("SELECT request_id FROM verdicts")})
    await store.close()
    return len(handed), hub.rejected_frames, len(handed - stored)


def main() -> None:
    """Measure and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    logging.getLogger("streamer.overlay.hub").setLevel(logging.CRITICAL)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as home:
        handed, away, bare = asyncio.run(attempts(chosen.attempts, chosen.seed, Path(home)))
    seconds = time.perf_counter() - started
    report.finish(
        "door",
        {"attempts": chosen.attempts, "seed": chosen.seed, "pictures_handed_out": handed, "turned_away": away,
         "without_verdict": bare, "attempts_per_s": round(chosen.attempts / seconds)},
        [report.at_most("pictures without verdict", bare, 0)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
