"""Draw pictures with one loaded checkpoint, by the fastest implementation that was verified."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
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
from streamer.generator.klein.model import KleinModel
from streamer.generator.klein.noise import noise_of
from streamer.generator.klein.preview import fit_preview_colours
from streamer.generator.klein.reference_image import reference_size, to_pixels
from streamer.generator.klein.shape_plan import ShapePlan, plan_shape
from streamer.generator.klein.shapes import Shape, whole_patches
from streamer.generator.klein.vae import Decoder, encode_picture, stock_decoder
from streamer.generator.lora.switch import LoraSwitch, use_loras
from streamer.lru import LruDict
from streamer.types import Lora

DISTILLED_STEPS = 4
MAX_AD_HOC_PLANS = 4
"""How many plans are kept of shapes that nobody announced: odd sizes and references."""


@dataclass(frozen=True, slots=True)
class EngineJob:
    """One picture to draw; sizes in pixels.

    ``noise`` [1, C, rows, columns], where given, replaces the noise of the seed: comparisons need that.
    ``loras`` are those of its style.
    """

    prompt: str
    width: int
    height: int
    steps: int = DISTILLED_STEPS
    seed: int = 0
    reference: Image.Image | None = None
    noise: Tensor | None = None
    loras: tuple[Lora, ...] = ()


class Engine:
    """Own the model and everything prepared for it; belongs to one thread, to which captured graphs are bound.

    ``plans`` holds the shapes that are prepared. WarmUp replaces velocity, decoder, text encoding and plans by faster
    implementations as it verifies them.
    """

    def __init__(
        self, model: KleinModel, *, text_tokens: int = 512, prompt_cache_size: int = 32, reference_px: int = 512,
        previews: bool = True, gpu_jpeg: bool = False, deadline_s: float = 60.0, loras: LoraSwitch | None = None,
    ) -> None:  # fmt: skip
        self.model = model
        self.text_tokens, self._reference_px = text_tokens, reference_px
        self.gpu_jpeg, self._deadline_s, self._loras = gpu_jpeg, deadline_s, loras
        self.prompt_cache = text_encoder.PromptCache(prompt_cache_size)
        self.preview_colours = fit_preview_colours(model.vae) if previews else None
        self.velocity: Velocity = stock_velocity(model.transformer)
        self.decoder: Decoder = stock_decoder(model.vae)
        self.text_buffers = text_encoder.blank_text_buffers(
            text_tokens, model.hidden, model.dtype, model.device, model.embedded_width
        )
        self.encode: Run = self._stock_encode()
        self.fused_text_layers: text_encoder.Layers | None = None
        self.plans: dict[Shape, ShapePlan] = {}
        self._ad_hoc_plans: LruDict[Shape, ShapePlan] = LruDict(MAX_AD_HOC_PLANS)

    def shape_of(self, job: EngineJob) -> Shape:
        """Return the shape in which a job is drawn."""
        width, height = whole_patches(job.width, job.height)
        reference = None if job.reference is None else reference_size(*job.reference.size, self._reference_px)
        return Shape(width, height, self.text_tokens, reference)

    def draw(self, job: EngineJob) -> Generator[StepCallback | DevicePicture, None, None]:
        """Yield a StepCallback per denoising step, one step behind the device, then the picture.

        Raises BackendError past the deadline, or if a number is not finite; torch.OutOfMemoryError passes through.
        """
        began, plan = time.monotonic(), self.plan_for(self.shape_of(job))
        self.use_loras(job.loras)
        schedule = plan.schedule(self.model, job.steps, job.loras)
        plan.buffers.set_step(schedule, 0)
        self._set_inputs(plan, job)
        for index in range(schedule.steps):
            plan.buffers.set_step(schedule, index)
            plan.step()
            plan.previews.start(index, plan.buffers.preview)
            if index:
                yield self._step_callback(plan, index, schedule.steps)
                self._check_deadline(began)
        plan.decode()
        plan.all_finite.start(0, plan.buffers.all_finite)
        yield self._step_callback(plan, schedule.steps, schedule.steps)
        self._check_deadline(began)
        if not bool(plan.all_finite.take(0)):
            raise BackendError(
                "the model's numbers overflowed", fix="set generator.backends.klein.precision to bfloat16"
            )
        yield DevicePicture(plan.buffers.pixels.clone(), self.gpu_jpeg)

    def use_loras(self, loras: tuple[Lora, ...]) -> None:
        """Draw with these LoRAs from now on; no graph is captured and nothing compiled again.

        Raises BackendError for one that was not named at the start.
        """
        refresh: Callable[[], None] | None = getattr(self.velocity, "weights_changed", None)
        if use_loras(self._loras, loras) and refresh is not None:
            refresh()

    def plan_for(self, shape: Shape) -> ShapePlan:
        """Return the plan of a shape; one that nobody announced gets an ad-hoc plan, of which few are kept."""
        if shape in self.plans:
            return self.plans[shape]
        plan = self._ad_hoc_plans.get(shape)
        if plan is None:
            plan = plan_shape(self.model, shape, self.preview_colours, self.velocity, self.decoder)
        self._ad_hoc_plans.put(shape, plan)
        return plan

    def forget_ad_hoc_plans(self) -> None:
        """Drop the ad-hoc plans, so that they are made again with the implementations now in use."""
        self._ad_hoc_plans.clear()

    def fall_back_to_eager(self) -> None:
        """Drop every optimized implementation and its memory; pictures stay the same and take longer."""
        self.plans.clear()
        self._ad_hoc_plans.clear()
        self.velocity = stock_velocity(self.model.transformer)
        self.decoder = stock_decoder(self.model.vae)
        self.encode, self.fused_text_layers = self._stock_encode(), None

    def encode_with(self, layers: text_encoder.Layers) -> Run:
        """Return a function that encodes ``text_buffers`` with an implementation of the text model's layers."""
        return partial(
            text_encoder.encode, self.text_buffers, self.model.encoder, self.model.transformer.context_embedder, layers
        )

    def _stock_encode(self) -> Run:
        return self.encode_with(text_encoder.stock_layers(self.model.encoder))

    def _set_inputs(self, plan: ShapePlan, job: EngineJob) -> None:
        """Put prompt, noise and reference into the buffers."""
        buffers = plan.buffers
        buffers.context.copy_(self._context(job.prompt, job.loras), non_blocking=True)
        buffers.latents.copy_(self._noise(buffers.shape, job), non_blocking=True)
        if job.reference is not None and buffers.shape.reference is not None:
            pixels = to_pixels(job.reference, buffers.shape.reference).to(self.model.device)
            with torch.inference_mode():
                buffers.tokens[:, buffers.shape.image_tokens :].copy_(encode_picture(self.model.vae, pixels))
            if plan.read_reference is not None:
                plan.read_reference()

    def _context(self, prompt: str, loras: tuple[Lora, ...]) -> Tensor:
        """Return the context of a prompt, [1, text tokens, D], from the cache if it is there."""
        key = (prompt, self.text_tokens, loras)
        cached = self.prompt_cache.get(key)
        if cached is not None:
            return cached
        ids, real = text_encoder.tokenize(self.model.tokenizer, prompt, self.text_tokens)
        text_encoder.put_tokens(self.text_buffers, self.model.encoder, ids, real)
        self.encode()
        self.prompt_cache.put(key, self.text_buffers.context)
        return self.text_buffers.context

    def _noise(self, shape: Shape, job: EngineJob) -> Tensor:
        """Return the noise that drawing begins with, [1, image tokens, C]."""
        model, noise = self.model, job.noise
        if noise is None:
            noise = noise_of(job.seed, model.channels, shape.rows, shape.columns, model.dtype, model.device)
        return noise.to(model.device, model.dtype).flatten(2).permute(0, 2, 1)

    def _step_callback(self, plan: ShapePlan, step: int, steps: int) -> StepCallback:
        """Wait for the preview of a step while the device works on the next one."""
        preview = plan.previews.take(step - 1)
        pixels: Pixels | None = None if self.preview_colours is None else preview.numpy().copy()
        return StepCallback(step, steps, pixels)

    def _check_deadline(self, began: float) -> None:
        if time.monotonic() - began > self._deadline_s:
            raise BackendError(f"the picture took longer than {self._deadline_s:g} s")
