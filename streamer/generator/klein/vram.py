"""What a model needs, whether the GPU has it, and how to go on with less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Pixels
from streamer.generator.klein.engine import DrawJob
from streamer.generator.klein.optimizations import DeviceInfo, Precision
from streamer.generator.klein.shapes import whole_patches

USED_OF_TEXT = 0.75
"""The share of the text encoder that is loaded: 27 of 36 layers and no head."""
WORK_GB = 2.5
"""What drawing a 1024x1024 picture takes beside the weights."""
SHRUNK: dict[str, float] = {"float32": 2.0, "bfloat16": 1.0}
EIGHT_BIT = 0.55
"""Eight-bit layers with their scales, and the few that stay wide."""
SMALLER = 0.7
"""Both sides of a picture drawn when memory is short: half the pixels."""


def need_gb(folder: Path) -> float:
    """Give what the weights that are loaded take in bfloat16."""
    sizes = {part: sum(file.stat().st_size for file in (folder / part).glob("*.safetensors")) for part in _PARTS}
    return (sizes["transformer"] + sizes["vae"] + USED_OF_TEXT * sizes["text_encoder"]) / 1e9


_PARTS = ("transformer", "text_encoder", "vae")


def fits(machine: DeviceInfo, precision: Precision, weights_gb: float, model: str) -> None:
    """Refuse early a model that cannot fit, rather than after minutes of loading."""
    needed = weights_gb * SHRUNK.get(precision, EIGHT_BIT) + WORK_GB
    if machine.kind == "cuda" and needed > machine.memory_gb:
        raise BackendUnavailable(
            f"{model} in {precision} needs about {needed:.0f} GB and {machine.name} has {machine.memory_gb:.0f} GB",
            fix="leave generator.backends.klein.precision at auto, choose FLUX.2-klein-4B, or use a larger GPU",
        )


def smaller(job: DrawJob) -> DrawJob:
    """Give the same job at about half the pixels."""
    width, height = whole_patches(int(job.width * SMALLER), int(job.height * SMALLER))
    return replace(job, width=width, height=height)


def enlarge(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scale a picture up to the size that was asked for, so that layouts hold."""
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
