"""The noise schedule and all that depends on it alone: time steps, their embeddings, every modulation.

Letters in shapes: S steps, D width of the hidden states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MODULATIONS = 17
"""Vectors of width D per step: six for pictures, six for text, three for single blocks, two for the output."""


AttentionScales = Callable[[Tensor], Tensor | None]
"""Compute one step's scales for attention in fp8, [blocks, 4], from its modulation; None where attention is wide."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The constants of every step, one row per step, on the device."""

    steps: int
    modulation: Tensor
    """[S, 17 x D] in the model's dtype."""
    sigma: Tensor
    """[S] float32: the noise level at which a step begins."""
    dt: Tensor
    """[S] float32: the next noise level less this one."""
    attention_scales: Tensor | None = None
    """[S, blocks, 4] float32: scales for attention in fp8; None where attention is wide."""


def time_shift(image_tokens: int, steps: int) -> float:
    """Compute the model authors' empirical time shift: two straight lines over the token count, blended by steps."""
    at_200 = 0.00016927 * image_tokens + 0.45666666
    if image_tokens > 4300:
        return float(at_200)
    at_10 = 8.73809524e-05 * image_tokens + 1.89833333
    slope = (at_200 - at_10) / 190.0
    return float(slope * steps + at_200 - 200.0 * slope)


def sigmas_of(scheduler: Any, image_tokens: int, steps: int) -> tuple[Tensor, Tensor]:
    """Return the noise levels [S + 1] and the time steps [S], both float32 on the CPU."""
    mu = time_shift(image_tokens, steps)
    if getattr(scheduler.config, "use_flow_sigmas", False):
        scheduler.set_timesteps(steps, device="cpu", mu=mu)
    else:
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), device="cpu", mu=mu)
    return scheduler.sigmas.clone(), scheduler.timesteps.clone()


@torch.inference_mode()
def build_schedule(
    transformer: nn.Module, scheduler: Any, image_tokens: int, steps: int,
    attention_scales: AttentionScales = lambda row: None, caches_reference: bool = False,
) -> Schedule:  # fmt: skip
    """Run the embedder and the modulation layers once for every step of the schedule.

    With ``caches_reference`` one set of attention scales holds for all steps and for reading the reference.
    """
    sigmas, times = sigmas_of(scheduler, image_tokens, steps)
    weight = transformer.x_embedder.weight
    rows = [modulation_of(transformer, time.to(weight.dtype)) for time in times.to(weight.device)]
    sigmas = sigmas.to(weight.device)
    scaled = [scales for scales in map(attention_scales, rows) if scales is not None]
    attention = torch.stack(scaled) if scaled else None
    if attention is not None and caches_reference:
        reading = attention_scales(modulation_of(transformer, times.to(weight)[0] * 0))
        attention = attention if reading is None else shared_scales(torch.cat([attention, reading[None]]))[:-1]
    return Schedule(len(rows), torch.cat(rows), sigmas[:-1].clone(), sigmas[1:] - sigmas[:-1], attention)


def shared_scales(scales: Tensor) -> Tensor:
    """Give every row of [n, blocks, 4] the largest scales of all rows, and the inverse that goes with them."""
    largest = scales.amax(0, keepdim=True)
    return torch.cat([largest[..., :3], 1 / largest[..., 2:3]], dim=-1).expand_as(scales).contiguous()


@torch.inference_mode()
def modulation_of(transformer: Any, time: Tensor) -> Tensor:
    """Compute every modulation of one time step, [1, 17 x D]; ``time`` is in thousandths, in the model's dtype."""
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
