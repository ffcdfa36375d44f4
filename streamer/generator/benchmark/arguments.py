"""The arguments of ``streamer bench``; this imports nothing heavy, since every command waits for the parser."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from streamer.generator.klein.optimizations import RequestedPrecision as KleinPrecision
from streamer.generator.pipelines.options import RequestedPrecision as PipelinePrecision

Size = tuple[int, int]
ALL = "all"
"""The word for every listed model."""
PRECISIONS: Mapping[str, tuple[str, ...]] = {
    "klein": get_args(KleinPrecision), "diffusers": get_args(PipelinePrecision),
}  # fmt: skip
"""The precisions that each backend takes; the others have one of their own."""
SMALLEST_PX, LARGEST_PX = 64, 4096
MOST_RUNS = 1000
FILES = ("bench.json", "bench.md", "bench.png")
"""What --out writes."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    words = sorted({word for allowed in PRECISIONS.values() for word in allowed})
    command.add_argument(
        "models", nargs="*", metavar="MODEL",
        help=f"a name that 'streamer models' lists, {ALL}, procedural, a folder or a hub id (default: what would draw)",
    )  # fmt: skip
    command.add_argument("--size", nargs="+", type=size, default=[], metavar="WxH", help="default: the model's own")
    command.add_argument(
        "--precision", nargs="+", choices=words, default=["auto"], metavar="TYPE",
        help=f"any of {', '.join(words)} (default auto)",
    )  # fmt: skip
    command.add_argument("--random", action="store_true", help="full-size models with random weights: no download")
    command.add_argument("--runs", type=runs, default=20, metavar="N", help="pictures of each row (default 20)")
    command.add_argument("--stock", action="store_true", help="measure stock diffusers as well, and compare")
    command.add_argument(
        "--card", nargs="+", default=[], metavar="NAME",
        help="also tell the floor on these cards, named as CUDA does: 'H100 PCIe', A100-SXM4-80GB",
    )  # fmt: skip
    command.add_argument("--out", type=Path, metavar="FOLDER", help=f"also write {', '.join(FILES)} there")
    command.add_argument("--json", action="store_true", help="print JSON instead of the table")


def size(value: str) -> Size:
    """Accept a size in pixels, such as 1024x1024."""
    found = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", value.strip())
    if found is None or not all(SMALLEST_PX <= int(side) <= LARGEST_PX for side in found.groups()):
        raise argparse.ArgumentTypeError(
            f"{value!r} is no size; write 1024x1024, each side {SMALLEST_PX} to {LARGEST_PX} pixels"
        )
    return int(found[1]), int(found[2])


def runs(value: str) -> int:
    """Accept how many pictures a row is measured with."""
    if not value.isdecimal() or not 1 <= int(value) <= MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{value!r} is no number of pictures; write 1 to {MOST_RUNS}")
    return int(value)
