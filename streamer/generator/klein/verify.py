"""Hold each faster way against the plain one on a fixed latent: what errs more than its bound is not used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from streamer.generator.klein.buffers import StaticBuffers
from streamer.generator.klein.text_encoder import TAPS, Layers

BOUNDS = {
    "attention": 0.02,
    "kernels": 0.05,
    "fp8 attention": 0.05,
    "compile": 0.03,
    "kept reference": 0.05,
    "graphs": 0.02,
    "text": 0.12,
    "jpeg": 0.05,
}
"""Largest relative error of one velocity (of hidden states for text); docs/SPEED.md lists what is usual."""
DECODER_BOUND = 0.03


@dataclass(frozen=True, slots=True)
class ErrorCheck:
    """How far a rung was from the plain way, and whether that is near enough."""

    rung: str
    error: float
    bound: float

    @property
    def passed(self) -> bool:
        """A NaN compares as False, so it never passes."""
        return self.error <= self.bound

    def __str__(self) -> str:
        return f"{self.rung}: relative error {self.error:.2g} (bound {self.bound:g})"


def relative_error(value: Tensor, truth: Tensor) -> float:
    """Give the norm of the difference over the norm of the truth."""
    truth = truth.float()
    return float((value.float() - truth).norm() / truth.norm().clamp(min=1e-12))


@torch.inference_mode()
def judge(
    rung: str, fast: Callable[[StaticBuffers], Tensor], plain: Callable[[StaticBuffers], Tensor], canvas: StaticBuffers
) -> ErrorCheck:
    """Compare two ways of predicting the velocity of what is on the canvas."""
    return ErrorCheck(rung, relative_error(fast(canvas), plain(canvas)), BOUNDS[rung])


def fixed_scene(canvas: StaticBuffers) -> None:
    """Put noise from a fixed seed where the picture, the reference and the prompt stand."""
    seeded = torch.Generator("cpu").manual_seed(20)
    for tensor in (canvas.tokens, canvas.context):
        tensor.copy_(torch.randn(tensor.shape, generator=seeded))


EARLY = (1,)
"""So few layers that nothing is amplified yet: here two ways must agree whatever the checkpoint."""
NUDGE = 0.01
"""A relative disturbance that is smaller than what rounding to eight bits makes."""


@torch.inference_mode()
def judge_text(
    fast: Layers, plain: Layers, states: Tensor, around: tuple[tuple[Tensor, Tensor], Tensor],
    taps: tuple[int, ...] = TAPS, rung: str = "text",
) -> tuple[ErrorCheck, ErrorCheck]:  # fmt: skip
    """Compare two ways of running a text model's layers on words that are embedded (or have come through others).

    Near after one layer, and at the end as near as rounding allows: a language model amplifies rounding, a random one
    up to a third of its output; how much this one does is seen by nudging the input of the plain way.
    """
    early = relative_error(fast(states, *around, EARLY)[0], plain(states, *around, EARLY)[0])
    truth = torch.cat(plain(states, *around, taps), dim=-1)
    seeded = torch.Generator(states.device).manual_seed(3)
    noise = torch.randn(states.shape, generator=seeded, device=states.device, dtype=states.dtype)
    nudged = torch.cat(plain(states * (1 + NUDGE * noise), *around, taps), dim=-1)
    allowed = max(BOUNDS["text"], 1.5 * relative_error(nudged, truth))
    whole = relative_error(torch.cat(fast(states, *around, taps), dim=-1), truth)
    return ErrorCheck(f"{rung}, one layer", early, BOUNDS["text"]), ErrorCheck(rung, whole, allowed)
