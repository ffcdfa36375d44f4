"""The noise schedule and everything that depends on it alone: time steps, their embeddings, all modulations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MODULATIONS = 17
"""Vectors of the hidden size per step: six for pictures, six for text, three for single blocks, two for the output."""


Bounds = Callable[[Tensor], Tensor | None]
"""Give the scales of attention in fp8 for one step's modulation, or None where attention is wide."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One row per step. ``modulation`` is [steps, 17 x hidden]; ``sigma`` and ``change`` are float32 on the device."""

    steps: int
    modulation: Tensor
    sigma: Tensor
    change: Tensor
    attention: Tensor | None = None
    """[steps, blocks, 4]: scales for attention in fp8."""


def shift_of(image_tokens: int, steps: int) -> float:
    """Give the model authors' empirical time shift: two straight lines over the token count, blended by steps."""
    at_200 = 0.00016927 * image_tokens + 0.45666666
    if image_tokens > 4300:
        return float(at_200)
    at_10 = 8.73809524e-05 * image_tokens + 1.89833333
    slope = (at_200 - at_10) / 190.0
    return float(slope * steps + at_200 - 200.0 * slope)


def sigmas_of(scheduler: Any, image_tokens: int, steps: int) -> tuple[Tensor, Tensor]:
    """Give the noise levels (one more than steps) and the time steps, both float32 on the CPU."""
    mu = shift_of(image_tokens, steps)
    if getattr(scheduler.config, "use_flow_sigmas", False):
        scheduler.set_timesteps(steps, device="cpu", mu=mu)
    else:
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), device="cpu", mu=mu)
    return scheduler.sigmas.clone(), scheduler.timesteps.clone()


@torch.inference_mode()
def build(
    transformer: nn.Module, scheduler: Any, image_tokens: int, steps: int, bounds: Bounds = lambda row: None,
    keeps_references: bool = False,
) -> Schedule:  # fmt: skip
    """Run the embedder and the modulation layers once for every step of the schedule.

    With ``keeps_references`` the scales of attention hold for all steps and for the reading of a reference.
    """
    sigmas, times = sigmas_of(scheduler, image_tokens, steps)
    weight = transformer.x_embedder.weight
    rows = [modulation_of(transformer, time.to(weight.dtype)) for time in times.to(weight.device)]
    sigmas = sigmas.to(weight.device)
    bounded = [row for row in map(bounds, rows) if row is not None]
    attention = torch.stack(bounded) if bounded else None
    if attention is not None and keeps_references:
        read = bounds(modulation_of(transformer, times.to(weight)[0] * 0))
        attention = attention if read is None else steady(torch.cat([attention, read[None]]))[:-1]
    return Schedule(len(rows), torch.cat(rows), sigmas[:-1].clone(), sigmas[1:] - sigmas[:-1], attention)


def steady(scales: Tensor) -> Tensor:
    """Give every moment [moments, blocks, 4] the largest scales of all, and the inverse that goes with them."""
    largest = scales.amax(0, keepdim=True)
    return torch.cat([largest[..., :3], 1 / largest[..., 2:3]], dim=-1).expand_as(scales).contiguous()


@torch.inference_mode()
def modulation_of(transformer: Any, time: Tensor) -> Tensor:
    """Give every modulation of one moment, [1, 17 x hidden]; ``time`` in thousandths, in the model's precision."""
    # Divided and multiplied by 1000 in the model's own precision: so does the stock pipeline, and in bfloat16
    # that moves the time step.
    embedding = transformer.time_guidance_embed((time / 1000 * 1000).reshape(1), None)
    out = transformer.norm_out
    parts = (
        transformer.double_stream_modulation_img(embedding),
        transformer.double_stream_modulation_txt(embedding),
        transformer.single_stream_modulation(embedding),
        out.linear(out.silu(embedding).to(embedding.dtype)),
    )
    return torch.cat(parts, dim=1)
