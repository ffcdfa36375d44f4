"""Put the fast ways in, one after the other, each only after it was found to be right; in slices between requests."""

from __future__ import annotations

import io
import logging
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
from streamer.generator.klein.cuda_graphs import GraphCapture
from streamer.generator.klein.denoise import Velocity, stock_velocity
from streamer.generator.klein.device_picture import DevicePicture
from streamer.generator.klein.engine import DISTILLED_STEPS, Engine
from streamer.generator.klein.fused.linear import FEW_ROWS
from streamer.generator.klein.optimizations import Attention, Optimizations
from streamer.generator.klein.policy_judge import PolicyJudge
from streamer.generator.klein.quantize import all_eight_bit
from streamer.generator.klein.reference_kv_cache import read_reference
from streamer.generator.klein.shape_plan import ShapePlan, plan_shape
from streamer.generator.klein.shapes import Shape, whole_patches
from streamer.generator.klein.taef2 import TinyDecoder
from streamer.generator.klein.vae import Decoder, stock_decoder, to_bytes, tokens_to_latents
from streamer.generator.klein.verify import (
    BOUNDS,
    DECODER_BOUND,
    ErrorCheck,
    fixed_scene,
    judge,
    judge_text,
    relative_error,
)

log = logging.getLogger(__name__)

BACKENDS: dict[Attention, str] = {"sdpa": "native", "cudnn": "_native_cudnn", "flash": "_native_flash"}


JPEG_QUALITY = 90
EXTRA = 8
"""Unannounced shapes that are made fast, at most; each holds some ten megabytes."""


@dataclass(frozen=True, slots=True)
class WarmUpStep:
    """A piece of the work, a few seconds long."""

    doing: str
    work: Callable[[], None]


