"""The static buffers in which one shape is drawn: a captured graph reads and writes these tensors and no others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from streamer.generator.klein.model import KleinModel
from streamer.generator.klein.reference_kv_cache import ReferenceKVCache, blank_kv_cache
from streamer.generator.klein.schedule import MODULATIONS, Schedule
from streamer.generator.klein.shapes import Shape


@dataclass(slots=True)
class StaticBuffers:
    """Everything that a step or a decode reads and writes; the tensors never move as long as this object lives.

    Tensors have the model's dtype unless said otherwise.
    """

    shape: Shape
    tokens: Tensor
    """[1, image + reference tokens, C]: the picture being drawn, then the picture being edited."""
    context: Tensor
    """[1, text tokens, D]: the prompt, already through the context embedder."""
    modulation: Tensor
    """[1, 17 x D]: this step's row of the schedule."""
    attention_scales: Tensor
    """[blocks, 4] float32: this step's scales for attention in fp8."""
    sigma: Tensor
    """[] float32: the noise level of this step."""
    dt: Tensor
    """[] float32: the change of the noise level in this step, which is negative."""
    rope: tuple[Tensor, Tensor]
    """Cosines and sines, each [L, head size] float32, for text, picture and reference in that order."""
    preview_colours: Tensor | None
    """[C + 1, 3] float32: the linear map from tokens to preview colours; None turns previews off."""
    preview: Tensor
    """[rows, columns, 3] uint8: the preview."""
    pixels: Tensor
    """[height, width, 3] uint8: the finished picture."""
    all_finite: Tensor
    """[] bool: False if a NaN or an infinity occurred in the last decode."""
    kv_cache: ReferenceKVCache | None = None
    """The keys and values of the reference; None where its tokens go through every step."""

    @property
    def latents(self) -> Tensor:
        """The tokens of the picture being drawn, [1, image tokens, C]."""
        return self.tokens[:, : self.shape.image_tokens]

    @property
    def step_tokens(self) -> Tensor:
        """The tokens that a step carries through the blocks: the picture's, and the reference's unless cached."""
        return self.tokens if self.kv_cache is None else self.latents

    @property
    def hidden(self) -> int:
        """The width D of the transformer's hidden states."""
        return self.modulation.shape[1] // MODULATIONS

    @property
    def image_modulation(self) -> Tensor:
        """[1, 6 x D]: shift, scale and gate of the double blocks, twice."""
        return self.modulation[:, : 6 * self.hidden]

    @property
    def text_modulation(self) -> Tensor:
        """[1, 6 x D]: the same for text."""
        return self.modulation[:, 6 * self.hidden : 12 * self.hidden]

    @property
    def single_modulation(self) -> Tensor:
        """[1, 3 x D]: shift, scale and gate of the single blocks."""
        return self.modulation[:, 12 * self.hidden : 15 * self.hidden]

    @property
    def out_modulation(self) -> Tensor:
        """[1, 2 x D]: scale and shift of the last norm."""
        return self.modulation[:, 15 * self.hidden :]

    def set_step(self, schedule: Schedule, index: int) -> None:
        """Copy one step's constants in; nothing waits for the device."""
        self.modulation.copy_(schedule.modulation[index : index + 1], non_blocking=True)
        if schedule.attention_scales is not None:
            self.attention_scales.copy_(schedule.attention_scales[index], non_blocking=True)
        self.sigma.copy_(schedule.sigma[index], non_blocking=True)
        self.dt.copy_(schedule.dt[index], non_blocking=True)


def blank_buffers(
    shape: Shape, model: KleinModel, rope: tuple[Tensor, Tensor], preview_colours: Tensor | None
) -> StaticBuffers:
    """Allocate the buffers of one shape."""
    on, dtype, hidden = {"device": model.device}, model.dtype, model.hidden
    caches = model.caches_references and shape.reference is not None
    return StaticBuffers(
        shape=shape,
        tokens=torch.zeros(1, shape.image_tokens + shape.reference_tokens, model.channels, dtype=dtype, **on),
        context=torch.zeros(1, shape.text_tokens, hidden, dtype=dtype, **on),
        modulation=torch.zeros(1, MODULATIONS * hidden, dtype=dtype, **on),
        attention_scales=torch.ones(model.blocks, 4, **on),
        sigma=torch.zeros((), **on),
        dt=torch.zeros((), **on),
        rope=rope,
        preview_colours=preview_colours,
        preview=torch.zeros(shape.rows, shape.columns, 3, dtype=torch.uint8, **on),
        pixels=torch.zeros(shape.height, shape.width, 3, dtype=torch.uint8, **on),
        all_finite=torch.ones((), dtype=torch.bool, **on),
        kv_cache=blank_kv_cache(model.transformer, shape.reference_tokens, dtype, model.device) if caches else None,
    )
