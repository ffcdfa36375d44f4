"""Time the built-in painter over the gallery's prompts, on one core, plain and in each style; the last line is JSON."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from dataclasses import replace

from bench import report
from bench.gallery import Asked, prompts, request, styled
from streamer.generator.backends.procedural import Options, ProceduralBackend, create

GOAL_MS, GOAL_READY_MS = 250.0, 1000.0
_SIZE, _SMALL = (1920, 1080), (1280, 720)


def time_prompt(painter: ProceduralBackend, asked: Asked, size: tuple[int, int], runs: int) -> float:
    """Return the median milliseconds of the processor for draw() with its previews, after one run that warms it up.

    The processor's own time: beside other programs it says what the clock says on a quiet machine.
    """
    took = []
    for run in range(runs + 1):
        order = request(asked, 7, size)
        started = time.process_time()
        for _ in painter.draw(order):
            pass
        if run:
            took.append((time.process_time() - started) * 1000)
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
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    painter, ready_ms = time_ready()
    views = [replace(asked, kind="background") for asked in prompts()]
    took = {asked.words: time_prompt(painter, asked, _SIZE, options.runs) for asked in views}
    for words, milliseconds in sorted(took.items(), key=lambda item: item[1]):
        print(f"{milliseconds:6.0f} ms  {words}")
    small = statistics.median(time_prompt(painter, asked, _SMALL, options.runs) for asked in views[:24])
    styles = {asked.language: time_prompt(painter, asked, _SIZE, options.runs) for asked in styled()}
    metrics = {
        "draw_median_ms": round(statistics.median(took.values()), 1),
        "draw_p95_ms": round(report.percentile(list(took.values()), 0.95), 1),
        "draw_720p_median_ms": round(small, 1),
        "ready_ms": round(ready_ms, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    goals = [
        report.at_most("draw_median_ms", metrics["draw_median_ms"], GOAL_MS),
        report.at_most("ready_ms", metrics["ready_ms"], GOAL_READY_MS),
    ]
    styles_ms = {name: round(milliseconds) for name, milliseconds in styles.items()}
    report.finish("procedural", {"cores_used": 1, **metrics, "styles_ms": styles_ms}, goals)


if __name__ == "__main__":
    main()
