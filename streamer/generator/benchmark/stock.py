"""The unmodified diffusers pipeline of a case, drawn as its model's page says."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from streamer.commands.options import Sampling
from streamer.generator.backend import Report
from streamer.generator.benchmark import random_weights
from streamer.generator.benchmark.device import DrawingDevice
from streamer.generator.benchmark.results import Case
from streamer.generator.models import find
from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.generator.pipelines.loading import FILES, precision_of

STOCK_PRECISION = {"sdxl-turbo": "float16"}
"""The precision that a model's page recommends, where it is not the one that the program draws in."""


class StockPipeline:
    """Load a model as diffusers does, and draw with it from the prompt to Pillow's JPEG."""

    def __init__(self, case: Case, device: DrawingDevice, report: Report) -> None:
        source = random_weights.stock_source(case.model) if case.random else FILES
        checkpoint = source.find(case.model, report)
        own = precision_of(checkpoint, "auto", device.torch)
        self.precision = STOCK_PRECISION.get(case.model, own) if device.is_gpu else own
        report("loading the stock pipeline", 0.5)
        self._pipeline, self.in_parts = source.load(checkpoint, device.torch, self.precision, device.memory_gb or 0.0)

    def drawing(self, case: Case, sampling: Sampling, prompt: str, quality: int) -> Callable[[int], bytes]:
        """Return a function that draws the picture of a seed."""
        row = find(case.model)

        def draw(seed: int) -> bytes:
            job = PictureJob(
                prompt, case.width, case.height, sampling.steps, sampling.guidance, seed, row.sigmas if row else None
            )
            return pillow_jpeg(call_pipeline(self._pipeline, job, lambda _step, _latents: None), quality)

        return draw

    def active(self) -> dict[str, str]:
        """Say what draws."""
        parts = {"parts": "one at a time on the GPU"} if self.in_parts else {}
        return {"engine": "stock diffusers", "precision": self.precision, **parts}


def pillow_jpeg(picture: Tensor, quality: int) -> bytes:
    """Encode a picture, [3, height, width] from 0 to 1, as most people do."""
    pixels: Any = (picture.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()
