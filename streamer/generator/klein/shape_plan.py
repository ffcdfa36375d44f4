"""The plan of one shape: its buffers, its rotary tables, its schedules, and the functions that draw in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from streamer.generator.klein.buffers import StaticBuffers, blank_buffers
from streamer.generator.klein.cuda_graphs import Run
from streamer.generator.klein.denoise import Velocity, step
from streamer.generator.klein.device import AsyncHostCopy
from streamer.generator.klein.model import KleinModel
from streamer.generator.klein.reference_kv_cache import read_reference
from streamer.generator.klein.schedule import AttentionScales, Schedule, build_schedule
from streamer.generator.klein.shapes import PATCH, Shape
from streamer.generator.klein.vae import Decoder, decode
from streamer.types import Lora

REFERENCE_TIME = 10
"""The time coordinate that the model was trained to see on the first picture it is given to edit."""


@dataclass(slots=True)
class ShapePlan:
    """One shape's buffers and how to draw in them; ``schedules`` has one for each number of steps and set of LoRAs."""

    buffers: StaticBuffers
    step: Run
    decode: Run
    read_reference: Run | None
    """Fill the KV cache before the first step; None without a reference, or where its tokens go through every step."""
    previews: AsyncHostCopy
    all_finite: AsyncHostCopy
    attention_scales: AttentionScales
    schedules: dict[tuple[int, tuple[Lora, ...]], Schedule] = field(default_factory=dict)

    def schedule(self, model: KleinModel, steps: int, loras: tuple[Lora, ...] = ()) -> Schedule:
        """Return the schedule for a number of steps with the LoRAs in use; compute it the first time."""
        key = (steps, loras)
        if key not in self.schedules:
            self.schedules[key] = build_schedule(
                model.transformer,
                model.scheduler,
                self.buffers.shape.image_tokens,
                steps,
                self.attention_scales,
                self.buffers.kv_cache is not None,
            )
        return self.schedules[key]


def plan_shape(
    model: KleinModel, shape: Shape, preview_colours: Tensor | None, velocity: Velocity, decoder: Decoder
) -> ShapePlan:
    """Allocate a shape's buffers, with functions that run eagerly; warmup.py may capture graphs of them."""
    rope = rotary_tables(model.transformer.pos_embed, shape, model.device)
    buffers = blank_buffers(shape, model, rope, preview_colours)
    return ShapePlan(
        buffers=buffers,
        step=partial(step, buffers, velocity),
        decode=partial(decode, buffers, model.vae, decoder),
        read_reference=None if buffers.kv_cache is None else _reference_reader(buffers, model, velocity),
        previews=AsyncHostCopy(buffers.preview),
        all_finite=AsyncHostCopy(buffers.all_finite, slots=1),
        attention_scales=getattr(velocity, "attention_scales", lambda modulation: None),
    )


def _reference_reader(buffers: StaticBuffers, model: KleinModel, velocity: Velocity) -> Run:
    """Read a reference by the velocity's own implementation where it has one."""
    fast: Callable[[StaticBuffers], None] | None = getattr(velocity, "read_reference", None)
    return partial(read_reference, buffers, model.transformer) if fast is None else partial(fast, buffers)


def rotary_tables(pos_embed: nn.Module, shape: Shape, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return cosines and sines, each [L, head size] float32, for text, picture and reference in that order.

    They depend on the shape alone, so they are computed once, in double precision.
    """
    cosines, sines = zip(*(pos_embed(ids.to(device)) for ids in _coordinates(shape)), strict=True)
    return torch.cat(cosines), torch.cat(sines)


def _coordinates(shape: Shape) -> list[Tensor]:
    """List the (time, row, column, text position) coordinates of each run of tokens, each [tokens, 4]."""
    runs = [_grid(0, 1, 1, shape.text_tokens), _grid(0, shape.rows, shape.columns, 1)]
    if shape.reference is not None:
        width, height = shape.reference
        runs.append(_grid(REFERENCE_TIME, height // PATCH, width // PATCH, 1))
    return runs


def _grid(time: int, rows: int, columns: int, text_positions: int) -> Tensor:
    axes = (torch.tensor([time]), torch.arange(rows), torch.arange(columns), torch.arange(text_positions))
    return torch.cartesian_prod(*axes)
