"""Measure what the 4B takes of the GPU in each memory mode, with pictures drawn, and what the modes cost in time.

    python -m bench.memory --folder /somewhere     writes random safetensors there first, 16 GB
    python -m bench.memory --model tiny            any machine, to check that the script works

Each mode is a process of its own that goes the way of the generator process. The modes "small" and "tiny" run under the
cap that the program sets itself, so what they draw fits by force. Peaks are of PyTorch's reserved memory; CUDA's own
context comes on top, and is in "card_gb".
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
from pathlib import Path
from typing import Any

from bench.report import ROOT, at_most, finish
from bench.startup import SIZES, checkpoint, settle
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

GOALS = {"full": 11.0, "small": 8.5, "tiny": 6.5}
RUNS = 8


def main() -> None:
    """Write the checkpoint if it is missing, draw in each mode, and print the result as the last line."""
    asked = arguments()
    if asked.child:
        print(json.dumps(one_mode(asked.model, Path(asked.folder), asked.child)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = checkpoint(asked.model, asked.folder or scratch)
        modes = {mode: start(asked.model, folder, mode, Path(scratch)) for mode in asked.modes.split(",")}
        differences = compare(Path(scratch), list(modes))
    goals = [at_most(f"{mode} GB", modes[mode]["peak_gb"], most) for mode, most in GOALS.items() if mode in modes]
    checked = goals if asked.model == "4b" else []
    finish("memory", {**modes, "differences": differences}, checked, device=device_of(modes), model=asked.model)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="4b", choices=["tiny", "4b", "9b"])
    parser.add_argument("--folder", default="", help="where the checkpoint is or will be written")
    parser.add_argument("--modes", default="full,small,tiny")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def start(model: str, folder: Path, mode: str, scratch: Path) -> dict[str, Any]:
    """Draw in one mode in a process of its own."""
    return child("memory", mode, model, folder, scratch)


def child(bench: str, name: str, model: str, folder: Path, scratch: Path) -> dict[str, Any]:
    """Run one part of a bench in a process of its own; return what it prints last, as JSON."""
    environment = {**os.environ, "STREAMER_HOME": str(scratch / "home"), "MEMORY_PICTURES": str(scratch)}
    command = [sys.executable, "-m", f"bench.{bench}", "--child", name, "--model", model, "--folder", str(folder)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(name, result, flush=True)
    return result


def one_mode(model: str, folder: Path, mode: str) -> dict[str, Any]:
    """Load, warm up and draw; note the peak of each phase."""
    import torch

    from streamer.generator.backends import klein

    cuda, tiny = torch.cuda.is_available(), model == "tiny"
    options: dict[str, Any] = {"device": "auto" if cuda else "cpu", "text_tokens": 64 if tiny else 512}
    backend: Any = klein.create(klein.Options(model=str(folder.resolve()), memory=mode, **options))
    peaks = Peaks(cuda)
    backend.load(quiet)
    peaks.note("loading")
    loaded = round(torch.cuda.memory_allocated() / 1e9, 2) if cuda else 0.0
    sizes = ((96, 64), (64, 64)) if tiny else SIZES
    backend.warm_up(sizes, quiet)
    peaks.note("first picture")
    while backend.idle(quiet):
        pass
    settle(cuda)
    peaks.note("warming up")
    times = {f"{width}x{height}": timed(backend, width, height) for width, height in sizes}
    peaks.note("pictures")
    pixels = draw(backend, "an unannounced size", *((80, 96) if tiny else (960, 1088)))
    peaks.note("unannounced size")
    save(pixels, mode)
    free, total = torch.cuda.mem_get_info() if cuda else (0, 0)
    return {
        "peak_gb": max(peaks.reserved.values()), "reserved_gb": peaks.reserved, "allocated_gb": peaks.allocated,
        "loaded_gb": loaded, "card_gb": round((total - free) / 1e9, 2), "ms": times, "active": backend.active(),
    }  # fmt: skip


class Peaks:
    """The peaks of each phase in 10^9 bytes."""

    def __init__(self, cuda: bool) -> None:
        self._cuda = cuda
        self.reserved: dict[str, float] = {}
        self.allocated: dict[str, float] = {}

    def note(self, phase: str) -> None:
        """Keep the peaks since the last phase."""
        import torch

        self.reserved[phase] = round(torch.cuda.max_memory_reserved() / 1e9, 2) if self._cuda else 0.0
        self.allocated[phase] = round(torch.cuda.max_memory_allocated() / 1e9, 2) if self._cuda else 0.0
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()


def timed(backend: Any, width: int, height: int) -> dict[str, float]:
    """Time pictures whose prompt is new, and ones whose prompt is remembered; medians in milliseconds."""
    draw(backend, "warm", width, height)
    new = [clocked(backend, f"prompt {width} {number}", width, height) for number in range(RUNS)]
    old = [clocked(backend, f"prompt {width} 0", width, height) for _ in range(RUNS)]
    return {"new_prompt": round(statistics.median(new), 1), "remembered": round(statistics.median(old), 1)}


def clocked(backend: Any, prompt: str, width: int, height: int) -> float:
    began = time.perf_counter()
    draw(backend, prompt, width, height)
    return (time.perf_counter() - began) * 1000


def draw(backend: Any, prompt: str, width: int, height: int) -> Any:
    """Draw one picture and return its pixels."""
    *_, picture = backend.draw(request(prompt, width, height))
    return picture.pixels()


def request(prompt: str, width: int, height: int) -> ImageRequest:
    """Build the request that the broadcaster's command would build."""
    return ImageRequest(
        "1", "bg", RequestKind.BACKGROUND, "background", prompt, prompt, SamplingParams(width, height, 4, 1.0, 7),
        Actor("1", "bench", Role.BROADCASTER), Lane.BROADCASTER, at=0.0, expires_at=1e9,
    )  # fmt: skip


def save(pixels: Any, mode: str) -> None:
    import numpy as np

    np.save(Path(os.environ["MEMORY_PICTURES"]) / f"{mode}.npy", pixels)


def compare(scratch: Path, modes: list[str]) -> dict[str, float]:
    """Return the mean difference of each mode's picture from the first mode's, in levels of 255."""
    import numpy as np

    first, *others = (np.load(scratch / f"{mode}.npy").astype(float) for mode in modes)
    return {mode: round(float(np.abs(other - first).mean()), 4) for mode, other in zip(modes[1:], others, strict=True)}


def device_of(modes: dict[str, dict[str, Any]]) -> str:
    return str(next(iter(modes.values()))["active"]["device"])


def quiet(doing: str, share: float) -> None:
    """Take a report of progress and do nothing with it."""


if __name__ == "__main__":
    main()
