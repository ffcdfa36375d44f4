"""Measure what changing LoRAs costs Klein, and that pictures before, between and after are the right ones.

    python -m bench.lora --model tiny              any machine
    python -m bench.lora --folder /somewhere       full size; writes random safetensors there first, 16 GB

"restored" says that a picture without LoRAs is the same, bit for bit, after all changes; "as_merged" that one of a
style is what its LoRA draws when it is merged before quantization. Weights as loaded are in GPU memory where at least
half of it stays free; --on-host keeps them in main memory, as on smaller cards.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.memory import quiet, request
from bench.report import at_least, at_most, finish, spread
from bench.startup import checkpoint
from streamer.types import Lora

ROUNDS = 10
GOAL_MS = {True: 500.0, False: 100.0}
"""The longest change at full size, by whether the weights as loaded are in main memory."""


def main() -> None:
    """Write what is missing, measure, and print the result as the last line."""
    asked = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = checkpoint(asked.model, asked.folder or scratch)
        styles = [write_lora(folder, Path(scratch) / f"{name}.safetensors", asked.rank) for name in ("ink", "clay")]
        metrics = measure(asked, folder, styles)
    goals = [at_least("restored", float(metrics["restored"]), 1), at_least("as_merged", float(metrics["as_merged"]), 1)]
    if asked.model != "tiny":
        goals.append(at_most("change p95 ms", metrics["change_ms"]["p95"], GOAL_MS["main" in metrics["style_loras"]]))
    finish("lora", metrics, goals, device=metrics["device"], model=asked.model, rank=asked.rank)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="4b", choices=["tiny", "4b", "9b"])
    parser.add_argument("--folder", default="", help="where the checkpoint is or will be written")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--on-host", action="store_true", help="keep the weights as loaded in main memory")
    return parser.parse_args()


def write_lora(folder: Path, path: Path, rank: int) -> Lora:
    """Write a random LoRA for every block of the model."""
    import torch

    from streamer.generator.klein.checkpoint_files import read_transformer_config
    from streamer.generator.lora.testing import make_lora

    make_lora(path, read_transformer_config(folder), rank=rank, seed=len(path.stem), dtype=torch.bfloat16)
    return Lora(str(path), 1.0, f"styles.{path.stem}.lora")


def measure(asked: argparse.Namespace, folder: Path, styles: Sequence[Lora]) -> dict[str, Any]:
    """Draw with and without styles, and change between them."""
    size = (96, 64) if asked.model == "tiny" else (1024, 1024)
    backend = ready(asked, folder, size, styles)
    plain, style = drawn(backend, size), drawn(backend, size, styles[0])
    within = [clocked(partial(drawn, backend, size, styles[0])) for _ in range(ROUNDS)]
    turns = [(), *((lora,) for lora in styles)] * ROUNDS
    changes = [clocked(partial(backend._require_engine().use_loras, loras)) for loras in turns]
    drawn(backend, size)
    without = [clocked(partial(drawn, backend, size)) for _ in range(ROUNDS)]
    restored = bool((drawn(backend, size) == plain).all())
    active = backend.active()
    backend.close()
    merged = drawn(ready(asked, folder, size, (), styles[0]), size)
    return {
        "change_ms": spread(changes), "picture_ms": spread(without), "picture_with_style_ms": spread(within),
        "restored": restored, "as_merged": bool((merged == style).all()),
        **{name: active[name] for name in ("device", "precision", "style_loras")},
    }  # fmt: skip


def ready(
    asked: argparse.Namespace, folder: Path, size: tuple[int, int], styles: Sequence[Lora], merged: Lora | None = None
) -> Any:
    """Load and make fast."""
    import torch

    from streamer.generator.backends import klein
    from streamer.generator.lora.switch import Masters

    if asked.on_host:
        Masters.move_to = lambda masters, device: None  # type: ignore[assignment, method-assign]
    tiny, cuda = asked.model == "tiny", torch.cuda.is_available()
    options = klein.Options(
        model=str(folder.resolve()), device="auto" if cuda else "cpu", text_tokens=64 if tiny else 512,
        precision=asked.precision, warm_in_background=False, lora=[merged.path] if merged else [],
    )  # fmt: skip
    backend: Any = klein.create(options)
    backend.expect_loras(styles)
    backend.load(quiet)
    backend.warm_up((size,), quiet)
    return backend


def drawn(backend: Any, size: tuple[int, int], *loras: Lora) -> Any:
    """Draw one picture and return its pixels."""
    *_, picture = backend.draw(replace(request("a fox", *size), loras=loras))
    return picture.pixels()


def clocked(call: Callable[[], object]) -> float:
    """Time a call until the device has done it, in milliseconds."""
    import torch

    wait = torch.cuda.synchronize if torch.cuda.is_available() else int
    wait()
    began = time.perf_counter()
    call()
    wait()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
