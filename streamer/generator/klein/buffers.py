"""The fixed memory one shape is drawn in: a captured graph reads and writes these tensors and no others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from streamer.generator.klein.model import Model
from streamer.generator.klein.reference_kv_cache import ReferenceKVCache, blank_kv_cache
from streamer.generator.klein.schedule import MODULATIONS, Schedule
from streamer.generator.klein.shapes import Shape


@dataclass(slots=True)
class StaticBuffers:
    """Everything a step or a decode touches; the tensors stay where they are for as long as the canvas lives."""

    shape: Shape
    tokens: Tensor
    """[1, image + reference tokens, channels]: the picture being drawn, then the one being edited."""
    context: Tensor
    """[1, text tokens, hidden]: the prompt, already through the context embedder."""
    modulation: Tensor
    """[1, 17 x hidden]: this step's row of the schedule."""
    attention: Tensor
    """[blocks, 4]: this step's scales for attention in fp8."""
    sigma: Tensor
    change: Tensor
    rope: tuple[Tensor, Tensor]
    colours: Tensor | None
    """[channels + 1, 3]: what turns tokens into preview colours; None for no previews."""
    small: Tensor
    """[rows, columns, 3] uint8: the preview."""
    pixels: Tensor
    """[height, width, 3] uint8: the picture."""
    finite: Tensor
    """One boolean: False once a NaN or an infinity was met."""
    memory: ReferenceKVCache | None = None
    """What a KV checkpoint keeps of the reference; None where its tokens go through every step."""

    @property
    def latents(self) -> Tensor:
        return self.tokens[:, : self.shape.image_tokens]

    @property
    def seen(self) -> Tensor:
        """What a step carries through the blocks: the picture, and the reference unless it was read before."""
        return self.tokens if self.memory is None else self.latents

    @property
    def hidden(self) -> int:
        return self.modulation.shape[1] // MODULATIONS

    @property
    def image_modulation(self) -> Tensor:
        return self.modulation[:, : 6 * self.hidden]

    @property
    def text_modulation(self) -> Tensor:
        return self.modulation[:, 6 * self.hidden : 12 * self.hidden]

    @property
    def single_modulation(self) -> Tensor:
        return self.modulation[:, 12 * self.hidden : 15 * self.hidden]

    @property
    def out_modulation(self) -> Tensor:
        return self.modulation[:, 15 * self.hidden :]

    def set_step(self, schedule: Schedule, index: int) -> None:
        """Put one step's constants where the step will look for them; nothing waits for the device."""
        self.modulation.copy_(schedule.modulation[index : index + 1], non_blocking=True)
        if schedule.attention is not None:
            self.attention.copy_(schedule.attention[index], non_blocking=True)
        self.sigma.copy_(schedule.sigma[index], non_blocking=True)
        self.change.copy_(schedule.change[index], non_blocking=True)


def blank_buffers(shape: Shape, model: Model, rope: tuple[Tensor, Tensor], colours: Tensor | None) -> StaticBuffers:
    """Allocate the memory of one shape."""
    on, dtype, hidden = {"device": model.device}, model.dtype, model.hidden
    keeps = model.keeps_references and shape.reference is not None
    return StaticBuffers(
        shape=shape,
        tokens=torch.zeros(1, shape.image_tokens + shape.reference_tokens, model.channels, dtype=dtype, **on),
        context=torch.zeros(1, shape.text_tokens, hidden, dtype=dtype, **on),
        modulation=torch.zeros(1, MODULATIONS * hidden, dtype=dtype, **on),
        attention=torch.ones(model.blocks, 4, **on),
        sigma=torch.zeros((), **on),
        change=torch.zeros((), **on),
        rope=rope,
        colours=colours,
        small=torch.zeros(shape.rows, shape.columns, 3, dtype=torch.uint8, **on),
        pixels=torch.zeros(shape.height, shape.width, 3, dtype=torch.uint8, **on),
        finite=torch.ones((), dtype=torch.bool, **on),
        memory=blank_kv_cache(model.transformer, shape.reference_tokens, dtype, model.device) if keeps else None,
    )
