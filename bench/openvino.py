"""Measure the one-step models on the processor: OpenVINO beside stock diffusers in PyTorch, at the published sizes.

    python -m bench.openvino                       sdxs and sd-turbo with random weights, prompt to pixels, 512x512
    python -m bench.openvino --size tiny           any machine, to check that the script works
    python -m bench.openvino --folder /somewhere   keeps the random weights and the converted files there, 8 GB

Each way of drawing is a process of its own, so that its memory is its own: what it takes while it draws, and the most
it took since it started. "first" is a first start, which converts unless the files are there; the others find them.
Errors compare the pictures with those of the stock pipeline in float32.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.report import ROOT, at_most, finish, machine

PROMPT, SEED, WARM, RUNS = "a fox", 7, 2, 6
WAYS: dict[str, dict[str, str]] = {
    "torch float32": {"torch": "float32"},
    "torch bfloat16": {"torch": "bfloat16"},
    "first": {"weights": "int8"},
    "int8": {"weights": "int8"},
    "int8 float32": {"weights": "int8", "precision": "float32"},
}
SLOWEST_SHARE = 0.6
"""OpenVINO is to take at most this share of stock PyTorch's time in float32."""


def main() -> None:
    """Write each model's random weights, draw with them in every way, and print the result as the last line."""
    asked = arguments()
    if asked.child:
        print(json.dumps(one_way(Path(asked.folder), asked.family, asked.size, asked.child)))
        return
    metrics: dict[str, Any] = {}
    for family in asked.families.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(asked.folder or scratch).absolute() / f"{family}-{asked.size}"
            if not (folder / "taesd").exists():
                write(folder, family, asked.size)
            ways = [way for way in WAYS if way in asked.ways.split(",")]
            metrics[family] = {way: start(folder, family, asked.size, way) for way in ways}
    finish("openvino", metrics, goals_of(metrics) if asked.size == "full" else [], device=machine(), size=asked.size)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", default="sdxs,sd-turbo")
    parser.add_argument("--size", default="full", choices=["tiny", "full"])
    parser.add_argument("--folder", default="", help="where the models are or will be written")
    parser.add_argument("--ways", default=",".join(WAYS))
    for hidden in ("--child", "--family"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def goals_of(metrics: dict[str, Any]) -> list[dict[str, object]]:
    """Compare with PyTorch what was measured in both."""
    return [
        at_most(f"{family}: share of PyTorch's time", ways["int8"]["seconds"] / stock["seconds"], SLOWEST_SHARE)
        for family, ways in metrics.items()
        if (stock := ways.get("torch float32")) and "int8" in ways
    ]


def write(folder: Path, family: str, size: str) -> None:
    """Write a random model and a tiny decoder, in a process of its own that gives its memory back."""
    code = (
        "import sys; from pathlib import Path; from streamer.generator.openvino.testing import *; "
        "folder = Path(sys.argv[1]); make_checkpoint(folder / 'model', sys.argv[2], sys.argv[3]); "
        "make_tiny_decoder(sys.argv[3]).save_pretrained(folder / 'taesd')"
    )
    subprocess.run([sys.executable, "-c", code, str(folder), family, size], cwd=ROOT, check=True, stdout=sys.stderr)


def start(scratch: Path, family: str, size: str, way: str) -> dict[str, Any]:
    """Draw in one way in a process of its own."""
    command = [sys.executable, "-m", "bench.openvino", "--child", way, "--folder", str(scratch)]
    command += ["--family", family, "--size", size]
    environment = {**os.environ, "STREAMER_HOME": str(scratch / "home")}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(family, way, result, file=sys.stderr)
    return result


def one_way(scratch: Path, family: str, size: str, way: str) -> dict[str, Any]:
    """Load, draw, and say how long it took, how much memory it holds, and how far the picture is from stock."""
    began = time.perf_counter()
    how = WAYS[way]
    draw = stock(scratch / "model", how["torch"], size) if "torch" in how else ours(scratch, family, size, **how)
    loaded = time.perf_counter() - began
    for _ in range(WARM):
        picture = draw()
    times, works = zip(*(timed(draw) for _ in range(RUNS)), strict=True)
    process, status = psutil.Process(), Path("/proc/self/status")
    peak = next((line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")), "0")
    return {
        "seconds": round(statistics.median(times), 3),
        "fastest": round(min(times), 3),
        "slowest": round(max(times), 3),
        "cpu_s": round(statistics.median(works), 3),
        "start_s": round(loaded, 1),
        "memory_gb": round(process.memory_info().rss / 1e9, 2),
        "peak_gb": round(int(peak) * 1024 / 1e9, 2),
        **compared(scratch, way, picture),
    }


def timed(draw: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds of one picture, and those of all threads together, which other programs hardly change."""
    began, worked = time.perf_counter(), time.process_time()
    draw()
    return time.perf_counter() - began, time.process_time() - worked


def compared(scratch: Path, way: str, picture: Any) -> dict[str, float]:
    """Keep the stock picture, and compare others with it: the mean difference of 256 levels, and the relative one."""
    kept = scratch / "stock.npy"
    if way == "torch float32":
        np.save(kept, picture)
    if not kept.exists():
        return {}
    truth, found = np.load(kept).astype(float), picture.astype(float)
    error = float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
    return {"levels": round(float(np.abs(found - truth).mean()), 2), "error": round(error, 4)}


def stock(folder: Path, dtype: str, size: str) -> Callable[[], Any]:
    """Return what draws with diffusers alone, with the tiny decoder as well."""
    import torch
    from diffusers import AutoencoderTiny, DiffusionPipeline

    from streamer.generator.pipelines.calls import PictureJob, call_pipeline
    from streamer.generator.pipelines.picture import to_bytes

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    pipeline = DiffusionPipeline.from_pretrained(folder, dtype=getattr(torch, dtype))
    pipeline.set_progress_bar_config(disable=True)
    if not isinstance(pipeline.vae, AutoencoderTiny):
        pipeline.vae = AutoencoderTiny.from_pretrained(folder.parent / "taesd", dtype=getattr(torch, dtype))
    side = side_of(size)
    job = PictureJob(PROMPT, side, side, 1, 0.0, SEED)

    def draw() -> Any:
        return to_bytes(call_pipeline(pipeline, job, lambda step, latents: None), "diffusers", "float32").numpy()

    return draw


def ours(scratch: Path, family: str, size: str, **options: str) -> Callable[[], Any]:
    """Return what draws with the backend, as the generator process does."""
    from streamer.generator.backend import StepCallback
    from streamer.generator.backends import openvino
    from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

    chosen = {"decoder": "tiny" if family == "sdxs" else str(scratch / "taesd"), **options}
    backend = openvino.create(openvino.Options.model_validate({"model": str(scratch / "model"), "steps": 1, **chosen}))
    backend.load(lambda doing, share: None)
    side = side_of(size)
    backend.warm_up(((side, side),), lambda doing, share: None)
    request = ImageRequest(
        "1", "bg", RequestKind.BACKGROUND, "background", PROMPT, PROMPT, SamplingParams(side, side, 1, 0.0, SEED),
        Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9,
    )  # fmt: skip

    def draw() -> Any:
        *_, picture = backend.draw(request)
        assert not isinstance(picture, StepCallback)
        return picture.pixels()

    return draw


def side_of(size: str) -> int:
    return 512 if size == "full" else 64


if __name__ == "__main__":
    main()
