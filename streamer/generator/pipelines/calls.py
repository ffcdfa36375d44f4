"""What a pipeline's call is given: its own names for a size, steps, guidance, a picture to edit and a callback."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import diffusers
import torch
from PIL import Image
from torch import Tensor

from streamer.generator.pipelines.loading import denoiser_of
from streamer.types import Lora

OnStep = Callable[[int, Tensor], None]
"""Called after each denoising step with its number from 0 and the latents."""
OWN_EDITS = ("Flux2Pipeline", "Flux2KleinPipeline")
"""Pipelines that change a picture by words, as they draw one."""
CHAT_TOKENS = 64
"""What a chat template with a system message takes at most, where the tokenizer has one."""
BINNED = (32, 64, 128, 256)
"""The sizes of latents for which such pipelines know the shapes of pictures that they were trained on."""


@dataclass(frozen=True, slots=True)
class PictureJob:
    """One picture to draw; sizes in pixels. ``sigmas`` are the noise levels, where the model has its own."""

    prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int
    sigmas: Sequence[float] | None = None
    reference: Image.Image | None = None
    strength: float = 0.6
    loras: tuple[Lora, ...] = ()


def call_pipeline(pipeline: Any, job: PictureJob, on_step: OnStep) -> Tensor:
    """Draw one picture; return it as [3, height, width], 0 to 1, on the device."""
    pipeline = pipeline if job.reference is None else editor_of(pipeline)
    accepted = inspect.signature(pipeline.__call__).parameters
    wanted: dict[str, Any] = {
        "prompt": job.prompt, "width": job.width, "height": job.height, "num_inference_steps": job.steps,
        "guidance_scale": job.guidance, "output_type": "pt",
        # On the CPU, so that a seed means the same picture on every device.
        "generator": torch.Generator("cpu").manual_seed(job.seed),
    }  # fmt: skip
    if job.sigmas is not None and len(job.sigmas) == job.steps:
        wanted["sigmas"] = list(job.sigmas)
    wanted |= _of_reference(pipeline, job, accepted)
    # These two would fetch a package, and be refused for any other number of steps.
    if "clean_caption" in accepted:
        wanted["clean_caption"] = False
    if "use_resolution_binning" in accepted:
        wanted["use_resolution_binning"] = denoiser_of(pipeline).config.sample_size in BINNED
    if "intermediate_timesteps" in accepted and job.steps != 2:
        wanted["intermediate_timesteps"] = None
    picture: Tensor = pipeline(
        **{name: value for name, value in wanted.items() if name in accepted}, **_callback(accepted, on_step)
    ).images[0]
    return picture


def prompt_fits(pipeline: Any, prompt: str) -> bool:
    """Tell whether the tokenizer that reads most takes all of a prompt; shorter ones beside it are meant to cut it."""
    parts = [part for name, part in pipeline.components.items() if name.startswith("tokenizer") and part is not None]
    # A processor, which reads pictures as well, has its tokenizer inside.
    tokenizers = [getattr(part, "tokenizer", part) for part in parts]
    tokenizer = max(tokenizers, key=lambda one: one.model_max_length)
    asked = inspect.signature(pipeline.__call__).parameters.get("max_sequence_length")
    limit = tokenizer.model_max_length if asked is None else min(tokenizer.model_max_length, asked.default)
    reserve = CHAT_TOKENS if tokenizer.chat_template else 0
    # Without verbose=False it warns of each long text, which is shortened here.
    return len(tokenizer(prompt, verbose=False)["input_ids"]) + reserve <= limit


def can_edit(pipeline: Any) -> bool:
    """Tell whether diffusers can change a picture with the parts of this pipeline."""
    try:
        return editor_of(pipeline) is not None
    except (ValueError, TypeError, AttributeError):
        return False


def editor_of(pipeline: Any) -> Any:
    """Return the pipeline that changes a picture with the same parts; raises ValueError where there is none."""
    if type(pipeline).__name__ in OWN_EDITS:
        return pipeline
    editor = diffusers.AutoPipelineForImage2Image.from_pipe(pipeline)
    editor.set_progress_bar_config(disable=True)
    return editor


def _of_reference(pipeline: Any, job: PictureJob, accepted: Any) -> dict[str, Any]:
    """Return how a picture to edit is handed over."""
    if job.reference is None:
        return {}
    if type(pipeline).__name__ in OWN_EDITS:
        return {"image": [job.reference]}
    # Such a pipeline skips the first steps: as many must be planned that those that are left are as many as asked for.
    planned = math.ceil(job.steps / job.strength)
    picture = job.reference.resize((job.width, job.height), Image.Resampling.LANCZOS)
    return {"image": picture, "strength": job.strength, "num_inference_steps": planned}


def _callback(accepted: Any, on_step: OnStep) -> dict[str, Any]:
    if "callback_on_step_end" in accepted:

        def after(_pipeline: Any, step: int, _timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
            on_step(step, values["latents"])
            return values

        return {"callback_on_step_end": after}
    if "callback" in accepted:
        return {"callback": lambda step, _timestep, latents: on_step(step, latents), "callback_steps": 1}
    return {}
