"""GPU memory: how much a model needs, whether the device has it, and how to draw with less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Pixels
from streamer.generator.klein.engine import EngineJob
from streamer.generator.klein.optimizations import DeviceInfo, MemoryMode, Precision
from streamer.generator.klein.shapes import whole_patches

TEXT_SHARE_LOADED = 0.75
"""The share of the text encoder's weights that is loaded: 27 of 36 layers and no head."""
EMBEDDING_SHARE = 0.1
"""The share of the text encoder's weights that its embedding has: 0.097 in the 4B's, 0.076 in the 9B's."""
TEXT_SHARES: dict[MemoryMode, float] = {
    "full": TEXT_SHARE_LOADED, "small": 5 / 9 * (TEXT_SHARE_LOADED - EMBEDDING_SHARE), "tiny": 0.03,
}  # fmt: skip
"""The share of the text encoder's weights on the GPU in each mode; in the last one layer passes through at a time."""
WORKING_GB = 2.5
"""What drawing a 1024x1024 picture takes beside the weights."""
DRIVER_GB = 1.0
"""What the driver, CUDA itself and the desktop keep."""
LIMITED_WORKING_GB: dict[MemoryMode, float] = {"small": 2.45, "tiny": 2.05}
"""What drawing may take beside the weights in the modes that promise a limit, in 10^9 bytes."""
SEARCHING_GB = 1.6
"""What may be taken beside everything else while the decoder's algorithms are searched, in 10^9 bytes."""
WIDE_SIZE: dict[str, float] = {"float32": 2.0, "bfloat16": 1.0}
"""The size of wide weights, relative to bfloat16."""
EIGHT_BIT_SIZE = 0.55
"""The size of eight-bit weights relative to bfloat16, with their scales and the few layers that stay wide."""
SMALLER_SIDE = 0.7
"""The factor for both sides of a picture when memory is short: half the pixels."""
PARTS = ("transformer", "text_encoder", "vae")


def weights_gb(folder: Path, memory: MemoryMode = "full") -> float:
    """Return the size in bfloat16, in 10^9 bytes, of the weights of a checkpoint that are on the GPU."""
    sizes = {part: sum(file.stat().st_size for file in (folder / part).glob("*.safetensors")) for part in PARTS}
    return (sizes["transformer"] + sizes["vae"] + TEXT_SHARES[memory] * sizes["text_encoder"]) / 1e9


def choose_memory(device: DeviceInfo, precision: Precision, folder: Path) -> MemoryMode:
    """Return the first mode, from the one that holds most on the GPU, whose need the device can meet."""
    modes: tuple[MemoryMode, ...] = ("full", "small")
    if device.kind == "cpu":
        return "full"
    room = device.memory_gb - DRIVER_GB
    return next((mode for mode in modes if needed_gb(precision, weights_gb(folder, mode), mode) <= room), "tiny")


def needed_gb(precision: Precision, size_gb: float, memory: MemoryMode) -> float:
    """Return what a model takes whose weights on the GPU are ``size_gb`` in bfloat16; both in 10^9 bytes."""
    working = LIMITED_WORKING_GB.get(memory, WORKING_GB)
    return size_gb * WIDE_SIZE.get(precision, EIGHT_BIT_SIZE) + working


def require_memory(device: DeviceInfo, precision: Precision, folder: Path, memory: MemoryMode, model: str) -> None:
    """Raise BackendUnavailable for a model that cannot fit, early rather than after minutes of loading."""
    needed = needed_gb(precision, weights_gb(folder, memory), memory)
    if device.memory_gb and needed > device.memory_gb:
        raise BackendUnavailable(
            f"{model} in {precision} needs about {needed:.0f} GB and {device.name} has {device.memory_gb:.0f} GB",
            fix="leave precision and memory of generator.backends.klein at auto, choose FLUX.2-klein-4B, "
            "or use a larger GPU",
        )


def limit_memory(device: torch.device, working_gb: float) -> None:
    """Cap what PyTorch may take at what it holds now and ``working_gb`` (10^9 bytes).

    A picture that needs more fails with torch.OutOfMemoryError, which the backend answers with a smaller one.
    """
    torch.cuda.empty_cache()
    cap = torch.cuda.memory_reserved(device) / 1e9 + working_gb
    total = torch.cuda.get_device_properties(device).total_memory / 1e9
    share = min(cap / total, torch.cuda.get_per_process_memory_fraction(device))
    torch.cuda.set_per_process_memory_fraction(share, device)


def lift_limit(device: torch.device) -> None:
    """Let PyTorch take the whole GPU again."""
    torch.cuda.set_per_process_memory_fraction(1.0, device)


def within_memory(device: torch.device, run: Callable[[], None]) -> None:
    """Run with a cap of ``SEARCHING_GB`` beside what is held, and without one if that is too little.

    cuDNN's search for algorithms takes all that it is given.
    """
    if device.type != "cuda":
        run()
        return
    before = torch.cuda.get_per_process_memory_fraction(device)
    limit_memory(device, SEARCHING_GB)
    try:
        run()
    except torch.OutOfMemoryError:
        torch.cuda.set_per_process_memory_fraction(before, device)
        run()
    finally:
        torch.cuda.set_per_process_memory_fraction(before, device)


def shrink_job(job: EngineJob) -> EngineJob:
    """Return the same job with about half the pixels."""
    width, height = whole_patches(int(job.width * SMALLER_SIDE), int(job.height * SMALLER_SIDE))
    return replace(job, width=width, height=height)


def enlarge(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scale a picture up to the size in pixels that was asked for, so that layouts hold."""
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
