"""Check the measured choice against whole pictures: each precision draws, and the chosen one should be the fastest.

    python -m bench.choice --folder /somewhere     writes random safetensors of the 4B there first, 16 GB
    python -m bench.choice --model tiny            any machine, to check that the script works

Each precision is a process of its own; they take turns, and times are medians over all turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.memory import child, clocked, draw, quiet
from bench.report import at_most, finish
from bench.startup import checkpoint

RUNS = 20


def main() -> None:
    """Draw in each precision, let the program choose, and print the result as the last line."""
    asked = arguments()
    if asked.child:
        print(json.dumps(one_precision(asked.model, Path(asked.folder), asked.child)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = checkpoint(asked.model, asked.folder or scratch)
        names = ["auto", *asked.precisions.split(",")]
        drawn = {name: start(asked.model, folder, name, Path(scratch)) for name in names}
    chosen, fastest = drawn["auto"]["active"]["precision"], min(drawn[name]["picture_ms"] for name in names[1:])
    share = drawn[chosen]["picture_ms"] / fastest if chosen in drawn else float("nan")
    metrics = {**drawn, "chosen": chosen, "chosen_over_fastest": round(share, 3)}
    device = drawn["auto"]["active"]["device"]
    finish("choice", metrics, [at_most("chosen over fastest", share, 1.03)], device=device, model=asked.model)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="4b", choices=["tiny", "4b", "9b"])
    parser.add_argument("--folder", default="", help="where the checkpoint is or will be written")
    parser.add_argument("--precisions", default="fp8,int8,bfloat16")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def start(model: str, folder: Path, precision: str, scratch: Path) -> dict[str, Any]:
    """Draw in one precision in a process of its own."""
    return child("choice", precision, model, folder, scratch)


def one_precision(model: str, folder: Path, precision: str) -> dict[str, Any]:
    """Load, warm up and time pictures of one size; note how long loading with the measurement took."""
    from streamer.generator.backends import klein

    tiny = model == "tiny"
    options: dict[str, Any] = {"device": "cpu", "text_tokens": 64} if tiny else {}
    width, height = (96, 64) if tiny else (1024, 1024)
    backend: Any = klein.create(klein.Options(model=str(folder.resolve()), precision=precision, **options))
    doing: dict[str, float] = {}
    backend.load(lambda what, share: doing.setdefault(what, time.monotonic()))
    backend.warm_up([(width, height)], quiet)
    while backend.idle(quiet):
        pass
    draw(backend, "warm", width, height)
    times = [clocked(backend, "warm", width, height) for _ in range(RUNS)]
    measuring = seconds_until_next(doing, "measuring what is fastest on this GPU")
    return {
        "picture_ms": round(statistics.median(times), 1), "measuring_s": measuring, "active": backend.active(),
    }  # fmt: skip


def seconds_until_next(began: dict[str, float], what: str) -> float:
    """Return how long a step took: until the next one began."""
    later = sorted(at for at in began.values() if what in began and at > began[what])
    return round(later[0] - began[what], 2) if later else 0.0


if __name__ == "__main__":
    main()
