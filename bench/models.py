"""Measure the models of models.yaml at full size with random weights: stock diffusers, then each optimization.

    python -m bench.models sdxl pixart zimage sana     one NVIDIA GPU
    python -m bench.models --size tiny sdxl            any machine, to check that the script works

Latency does not depend on the values of the weights, but quality does: nothing here says how good pictures are. Times
are from prompt to encoded JPEG, median of --runs after two warm-ups, at the model's own size, steps and guidance.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from bench.report import at_least, at_most, finish
from streamer.generator.benchmark.random_weights import FAMILIES
from streamer.generator.benchmark.stock import STOCK_PRECISION, pillow_jpeg
from streamer.generator.klein.device_picture import DevicePicture, gpu_jpeg_available
from streamer.generator.models import Model, shipped
from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.generator.pipelines.loading import DTYPES
from streamer.generator.pipelines.speed import SpeedUp
from streamer.generator.pipelines.testing import make_pipeline

NAMES = {family: name for name, family in FAMILIES.items()}
PROMPT = "an old lighthouse on a cliff in a storm, wide establishing shot"
QUALITY = 90
GOAL_FACTOR, GOAL_SDXL_MS = 1.8, 35.0


def main() -> None:
    """Measure every family that is asked for, and print the result as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="+", choices=sorted(NAMES))
    parser.add_argument("--size", choices=("full", "tiny"), default="full")
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    metrics: dict[str, Any] = {"card": torch.cuda.get_device_name() if device.type == "cuda" else "CPU"}
    goals = []
    for family in asked.families:
        rows = measure(family, asked.size, asked.runs, device)
        metrics[NAMES[family]] = rows
        goals.append(at_least(f"{NAMES[family]}: times as fast as stock", rows["factor"], GOAL_FACTOR))
        if family == "sdxl":
            goals.append(at_most("sdxl-turbo ms", rows["best_ms"], GOAL_SDXL_MS))
    finish("models", metrics, goals)


def measure(family: str, size: str, runs: int, device: torch.device) -> dict[str, Any]:
    """Measure one model; return its times in ms by optimization."""
    row = shipped()[NAMES[family]]
    ours = DTYPES[row.precision] if device.type == "cuda" else torch.float32
    recommended = DTYPES[STOCK_PRECISION.get(row.name, row.precision)]
    theirs = recommended if device.type == "cuda" else ours
    pipeline, job = make_pipeline(family, size, dtype=theirs, device=str(device)), job_of(row, size)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    stock_ms = timed(lambda: encoded(pipeline, job, on_gpu=False), runs)
    pipeline.to(ours)
    speed_up = SpeedUp(pipeline, device)
    with speed_up.watching():
        encoded(pipeline, job, on_gpu=False)
    rows: dict[str, Any] = {"size": f"{job.width}x{job.height}", "steps": job.steps, "stock_ms": stock_ms}
    print(f"{row.name:15} {rows['size']}, {job.steps} steps: stock {stock_ms:.1f} ms")
    on_gpu = device.type == "cuda" and gpu_jpeg_available()
    rows["precision_ms"] = best = timed(lambda: encoded(pipeline, job, on_gpu=on_gpu), runs)
    while speed_up.steps_left:
        began = time.perf_counter()
        name = speed_up.next_step()
        took = timed(lambda: encoded(pipeline, job, on_gpu=on_gpu), runs)
        rows[f"{name}_ms"], best = took, min(best, took)
        built = time.perf_counter() - began
        print(f"    {name:14} {speed_up.results[name]:16} {took:8.1f} ms, ready after {built:.0f} s")
    rows |= {"results": speed_up.results, "best_ms": best, "factor": round(stock_ms / best, 2)}
    if device.type == "cuda":
        rows["peak_gb"] = round(torch.cuda.max_memory_reserved() / 1e9, 1)
        del pipeline, speed_up
        torch.cuda.empty_cache()
    return rows


def job_of(row: Model, size: str) -> PictureJob:
    """Return the picture that is drawn: the model's own size and steps."""
    width, height = row.native if size == "full" else (128, 64)
    return PictureJob(PROMPT, width, height, row.steps, row.guidance, 1, row.sigmas)


def encoded(pipeline: Any, job: PictureJob, *, on_gpu: bool) -> bytes:
    """Draw a picture and encode it."""
    picture = call_pipeline(pipeline, job, lambda _step, _latents: None)
    if not on_gpu:
        return pillow_jpeg(picture, QUALITY)
    pixels = (picture.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    return DevicePicture(pixels, gpu_jpeg=True).jpeg(QUALITY) or b""


def timed(run: Callable[[], object], runs: int) -> float:
    """Return the median of several runs in ms, after two that do not count."""
    times = []
    for number in range(runs + 2):
        began = time.perf_counter()
        run()
        if number > 1:
            times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 2)


if __name__ == "__main__":
    main()