class WarmUp:
    """Make an engine fast for the given sizes; every slice runs on the engine's thread, between two pictures."""

    def __init__(
        self,
        engine: Engine,
        switches: Optimizations,
        sizes: Sequence[tuple[int, int]],
        policy: PolicyJudge | None = None,
    ) -> None:
        self._engine, self._switches, self._policy = engine, switches, policy
        shapes = {Shape(*whole_patches(*size), engine.text_tokens) for size in sizes}
        # The largest first: its graphs' memory then holds all the others'.
        self._shapes = sorted(shapes, key=lambda shape: (-shape.tokens, shape.width))
        self._velocity: Velocity = engine.velocity
        self._decoder: Decoder = engine.decoder
        self._plain = (engine.velocity, engine.decoder)
        self._recorder: GraphCapture | None = None
        self.found: dict[str, str] = {}
        self._slices = deque(self._plan())
        self._total = max(1, len(self._slices))
        self._known, self._extra = set(self._shapes), 0

    @property
    def left(self) -> int:
        """Count the slices still to do."""
        return len(self._slices)

    def add(self, shape: Shape) -> None:
        """Make a shape fast that nobody announced but somebody drew, an edit say, when there is time."""
        compiled = self._velocity is not self._engine.velocity
        if self._extra < EXTRA and shape not in self._known and not compiled:
            self._extra += 1
            self._known.add(shape)
            self._slices.append(WarmUpStep(f"size {shape}", partial(self._make_ready, shape)))

    def next_slice(self) -> tuple[str, float]:
        """Do one slice; give what it was and the share that is done now."""
        piece = self._slices.popleft()
        # A rung that cannot be built on this machine is a rung that is not used; only a lost device ends the process.
        try:
            piece.work()
        except Exception as error:
            if device_is_lost(error):
                raise
            log.warning("%s is not used here: %s", piece.doing, error, exc_info=True)
            self.found[piece.doing] = f"failed: {type(error).__name__}"
        # Comparing and recording leave holes behind that other programs on the GPU could use.
        torch.cuda.empty_cache()
        return piece.doing, max(0.0, 1 - self.left / self._total)

    def _plan(self) -> list[WarmUpStep]:
        if not self._shapes:
            return []
        on, pieces = self._switches, list[WarmUpStep]()
        if self._engine.gpu_jpeg:
            pieces.append(WarmUpStep("jpeg", self._try_jpeg))
        if on.attention != "sdpa":
            pieces.append(WarmUpStep("attention", self._try_attention))
        if on.kernels:
            pieces.append(WarmUpStep("kernels", self._try_kernels))
        if on.compile:
            pieces.append(WarmUpStep("compile", self._try_compiled_blocks))
        if on.fast_decoder and on.kernels:
            pieces.append(WarmUpStep("decoder", self._try_fused_decoder))
        if on.fast_decoder and on.compile:
            pieces.append(WarmUpStep("compiled decoder", self._try_compiled_decoder))
        if on.compile or on.kernels:
            pieces.append(WarmUpStep("text", self._try_text))
        if on.graphs:
            pieces.append(WarmUpStep("text graph", self._record_text))
        if self._policy is not None:
            # Not before the text model's turn: joining its weights moves them, and a graph reads the old place.
            pieces.append(WarmUpStep("policy judge", partial(self._quicken, self._policy)))
        return pieces + [WarmUpStep(f"size {shape}", partial(self._make_ready, shape)) for shape in self._shapes]

    def _place(self, velocity: Velocity | None = None) -> ShapePlan:
        """Give a place with the fixed scene on it, to compare two ways in.

        Its size is the smallest that is computed as large ones are: comparing needs the plain way's memory beside ours.
        """
        engine = self._engine
        large = [shape for shape in self._shapes if shape.tokens > FEW_ROWS]
        shape = large[-1] if large else self._shapes[0]
        place = plan_shape(engine.model, shape, engine.colours, velocity or engine.velocity, engine.decoder)
        place.canvas.set_step(place.schedule(engine.model, DISTILLED_STEPS), 0)
        fixed_scene(place.canvas)
        return place

    def _judged(self, rung: str, fast: Velocity) -> bool:
        """Compare with the stock blocks, which stay on PyTorch's own attention unless a better one was judged."""
        verdict = judge(rung, fast, stock_velocity(self._engine.model.transformer), self._place().canvas)
        return self._noted(verdict)

    def _noted(self, verdict: ErrorCheck) -> bool:
        (log.info if verdict.passed else log.warning)("%s", verdict)
        self.found[verdict.rung] = f"error {verdict.error:.1g}" if verdict.passed else f"wrong by {verdict.error:.1g}"
        return verdict.passed

    def _try_jpeg(self) -> None:
        """See that the GPU's JPEG encoder makes files that show the picture; the host's is used otherwise."""
        self._engine.gpu_jpeg = False
        pixels = smooth_picture(self._engine.model.device)
        file = DevicePicture(pixels, True).jpeg(JPEG_QUALITY)
        shown = torch.from_numpy(np.array(Image.open(io.BytesIO(file or b"")).convert("RGB")))
        self._engine.gpu_jpeg = self._noted(ErrorCheck("jpeg", relative_error(shown, pixels.cpu()), BOUNDS["jpeg"]))

    def _try_attention(self) -> None:
        """Let the stock blocks use the chip's best attention."""
        transformer, canvas = self._engine.model.transformer, self._place().canvas
        right = False
        try:
            with torch.inference_mode():
                plain = stock_velocity(transformer)(canvas)
                transformer.set_attention_backend(BACKENDS.get(self._switches.attention, "_native_cudnn"))
                error = relative_error(stock_velocity(transformer)(canvas), plain)
            right = self._noted(ErrorCheck("attention", error, BOUNDS["attention"]))
        finally:
            if not right:
                transformer.set_attention_backend("native")

    def _try_kernels(self) -> None:
        """Replace the stock blocks by products with fused kernels between them."""
        from streamer.generator.klein.fused.ops import attend_with, triton_ops
        from streamer.generator.klein.fused.transformer import FusedTransformer, can_fuse

        transformer = self._engine.model.transformer
        if not can_fuse(transformer):
            self.found["kernels"] = "off: some layers are not in eight bits"
            return
        wide: Attention = "cudnn" if self._switches.attention == "fp8" else self._switches.attention
        ops, attend = triton_ops(), attend_with(wide)
        self._judged_fused("kernels", FusedTransformer(transformer, ops, attend))
        if self._switches.attention == "fp8":
            self._judged_fused("fp8 attention", FusedTransformer(transformer, ops, attend, fp8_attention=True))

    def _judged_fused(self, rung: str, fast: Velocity) -> None:
        canvas = self._place(fast).canvas
        if self._noted(judge(rung, fast, stock_velocity(self._engine.model.transformer), canvas)):
            # The kernels take any shape without building anything, so unannounced sizes use them too.
            self._velocity = self._engine.velocity = fast
            self._engine.forget_improvised()

    def _try_compiled_blocks(self) -> None:
        """Compile the stock blocks, unless the kernels do their work already."""
        from streamer.generator.klein.torch_compile import compiled_velocity

        if self._velocity is not self._plain[0]:
            return
        fast = compiled_velocity(self._engine.model.transformer)
        if self._judged("compile", fast):
            self._velocity = fast

    def _try_fused_decoder(self) -> None:
        """Replace the VAE's decoder by one on fused kernels."""
        from streamer.generator.klein.fused.vae_decoder import fast_decoder

        if isinstance(self._engine.model.vae.decoder, TinyDecoder):
            return  # another network; compiling it is all there is to gain
        self._decoder_judged("decoder", fast_decoder(self._engine.model.vae, as_bytes=True))

    def _try_compiled_decoder(self) -> None:
        """Compile the VAE's decoder, unless the kernels do its work already."""
        from streamer.generator.klein.torch_compile import compiled_decoder

        if self._decoder is self._plain[1]:
            self._decoder_judged("compiled decoder", compiled_decoder(self._engine.model.vae))

    @torch.inference_mode()
    def _decoder_judged(self, rung: str, fast: Decoder) -> None:
        model, canvas = self._engine.model, self._place().canvas
        latents = tokens_to_latents(model.vae, canvas.latents, canvas.shape.rows, canvas.shape.columns)
        truth, picture = to_bytes(stock_decoder(model.vae)(latents)), fast(latents)
        made = picture if picture.dtype == torch.uint8 else to_bytes(picture)
        if self._noted(ErrorCheck(rung, relative_error(made, truth), DECODER_BOUND)):
            self._decoder = fast

    def _try_text(self) -> None:
        """Run the text model on fused kernels, or else with its layers compiled."""
        engine, encoder = self._engine, self._engine.model.encoder
        fused = self._switches.kernels and all_eight_bit(*encoder.layers)
        fast = text_encoder.fused_layers(encoder) if fused else self._compiled_layers()
        self._fill_words()
        states = text_encoder.embedded(engine.words, encoder)
        around = text_encoder.surroundings(engine.words, encoder, states)
        if all(
            self._noted(verdict) for verdict in judge_text(fast, text_encoder.stock_layers(encoder), states, around)
        ):
            engine.encode, engine.fused_text = engine.encode_with(fast), fast if fused else None

    def _compiled_layers(self) -> text_encoder.Layers:
        from streamer.generator.klein.torch_compile import compiled_layers

        return compiled_layers(self._engine.model.encoder)

    def _quicken(self, policy: PolicyJudge) -> None:
        """Let the policy judge go the engine's ways."""
        for verdict in policy.quicken(self._engine.fused_text, graphs=self._switches.graphs):
            self._noted(verdict)

    def _fill_words(self) -> None:
        ids, real = text_encoder.tokenize(
            self._engine.model.tokenizer, "a lighthouse in a storm", self._engine.text_tokens
        )
        self._engine.words.ids.copy_(ids)
        self._engine.words.real.copy_(real)

    def _record_text(self) -> None:
        self._fill_words()
        self._engine.encode = self._recording().record(self._engine.encode)

    def _make_ready(self, shape: Shape) -> None:
        """Prepare one size, record its graphs, and see that a graph gives what the function gave."""
        engine = self._engine
        place = plan_shape(engine.model, shape, engine.colours, self._velocity, self._decoder)
        place.canvas.set_step(place.schedule(engine.model, DISTILLED_STEPS), 0)
        fixed_scene(place.canvas)
        if place.read is not None and not self._reads_right(place):
            return
        for run in (place.step, place.decode):
            fixed_scene(place.canvas)
            run()
        if self._switches.graphs:
            self._record(place)
        engine.ready[shape] = place

    def _reads_right(self, place: ShapePlan) -> bool:
        """See that a reference is read and attended to as by the stock blocks; the other checks have none."""
        assert place.read is not None
        transformer = self._engine.model.transformer
        with torch.inference_mode():
            read_reference(place.canvas, transformer)
            plain = stock_velocity(transformer)(place.canvas)
            place.read()
            error = relative_error(self._velocity(place.canvas), plain)
        return self._noted(ErrorCheck("kept reference", error, BOUNDS["kept reference"]))

    def _record(self, place: ShapePlan) -> None:
        fixed_scene(place.canvas)
        place.step()
        truth, plain_step = place.canvas.latents.clone(), place.step
        place.step = self._recording().record(place.step)
        fixed_scene(place.canvas)
        place.step()
        if not self._noted(ErrorCheck("graphs", relative_error(place.canvas.latents, truth), BOUNDS["graphs"])):
            place.step = plain_step
            return
        place.decode = self._recording().record(place.decode)
        if place.read is not None:
            place.read = self._recording().record(place.read)

    def _recording(self) -> GraphCapture:
        if self._recorder is None:
            self._recorder = GraphCapture()
        return self._recorder


def smooth_picture(device: torch.device) -> Tensor:
    """Paint two crossing ramps, [128, 192, 3] bytes: nothing that a JPEG has reason to change."""
    down, across = torch.linspace(0, 255, 128, device=device), torch.linspace(0, 255, 192, device=device)
    rows, columns = down[:, None].expand(128, 192), across[None].expand(128, 192)
    return torch.stack([rows, columns, 255 - rows], dim=2).round().to(torch.uint8)
