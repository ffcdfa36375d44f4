"""Draw pictures with one loaded checkpoint, by the fastest way that was found to be right."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial

import torch
from PIL import Image
from torch import Tensor

from streamer.errors import BackendError
from streamer.generator.backend import Pixels, StepCallback
from streamer.generator.klein import text_encoder
from streamer.generator.klein.cuda_graphs import Run
from streamer.generator.klein.denoise import Velocity, stock_velocity
from streamer.generator.klein.device_picture import DevicePicture
from streamer.generator.klein.model import Model
from streamer.generator.klein.noise import noise_of
from streamer.generator.klein.preview import fit_colours
from streamer.generator.klein.reference_image import reference_size, to_pixels
from streamer.generator.klein.shape_plan import ShapePlan, plan_shape
from streamer.generator.klein.shapes import Shape, whole_patches
from streamer.generator.klein.vae import Decoder, encode_picture, stock_decoder
from streamer.lru import LruDict

DISTILLED_STEPS = 4


@dataclass(frozen=True, slots=True)
class DrawJob:
    """What to draw; ``noise`` [1, channels, rows, columns] stands in for the seed's own in comparisons."""

    prompt: str
    width: int
    height: int
    steps: int = DISTILLED_STEPS
    seed: int = 0
    reference: Image.Image | None = None
    noise: Tensor | None = None


IMPROVISED = 4
"""Shapes kept ready that nobody announced: odd sizes and references."""


class Engine:
    """Own the model and everything prepared for it; belongs to one thread, to which captured graphs are bound.

    ``ready`` and ``improvised`` say how shapes are drawn; tune.py puts faster ways in as it finds them right, the text
    model's layers on fused kernels (``fused_text``) among them.
    """

    def __init__(
        self, model: Model, *, text_tokens: int = 512, remembered: int = 32, reference_px: int = 512,
        previews: bool = True, gpu_jpeg: bool = False, deadline_s: float = 60.0,
    ) -> None:  # fmt: skip
        self.model = model
        self.text_tokens, self._reference_px = text_tokens, reference_px
        self.gpu_jpeg, self._deadline_s = gpu_jpeg, deadline_s
        self.memory = text_encoder.PromptCache(remembered)
        self.colours = fit_colours(model.vae) if previews else None
        self.velocity: Velocity = stock_velocity(model.transformer)
        self.decoder: Decoder = stock_decoder(model.vae)
        self.words = text_encoder.blank_text_buffers(text_tokens, model.hidden, model.dtype, model.device)
        self.encode: Run = self._plain_encode()
        self.fused_text: text_encoder.Layers | None = None
        self.ready: dict[Shape, ShapePlan] = {}
        self._improvised: LruDict[Shape, ShapePlan] = LruDict(IMPROVISED)

    def shape_of(self, job: DrawJob) -> Shape:
        """Give the shape a job is drawn in."""
        width, height = whole_patches(job.width, job.height)
        reference = None if job.reference is None else reference_size(*job.reference.size, self._reference_px)
        return Shape(width, height, self.text_tokens, reference)

    def draw(self, job: DrawJob) -> Generator[StepCallback | DevicePicture, None, None]:
        """Yield a Step after each denoising step, one step behind the device, then the picture."""
        began, prepared = time.monotonic(), self._place_for(self.shape_of(job))
        schedule = prepared.schedule(self.model, job.steps)
        prepared.canvas.set_step(schedule, 0)
        self._set_scene(prepared, job)
        for index in range(schedule.steps):
            prepared.canvas.set_step(schedule, index)
            prepared.step()
            prepared.previews.start(index, prepared.canvas.small)
            if index:
                yield self._seen(prepared, index, schedule.steps)
                self._hurry(began)
        prepared.decode()
        prepared.finite.start(0, prepared.canvas.finite)
        yield self._seen(prepared, schedule.steps, schedule.steps)
        self._hurry(began)
        if not bool(prepared.finite.take(0)):
            raise BackendError(
                "the model's numbers overflowed", fix="set generator.backends.klein.precision to bfloat16"
            )
        yield DevicePicture(prepared.canvas.pixels.clone(), self.gpu_jpeg)

    def go_plain(self) -> None:
        """Drop every fast way and the memory it holds; pictures come out the same, later."""
        self.ready.clear()
        self._improvised.clear()
        self.velocity = stock_velocity(self.model.transformer)
        self.decoder = stock_decoder(self.model.vae)
        self.encode, self.fused_text = self._plain_encode(), None

    def encode_with(self, layers: text_encoder.Layers) -> Run:
        """Give what encodes the words by a way of running the text model's layers."""
        return partial(
            text_encoder.encode, self.words, self.model.encoder, self.model.transformer.context_embedder, layers
        )

    def _plain_encode(self) -> Run:
        return self.encode_with(text_encoder.stock_layers(self.model.encoder))

    def forget_improvised(self) -> None:
        """Drop shapes that nobody announced, so that they are made anew with what is in use now."""
        self._improvised.clear()

    def _place_for(self, shape: Shape) -> ShapePlan:
        if shape in self.ready:
            return self.ready[shape]
        plan = self._improvised.get(shape)
        if plan is None:
            plan = plan_shape(self.model, shape, self.colours, self.velocity, self.decoder)
        self._improvised.put(shape, plan)
        return plan

    def _set_scene(self, prepared: ShapePlan, job: DrawJob) -> None:
        """Put prompt, noise and reference on the canvas."""
        canvas = prepared.canvas
        canvas.context.copy_(self._context(job.prompt), non_blocking=True)
        canvas.latents.copy_(self._noise(canvas.shape, job), non_blocking=True)
        if job.reference is not None and canvas.shape.reference is not None:
            pixels = to_pixels(job.reference, canvas.shape.reference).to(self.model.device)
            with torch.inference_mode():
                canvas.tokens[:, canvas.shape.image_tokens :].copy_(encode_picture(self.model.vae, pixels))
            if prepared.read is not None:
                prepared.read()

    def _context(self, prompt: str) -> Tensor:
        known = self.memory.recall(prompt, self.text_tokens)
        if known is not None:
            return known
        ids, real = text_encoder.tokenize(self.model.tokenizer, prompt, self.text_tokens)
        self.words.ids.copy_(ids)
        self.words.real.copy_(real)
        self.encode()
        self.memory.keep(prompt, self.text_tokens, self.words.context)
        return self.words.context

    def _noise(self, shape: Shape, job: DrawJob) -> Tensor:
        """Give the noise to begin with, [1, tokens, channels]."""
        model, noise = self.model, job.noise
        if noise is None:
            noise = noise_of(job.seed, model.channels, shape.rows, shape.columns, model.dtype, model.device)
        return noise.to(model.device, model.dtype).flatten(2).permute(0, 2, 1)

    def _seen(self, prepared: ShapePlan, step: int, steps: int) -> StepCallback:
        """Wait for the preview of a step while the device works on the next."""
        small = prepared.previews.take(step - 1)
        pixels: Pixels | None = None if self.colours is None else small.numpy().copy()
        return StepCallback(step, steps, pixels)

    def _hurry(self, began: float) -> None:
        if time.monotonic() - began > self._deadline_s:
            raise BackendError(f"the picture took longer than {self._deadline_s:g} s")
