"""What happens around a pipeline's call: each step handed over in time, and the picture as bytes."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from streamer.errors import BackendError
from streamer.generator.backend import StepCallback
from streamer.generator.pipelines.calls import OnStep, PictureJob
from streamer.generator.pipelines.previews import Previews
from streamer.generator.pipelines.steps import Steps


def step_reporter(job: PictureJob, steps: Steps[Any] | None, previews: Previews, deadline_s: float) -> OnStep:
    """Return what a pipeline calls after each step; it raises BackendError once the picture has taken too long."""
    began = time.monotonic()

    def on_step(step: int, latents: Tensor) -> None:
        if time.monotonic() - began > deadline_s:
            raise BackendError(f"the picture took longer than {deadline_s:g} s")
        if steps is not None:
            steps.emit(StepCallback(step + 1, job.steps, previews.after(step, latents)))

    return on_step


def to_bytes(picture: Tensor, backend: str, precision: str) -> Tensor:
    """Turn [3, height, width], 0 to 1, into [height, width, 3] uint8; raise BackendError for numbers that overflowed.

    The message names the backend's option and a precision that helps.
    """
    if not bool(torch.isfinite(picture).all()):
        raise BackendError(
            "the model's numbers overflowed", fix=f"set generator.backends.{backend}.precision to {precision}"
        )
    return (picture.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
