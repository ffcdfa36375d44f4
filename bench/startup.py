"""Measure how long Klein takes from process start to ready, with cold and warm compile caches, and its memory.

    python -m bench.startup --model 9b --folder /somewhere     writes random safetensors there first, 35 GB
    python -m bench.startup --model tiny                       any machine, to check that the script works

Each start is a new process that goes the way of the generator process: import, load, draw a first picture the plain
way, get fast for every size. Weights are in the page cache, since they have just been written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.report import ROOT, at_most, finish

SIZES = ((1280, 720), (1024, 1024), (512, 512))
GOALS = {"9b": {"ready_s": 30.0, "vram_gb": 22.0}, "4b": {"vram_gb": 11.0}}


def main() -> None:
    """Write the checkpoint if it is missing, start twice, and print the result as the last line."""
    asked = arguments()
    if asked.child:
        print(json.dumps(one_start(asked.model, Path(asked.folder), time.monotonic())))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = checkpoint(asked.model, asked.folder or scratch)
        home = Path(scratch) / "home"
        metrics: dict[str, dict[str, Any]] = {name: start(asked.model, folder, home) for name in ("cold", "warm")}
    finish("startup", metrics, goals(asked.model, metrics["warm"]), device=metrics["warm"]["active"]["device"],
           model=asked.model)  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny", choices=["tiny", "4b", "9b"])
    parser.add_argument("--folder", default="", help="where the checkpoint is or will be written")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def checkpoint(model: str, parent: str) -> Path:
    """Return the folder of a model's random weights, which are written unless they are there."""
    folder = Path(parent) / f"klein-{model}"
    if not (folder / "model_index.json").exists():
        write(model, folder)
    return folder


def write(model: str, folder: Path) -> None:
    """Write random weights in a process of its own, so that its memory is free again before the starts."""
    code = (
        "import sys, torch\n"
        "from pathlib import Path\n"
        "from streamer.generator.klein.testing import make_pipeline\n"
        "device = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
        "made = make_pipeline(sys.argv[1], dtype=torch.bfloat16, device=device)\n"
        "made.save_pretrained(sys.argv[2], safe_serialization=True)\n"
    )
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code, model, str(folder.resolve())], check=True, cwd=ROOT)
    print(f"wrote {folder} in {time.monotonic() - began:.1f} s", flush=True)


def start(model: str, folder: Path, home: Path) -> dict[str, Any]:
    """Start once; return what the process reported, with the time that Python itself took to start."""
    began = time.monotonic()
    environment = {**os.environ, "STREAMER_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "bench.startup", "--child", "--model", model, "--folder", str(folder.resolve())]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    reported: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    before = reported.pop("began") - began
    result = {name: round(value + before, 2) if name.endswith("_s") else value for name, value in reported.items()}
    print(result, flush=True)
    return result


def one_start(model: str, folder: Path, began: float) -> dict[str, Any]:
    """Do what the worker process does, and note when each part is done."""
    import torch

    from streamer.generator.backends import klein

    cuda, sizes = torch.cuda.is_available(), SIZES if model != "tiny" else ((96, 64), (64, 64))
    options = klein.Options(
        model=str(folder), device="auto" if cuda else "cpu", text_tokens=512 if model != "tiny" else 64
    )
    backend: Any = klein.create(options)
    marks = {"imported_s": time.monotonic() - began}
    backend.load(lambda doing, share: None)
    marks["loaded_s"] = time.monotonic() - began
    backend.warm_up(sizes, lambda doing, share: None)
    settle(cuda)
    marks["first_picture_s"] = time.monotonic() - began
    steps: list[str] = []
    while True:
        at = time.monotonic()
        more = backend.idle(lambda doing, share: steps.append(doing))
        settle(cuda)
        marks["longest_warm_up_step_s"] = max(marks.get("longest_warm_up_step_s", 0.0), time.monotonic() - at)
        if not more:
            break
    marks["ready_s"] = time.monotonic() - began
    longest = marks.pop("longest_warm_up_step_s")
    return {
        **marks,
        "longest_warm_up_step": round(longest, 2),
        **memory(cuda),
        "active": backend.active(),
        "began": began,
    }


def settle(cuda: bool) -> None:
    if cuda:
        import torch

        torch.cuda.synchronize()


def memory(cuda: bool) -> dict[str, float]:
    """Return peaks in GB, and the memory in use on the whole device, which nvidia-smi shows."""
    if not cuda:
        return {}
    import torch

    free, total = torch.cuda.mem_get_info()
    return {
        "vram_gb": round(torch.cuda.max_memory_reserved() / 1e9, 2),
        "vram_allocated_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2),
        "vram_now_gb": round((total - free) / 1e9, 2),
    }


def goals(model: str, warm: Mapping[str, float]) -> list[dict[str, object]]:
    """Judge the start with warm caches."""
    return [at_most(f"warm {name}", warm[name], most) for name, most in GOALS.get(model, {}).items()]


if __name__ == "__main__":
    main()
