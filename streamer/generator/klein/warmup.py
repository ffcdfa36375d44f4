"""Make an engine fast in short steps between pictures: each optimization is used only after it was verified."""

from __future__ import annotations

import io
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from streamer.generator.backend import device_is_lost
from streamer.generator.klein import text_encoder
from streamer.generator.klein.cuda_graphs import GraphCapture, Run
from streamer.generator.klein.denoise import Velocity, stock_velocity
from streamer.generator.klein.device import free_cached_memory
from streamer.generator.klein.device_picture import DevicePicture
from streamer.generator.klein.engine import DISTILLED_STEPS, Engine
from streamer.generator.klein.fused.linear import FEW_ROWS
from streamer.generator.klein.optimizations import Attention, Optimizations
from streamer.generator.klein.policy_judge import PolicyJudge
from streamer.generator.klein.quantize import all_eight_bit
from streamer.generator.klein.reference_kv_cache import read_reference
from streamer.generator.klein.shape_plan import ShapePlan, plan_shape
from streamer.generator.klein.shapes import PATCH, Shape, whole_patches
from streamer.generator.klein.streamed_layers import is_streamed
from streamer.generator.klein.taef2 import TinyDecoder
from streamer.generator.klein.vae import Decoder, stock_decoder, to_bytes, tokens_to_latents
from streamer.generator.klein.verify import (
    BOUNDS,
    DECODER_BOUND,
    ErrorCheck,
    check_text_layers,
    check_velocity,
    fill_fixed_noise,
    relative_error,
)
from streamer.generator.klein.vram import within_memory

log = logging.getLogger(__name__)

DIFFUSERS_BACKENDS: dict[Attention, str] = {"sdpa": "native", "cudnn": "_native_cudnn", "flash": "_native_flash"}
JPEG_QUALITY = 90
MAX_AD_HOC_SHAPES = 8
"""How many unannounced shapes are made fast; each holds some ten megabytes."""
SAMPLE_PROMPT = "a lighthouse in a storm"


@dataclass(frozen=True, slots=True)
class WarmUpStep:
    """One piece of warming up, a few seconds long; ``name`` is what the panel shows while it runs."""

    name: str
    run: Callable[[], None]


