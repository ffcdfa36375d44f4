"""What stands ready for one shape: its memory, its schedules, and the functions that draw in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from streamer.generator.klein import schedule
from streamer.generator.klein.buffers import StaticBuffers, blank_buffers
from streamer.generator.klein.cuda_graphs import Run
from streamer.generator.klein.denoise import Velocity, step
from streamer.generator.klein.device import AsyncHostCopy
from streamer.generator.klein.model import Model
from streamer.generator.klein.reference_kv_cache import read_reference
from streamer.generator.klein.rotary import rotary_tables
from streamer.generator.klein.schedule import Bounds, Schedule
from streamer.generator.klein.shapes import Shape
from streamer.generator.klein.vae import Decoder, decode


@dataclass(slots=True)
class ShapePlan:
    """One shape's canvas and how to draw in it; ``schedules`` holds one per number of steps."""

    canvas: StaticBuffers
    step: Run
    decode: Run
    read: Run | None
    """Read the reference before the first step; None where there is none, or where its tokens go through every step."""
    previews: AsyncHostCopy
    finite: AsyncHostCopy
    bounds: Bounds
    schedules: dict[int, Schedule] = field(default_factory=dict)

    def schedule(self, model: Model, steps: int) -> Schedule:
        """Give the schedule for a number of steps, computing it the first time."""
        if steps not in self.schedules:
            tokens = self.canvas.shape.image_tokens
            self.schedules[steps] = schedule.build(
                model.transformer, model.scheduler, tokens, steps, self.bounds, self.canvas.memory is not None
            )
        return self.schedules[steps]


def plan_shape(model: Model, shape: Shape, colours: Tensor | None, velocity: Velocity, decoder: Decoder) -> ShapePlan:
    """Allocate a shape's memory, with functions that run at once; tune.py may make graphs of them."""
    rope = rotary_tables(model.transformer.pos_embed, shape, model.device)
    canvas = blank_buffers(shape, model, rope, colours)
    return ShapePlan(
        canvas=canvas,
        step=partial(step, canvas, velocity),
        decode=partial(decode, canvas, model.vae, decoder),
        read=None if canvas.memory is None else _reader(canvas, model, velocity),
        previews=AsyncHostCopy(canvas.small),
        finite=AsyncHostCopy(canvas.finite, slots=1),
        bounds=getattr(velocity, "bounds", lambda modulation: None),
    )


def _reader(canvas: StaticBuffers, model: Model, velocity: Velocity) -> Run:
    """Read a reference by the step's own fast way where it has one."""
    fast: Callable[[StaticBuffers], None] | None = getattr(velocity, "read", None)
    return partial(read_reference, canvas, model.transformer) if fast is None else partial(fast, canvas)
