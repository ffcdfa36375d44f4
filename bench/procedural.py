"""Time the built-in painter over the gallery's prompts, on one core; the last line is JSON."""

from __future__ import annotations

import argparse
import os
import statistics
import time

from bench import report
from bench.gallery import PROMPTS, request
from streamer.generator.backends.procedural import Options, ProceduralBackend, create

GOAL_MS, GOAL_READY_MS = 150.0, 1000.0
_SIZE = (1280, 720)


def time_prompt(painter: ProceduralBackend, prompt: tuple[str, str], runs: int) -> float:
    """Return the median milliseconds of draw() with its previews, at 1280x720."""
    kind, words = prompt
    took = []
    for run in range(runs):
        order = request(kind, words, 7 + run, _SIZE)
        started = time.perf_counter()
        for _ in painter.draw(order):
            pass
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def time_ready() -> tuple[ProceduralBackend, float]:
    """Return a painter that is ready, and the milliseconds that load() and warm_up() took."""
    started = time.perf_counter()
    painter = create(Options())
    painter.load(lambda _what, _share: None)
    painter.warm_up([_SIZE], lambda _what, _share: None)
    return painter, (time.perf_counter() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    painter, ready_ms = time_ready()
    took = {words: time_prompt(painter, (kind, words), options.runs) for kind, words in PROMPTS}
    for words, milliseconds in sorted(took.items(), key=lambda item: item[1]):
        print(f"{milliseconds:6.0f} ms  {words}")
    median, slow = statistics.median(took.values()), report.percentile(list(took.values()), 0.95)
    metrics = {"draw_median_ms": round(median, 1), "draw_p95_ms": round(slow, 1), "ready_ms": round(ready_ms, 1)}
    goals = [
        report.at_most("draw_median_ms", metrics["draw_median_ms"], GOAL_MS),
        report.at_most("ready_ms", metrics["ready_ms"], GOAL_READY_MS),
    ]
    report.finish("procedural", {"cores_used": 1, **metrics}, goals)


if __name__ == "__main__":
    main()