class WarmUp:
    """Make an engine fast for the given sizes (width, height) in pixels.

    Every step runs on the engine's thread, between two pictures. ``results`` says of each optimization tried so far
    how far it was from the stock implementation, or why it is not used.
    """

    def __init__(
        self,
        engine: Engine,
        optimizations: Optimizations,
        sizes: Sequence[tuple[int, int]],
        policy: PolicyJudge | None = None,
        saves_memory: bool = False,
    ) -> None:
        self._engine, self._optimizations, self._policy = engine, optimizations, policy
        self._saves_memory = saves_memory
        shapes = {Shape(*whole_patches(*size), engine.text_tokens) for size in sizes}
        # The largest first: its graphs' memory then holds all the others'.
        self._shapes = sorted(shapes, key=lambda shape: (-shape.tokens, shape.width))
        self._velocity: Velocity = engine.velocity
        self._decoder: Decoder = engine.decoder
        self._stock = (engine.velocity, engine.decoder)
        self._graph_capture: GraphCapture | None = None
        self.results: dict[str, str] = {}
        self._steps = deque(self._planned_steps())
        self._total = max(1, len(self._steps))
        self._known_shapes, self._ad_hoc_shapes = set(self._shapes), 0

    @property
    def steps_left(self) -> int:
        """The number of steps still to do."""
        return len(self._steps)

    def add_shape(self, shape: Shape) -> None:
        """Queue a step that makes a shape fast which was drawn without being announced, such as an edit."""
        compiled = self._velocity is not self._engine.velocity
        if self._ad_hoc_shapes < MAX_AD_HOC_SHAPES and shape not in self._known_shapes and not compiled:
            self._ad_hoc_shapes += 1
            self._known_shapes.add(shape)
            self._steps.append(WarmUpStep(f"size {shape}", partial(self._prepare_shape, shape)))

    def next_step(self) -> tuple[str, float]:
        """Do one step; return its name and the share of all steps that is done now, 0 to 1.

        Raises whatever says that the device is lost; any other failure is logged and noted in ``results``.
        """
        step = self._steps.popleft()
        # An optimization that cannot be built on this machine is not used; only a lost device ends the process.
        try:
            step.run()
        except Exception as error:
            if device_is_lost(error):
                raise
            log.warning("%s is not used here: %s", step.name, error, exc_info=True)
            self.results[step.name] = f"failed: {type(error).__name__}"
        # Comparing and capturing leave unused memory behind that other programs on the GPU could use.
        free_cached_memory()
        return step.name, max(0.0, 1 - self.steps_left / self._total)

    def _planned_steps(self) -> list[WarmUpStep]:
        if not self._shapes:
            return []
        on = self._optimizations
        optional = [
            (self._engine.gpu_jpeg, "jpeg", self._try_jpeg),
            (on.attention != "sdpa", "attention", self._try_attention),
            (on.kernels, "kernels", self._try_kernels),
            (on.compile, "compile", self._try_compiled_blocks),
            (on.fast_decoder and on.kernels, "decoder", self._try_fused_decoder),
            (on.fast_decoder and on.compile, "compiled decoder", self._try_compiled_decoder),
            (on.compile or on.kernels, "text", self._try_text),
            (on.graphs, "text graph", self._capture_text),
            # Only after the text model: joining its weights moves them, and a graph reads the old place.
            (self._policy is not None, "policy judge", self._speed_up_policy_judge),
        ]
        steps = [WarmUpStep(name, run) for wanted, name, run in optional if wanted]
        return steps + [WarmUpStep(f"size {shape}", partial(self._prepare_shape, shape)) for shape in self._shapes]

    def _plan_with_noise(self, velocity: Velocity | None = None) -> ShapePlan:
        """Make a plan whose buffers hold fixed noise, to compare two implementations in.

        Its shape is the smallest that is computed the way large ones are: comparing needs the stock implementation's
        memory beside ours.
        """
        engine = self._engine
        large = [shape for shape in self._shapes if shape.tokens > FEW_ROWS]
        shape = smallest_large_shape(engine.text_tokens) if large else self._shapes[0]
        plan = plan_shape(engine.model, shape, engine.preview_colours, velocity or engine.velocity, engine.decoder)
        plan.buffers.set_step(plan.schedule(engine.model, DISTILLED_STEPS), 0)
        fill_fixed_noise(plan.buffers)
        return plan

    def _note(self, check: ErrorCheck) -> bool:
        """Log a check, note it in the results, and return whether it passed."""
        (log.info if check.passed else log.warning)("%s", check)
        self.results[check.optimization] = f"error {check.error:.1g}" if check.passed else f"wrong by {check.error:.1g}"
        return check.passed

    def _try_jpeg(self) -> None:
        """Use the GPU's JPEG encoder if its files show the picture; otherwise the host encodes."""
        self._engine.gpu_jpeg = False
        pixels = smooth_picture(self._engine.model.device)
        file = DevicePicture(pixels, True).jpeg(JPEG_QUALITY)
        shown = torch.from_numpy(np.array(Image.open(io.BytesIO(file or b"")).convert("RGB")))
        self._engine.gpu_jpeg = self._note(ErrorCheck("jpeg", relative_error(shown, pixels.cpu()), BOUNDS["jpeg"]))

    def _try_attention(self) -> None:
        """Let the stock blocks use the chip's best attention."""
        transformer, buffers = self._engine.model.transformer, self._plan_with_noise().buffers
        passed = False
        try:
            with torch.inference_mode():
                stock = stock_velocity(transformer)(buffers)
                transformer.set_attention_backend(
                    DIFFUSERS_BACKENDS.get(self._optimizations.attention, "_native_cudnn")
                )
                error = relative_error(stock_velocity(transformer)(buffers), stock)
            passed = self._note(ErrorCheck("attention", error, BOUNDS["attention"]))
        finally:
            if not passed:
                transformer.set_attention_backend("native")

    def _try_kernels(self) -> None:
        """Replace the stock blocks by eight-bit products with fused kernels between them."""
        from streamer.generator.klein.fused.ops import attend_with, triton_ops
        from streamer.generator.klein.fused.transformer import FusedTransformer, can_fuse

        transformer = self._engine.model.transformer
        if not can_fuse(transformer):
            self.results["kernels"] = "off: some layers are not in eight bits"
            return
        wide: Attention = "cudnn" if self._optimizations.attention == "fp8" else self._optimizations.attention
        ops, attend = triton_ops(), attend_with(wide)
        self._use_if_verified("kernels", FusedTransformer(transformer, ops, attend))
        if self._optimizations.attention == "fp8":
            self._use_if_verified("fp8 attention", FusedTransformer(transformer, ops, attend, fp8_attention=True))

    def _use_if_verified(self, optimization: str, fast: Velocity) -> None:
        buffers = self._plan_with_noise(fast).buffers
        if self._note(check_velocity(optimization, fast, stock_velocity(self._engine.model.transformer), buffers)):
            # The kernels take any shape without building anything, so unannounced sizes use them too.
            self._velocity = self._engine.velocity = fast
            self._engine.forget_ad_hoc_plans()

    def _try_compiled_blocks(self) -> None:
        """Compile the stock blocks, unless the kernels replace them already.

        The stock blocks that they are compared with use the attention that was verified before.
        """
        from streamer.generator.klein.torch_compile import compiled_velocity

        if self._velocity is not self._stock[0]:
            return
        transformer = self._engine.model.transformer
        fast = compiled_velocity(transformer)
        if self._note(check_velocity("compile", fast, stock_velocity(transformer), self._plan_with_noise().buffers)):
            self._velocity = fast

    def _try_fused_decoder(self) -> None:
        """Replace the VAE's decoder by one on fused kernels."""
        from streamer.generator.klein.fused.vae_decoder import fast_decoder

        if isinstance(self._engine.model.vae.decoder, TinyDecoder):
            return  # another network: only compiling makes it faster
        whole = fast_decoder(self._engine.model.vae, as_bytes=True)
        fast = whole.in_strips(search=True) if self._saves_memory else whole
        if self._use_decoder_if_verified("decoder", fast):
            # Sizes that nobody announced do not wait for a search, and take less memory than the plain way.
            self._engine.decoder = whole.in_strips(search=False)
            self._engine.forget_ad_hoc_plans()

    def _try_compiled_decoder(self) -> None:
        """Compile the VAE's decoder, unless the kernels replace it already."""
        from streamer.generator.klein.torch_compile import compiled_decoder

        if self._decoder is self._stock[1]:
            self._use_decoder_if_verified("compiled decoder", compiled_decoder(self._engine.model.vae))

    @torch.inference_mode()
    def _use_decoder_if_verified(self, optimization: str, fast: Decoder) -> bool:
        model, buffers = self._engine.model, self._plan_with_noise().buffers
        latents = tokens_to_latents(model.vae, buffers.latents, buffers.shape.rows, buffers.shape.columns)
        truth, picture = to_bytes(stock_decoder(model.vae)(latents)), fast(latents)
        actual = picture if picture.dtype == torch.uint8 else to_bytes(picture)
        passed = self._note(ErrorCheck(optimization, relative_error(actual, truth), DECODER_BOUND))
        if passed:
            self._decoder = fast
        return passed

    def _try_text(self) -> None:
        """Run the text model's layers on fused kernels, or else compile them."""
        engine, encoder = self._engine, self._engine.model.encoder
        fused = self._optimizations.kernels and all_eight_bit(*encoder.layers)
        if is_streamed(encoder) and not fused:
            self.results["text"] = "off: its weights stay on the host"
            return
        fast = text_encoder.fused_layers(encoder) if fused else self._compiled_layers()
        self._fill_text_buffers()
        states = text_encoder.embed_tokens(engine.text_buffers, encoder)
        inputs = text_encoder.rotary_and_mask(engine.text_buffers, encoder, states)
        checks = check_text_layers(fast, text_encoder.stock_layers(encoder), states, inputs)
        if all(self._note(check) for check in checks):
            engine.encode, engine.fused_text_layers = engine.encode_with(fast), fast if fused else None

    def _compiled_layers(self) -> text_encoder.Layers:
        from streamer.generator.klein.torch_compile import compiled_layers

        return compiled_layers(self._engine.model.encoder)

    def _speed_up_policy_judge(self) -> None:
        """Let the policy judge use the implementations that the engine uses."""
        assert self._policy is not None
        for check in self._policy.speed_up(self._engine.fused_text_layers, graphs=self._optimizations.graphs):
            self._note(check)

    def _fill_text_buffers(self) -> None:
        engine = self._engine
        ids, real = text_encoder.tokenize(engine.model.tokenizer, SAMPLE_PROMPT, engine.text_tokens)
        text_encoder.put_tokens(engine.text_buffers, engine.model.encoder, ids, real)

    def _capture_text(self) -> None:
        self._fill_text_buffers()
        self._engine.encode = self._capture(self._engine.encode)

    def _prepare_shape(self, shape: Shape) -> None:
        """Plan one shape, capture its graphs, and check that a graph computes what its function computes."""
        engine = self._engine
        plan = plan_shape(engine.model, shape, engine.preview_colours, self._velocity, self._decoder)
        plan.buffers.set_step(plan.schedule(engine.model, DISTILLED_STEPS), 0)
        fill_fixed_noise(plan.buffers)
        if plan.read_reference is not None and not self._reference_verified(plan, plan.read_reference):
            return
        # cuDNN's search takes memory that drawing does not need: not within the graphs' pool, and not all there is.
        within_memory(engine.model.device, plan.decode)
        if self._optimizations.graphs:
            self._capture_plan(plan)
        else:
            plan.step()
        engine.plans[shape] = plan

    def _reference_verified(self, plan: ShapePlan, read: Run) -> bool:
        """Compare reading a reference and attending to it with the stock blocks; the other checks have no reference."""
        transformer = self._engine.model.transformer
        with torch.inference_mode():
            read_reference(plan.buffers, transformer)
            stock = stock_velocity(transformer)(plan.buffers)
            read()
            error = relative_error(self._velocity(plan.buffers), stock)
        return self._note(ErrorCheck("reference KV cache", error, BOUNDS["reference KV cache"]))

    def _capture_plan(self, plan: ShapePlan) -> None:
        """Replace a plan's functions by captured graphs, unless the step's graph computes something else."""
        fill_fixed_noise(plan.buffers)
        plan.step()
        truth, eager_step = plan.buffers.latents.clone(), plan.step
        plan.step = self._capture(plan.step)
        fill_fixed_noise(plan.buffers)
        plan.step()
        if not self._note(ErrorCheck("graphs", relative_error(plan.buffers.latents, truth), BOUNDS["graphs"])):
            plan.step = eager_step
            return
        # Decoding stays eager: it is not bound by launches, and its graph would hold a gigabyte beside other pictures'.
        if plan.read_reference is not None:
            plan.read_reference = self._capture(plan.read_reference)

    def _capture(self, function: Run) -> Run:
        if self._graph_capture is None:
            self._graph_capture = GraphCapture()
        return self._graph_capture.capture(function)


def smallest_large_shape(text_tokens: int) -> Shape:
    """Return the smallest square that is computed the way large pictures are."""
    side = PATCH * math.isqrt(max(0, FEW_ROWS - text_tokens)) + PATCH
    return Shape(side, side, text_tokens)


def smooth_picture(device: torch.device) -> Tensor:
    """Draw two crossing ramps, [128, 192, 3] uint8: nothing that a JPEG encoder has reason to change."""
    down, across = torch.linspace(0, 255, 128, device=device), torch.linspace(0, 255, 192, device=device)
    rows, columns = down[:, None].expand(128, 192), across[None].expand(128, 192)
    return torch.stack([rows, columns, 255 - rows], dim=2).round().to(torch.uint8)
