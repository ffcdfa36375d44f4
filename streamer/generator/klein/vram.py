"""GPU memory: how much a model needs, whether the device has it, and how to draw with less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Pixels
from streamer.generator.klein.engine import EngineJob
from streamer.generator.klein.optimizations import DeviceInfo, Precision
from streamer.generator.klein.shapes import whole_patches

TEXT_SHARE_LOADED = 0.75
"""The share of the text encoder's weights that is loaded: 27 of 36 layers and no head."""
WORKING_GB = 2.5
"""What drawing a 1024x1024 picture takes beside the weights."""
WIDE_SIZE: dict[str, float] = {"float32": 2.0, "bfloat16": 1.0}
"""The size of wide weights, relative to bfloat16."""
EIGHT_BIT_SIZE = 0.55
"""The size of eight-bit weights relative to bfloat16, with their scales and the few layers that stay wide."""
SMALLER_SIDE = 0.7
"""The factor for both sides of a picture when memory is short: half the pixels."""
PARTS = ("transformer", "text_encoder", "vae")


def weights_gb(folder: Path) -> float:
    """Return the size in bfloat16, in 10^9 bytes, of the weights that are loaded from a checkpoint."""
    sizes = {part: sum(file.stat().st_size for file in (folder / part).glob("*.safetensors")) for part in PARTS}
    return (sizes["transformer"] + sizes["vae"] + TEXT_SHARE_LOADED * sizes["text_encoder"]) / 1e9


def require_memory(device: DeviceInfo, precision: Precision, size_gb: float, model: str) -> None:
    """Raise BackendUnavailable for a model that cannot fit, early rather than after minutes of loading.

    ``size_gb`` is the size of its weights in bfloat16, in 10^9 bytes.
    """
    needed = size_gb * WIDE_SIZE.get(precision, EIGHT_BIT_SIZE) + WORKING_GB
    if device.kind == "cuda" and needed > device.memory_gb:
        raise BackendUnavailable(
            f"{model} in {precision} needs about {needed:.0f} GB and {device.name} has {device.memory_gb:.0f} GB",
            fix="leave generator.backends.klein.precision at auto, choose FLUX.2-klein-4B, or use a larger GPU",
        )


def shrink_job(job: EngineJob) -> EngineJob:
    """Return the same job with about half the pixels."""
    width, height = whole_patches(int(job.width * SMALLER_SIDE), int(job.height * SMALLER_SIDE))
    return replace(job, width=width, height=height)


def enlarge(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scale a picture up to the size in pixels that was asked for, so that layouts hold."""
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
