"""Compare faster implementations with the stock ones on fixed noise; one that exceeds its error bound is not used."""

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
    "reference KV cache": 0.05,
    "graphs": 0.02,
    "text": 0.12,
    "jpeg": 0.05,
}
"""The largest relative error of one velocity (for text, of the hidden states); docs/SPEED.md lists the usual ones."""
DECODER_BOUND = 0.03


@dataclass(frozen=True, slots=True)
class ErrorCheck:
    """The relative error of an optimization against the stock implementation, and the bound it must keep."""

    optimization: str
    error: float
    bound: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the bound; a NaN compares as False, so it never passes."""
        return self.error <= self.bound

    def __str__(self) -> str:
        return f"{self.optimization}: relative error {self.error:.2g} (bound {self.bound:g})"


def relative_error(value: Tensor, truth: Tensor) -> float:
    """Compute ||value - truth|| / ||truth||, in the norm over all elements."""
    truth = truth.float()
    return float((value.float() - truth).norm() / truth.norm().clamp(min=1e-12))


@torch.inference_mode()
def check_velocity(
    optimization: str,
    fast: Callable[[StaticBuffers], Tensor],
    stock: Callable[[StaticBuffers], Tensor],
    buffers: StaticBuffers,
) -> ErrorCheck:
    """Compare two implementations of the velocity on what the buffers hold."""
    return ErrorCheck(optimization, relative_error(fast(buffers), stock(buffers)), BOUNDS[optimization])


def fill_fixed_noise(buffers: StaticBuffers) -> None:
    """Fill picture, reference and prompt with noise from a fixed seed."""
    seeded = torch.Generator("cpu").manual_seed(20)
    for tensor in (buffers.tokens, buffers.context):
        tensor.copy_(torch.randn(tensor.shape, generator=seeded))


FIRST_LAYER = (1,)
"""After one layer nothing is amplified yet: two implementations must agree here whatever the checkpoint."""
PERTURBATION = 0.01
"""A relative perturbation smaller than the error of rounding to eight bits."""


@torch.inference_mode()
def check_text_layers(
    fast: Layers, stock: Layers, states: Tensor, rotary_and_mask: tuple[tuple[Tensor, Tensor], Tensor],
    taps: tuple[int, ...] = TAPS, optimization: str = "text",
) -> tuple[ErrorCheck, ErrorCheck]:  # fmt: skip
    """Compare two implementations of a text model's layers on hidden states [1, n, d], after one layer and at ``taps``.

    After one layer they must agree closely. At the end they must agree as closely as rounding allows: a language model
    amplifies rounding, a random one up to a third of its output. How much this one amplifies is measured by perturbing
    the input of the stock implementation.
    """
    early = relative_error(
        fast(states, *rotary_and_mask, FIRST_LAYER)[0], stock(states, *rotary_and_mask, FIRST_LAYER)[0]
    )
    truth = torch.cat(stock(states, *rotary_and_mask, taps), dim=-1)
    seeded = torch.Generator(states.device).manual_seed(3)
    noise = torch.randn(states.shape, generator=seeded, device=states.device, dtype=states.dtype)
    perturbed = torch.cat(stock(states * (1 + PERTURBATION * noise), *rotary_and_mask, taps), dim=-1)
    allowed = max(BOUNDS["text"], 1.5 * relative_error(perturbed, truth))
    whole = relative_error(torch.cat(fast(states, *rotary_and_mask, taps), dim=-1), truth)
    return (
        ErrorCheck(f"{optimization}, one layer", early, BOUNDS["text"]),
        ErrorCheck(optimization, whole, allowed),
    )
