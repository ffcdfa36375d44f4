"""The Klein backend: loads a checkpoint, makes it fast for this machine, and draws.

The parts stand beside it; this file decides what to do when memory runs out or a picture fails.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from streamer.errors import BackendUnavailable, Unsupported
from streamer.generator.backend import BackendPicture, HostPicture, Report, StepCallback
from streamer.generator.backends.klein import Options
from streamer.generator.klein.device import describe, find_device
from streamer.generator.klein.device_picture import gpu_jpeg_available
from streamer.generator.klein.download import VAE_WANTED, WANTED, find_checkpoint
from streamer.generator.klein.engine import DrawJob, Engine
from streamer.generator.klein.loading import load
from streamer.generator.klein.model import Model
from streamer.generator.klein.optimizations import (
    DeviceInfo,
    Optimizations,
    Precision,
    RequestedPrecision,
    choose_optimizations,
)
from streamer.generator.klein.policy_judge import CLASS, PolicyJudge, load_head
from streamer.generator.klein.quantize import FP8, Quantizer, count_eight_bit, works
from streamer.generator.klein.reference_image import open_reference
from streamer.generator.klein.vram import enlarge, fits, need_gb, smaller
from streamer.generator.klein.warmup import WarmUp
from streamer.moderation.thresholds import Thresholds
from streamer.types import ImageRequest, Judgement

log = logging.getLogger(__name__)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
DECODERS = {"small": "black-forest-labs/FLUX.2-small-decoder", "tiny": "madebyollin/taef2"}
LEVELS = ("", "smaller pictures", "smaller pictures, plain PyTorch")


class KleinBackend:
    """Draw with one checkpoint; every method is called from the same thread, as CUDA graphs demand."""

    def __init__(self, options: Options, home: Path) -> None:
        self._options, self._home = options, home
        self._machine, self._switches = DeviceInfo("cpu", "CPU"), Optimizations()
        self._device = torch.device("cpu")
        self._shrinker = Quantizer(False, None)
        self._engine: Engine | None = None
        self._tuner: WarmUp | None = None
        self._level = 0
        self._policy: PolicyJudge | None = None

    def load(self, report: Report) -> None:
        """Find the device, fetch the checkpoint, and load what is used of it."""
        options, device = self._options, find_device(self._options.device)
        self._device = device
        folder = find_checkpoint(options.model, report, WANTED)
        decoder = self._decoder_folder(report)
        self._machine = describe(device)
        self._switches = self._chosen(folder)
        self._shrinker = quantizer_for(self._switches)
        dtype = DTYPES.get(self._switches.precision, torch.bfloat16)
        try:
            model = load(folder, device=device, dtype=dtype, shrink=self._shrinker, decoder=decoder, report=report)
            self._engine = Engine(
                model,
                text_tokens=options.text_tokens,
                remembered=options.prompts_remembered,
                reference_px=options.reference_px,
                previews=options.previews,
                gpu_jpeg=self._switches.gpu_jpeg and gpu_jpeg_available(),
            )
        except torch.OutOfMemoryError as error:
            raise BackendUnavailable(
                f"{options.model} does not fit into the memory of {self._machine.name}",
                fix="close other programs that use the GPU, or choose FLUX.2-klein-4B",
            ) from error
        if options.policy_judge:
            report("loading the policy judge", 0.99)
            self._policy = self._policy_judge(folder, model)
        torch.cuda.empty_cache()
        report("loaded", 1.0)

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Draw one picture the plain way, then make every size fast; in the background, ``idle`` does the second."""
        engine = self._ready()
        if sizes:
            report("drawing a first picture", 0.0)
            width, height = sizes[0]
            for _ in engine.draw(DrawJob("warm up", width, height)):
                pass
        self._tuner = WarmUp(engine, self._switches, sizes, self._policy)
        while not self._options.warm_in_background and self._tuner.left:
            report(*self._tuner.next_slice())

    def idle(self, report: Report) -> bool:
        """Do a few seconds of what is left of warming up, between two pictures; True while there is more."""
        if self._tuner is None or self._tuner.left == 0:
            return False
        report(*self._tuner.next_slice())
        return self._tuner.left > 0

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        """Draw one picture; when memory runs out, draw a smaller one, then without the fast paths, then give up."""
        engine, job = self._ready(), self._job(request)
        if self._policy is not None:
            self._policy.forget()
        while True:
            try:
                yield from self._asking(request, self._attempt(engine, job))
                if self._tuner is not None and self._level == 0:
                    self._tuner.add(engine.shape_of(job))
                return
            except torch.OutOfMemoryError as error:
                self._step_down(engine, error)

    def opinions(self) -> tuple[Judgement, ...]:
        """Wait for what the policy judge says about the last picture, if it is on."""
        return () if self._policy is None else (self._policy.answer(),)

    def active(self) -> dict[str, str]:
        """Name the device, the model, every speed-up that is really on, why another is not, and what checks found."""
        named = {"device": self._machine.name, "model": self._options.model}
        if self._engine is None:
            return named
        found = {} if self._tuner is None else self._tuner.found
        checks = ", ".join(f"{rung} {said}" for rung, said in found.items() if said.startswith("error"))
        return {
            **named,
            **really_on(self._switches, found),
            "text_tokens": str(self._options.text_tokens),
            **self._counts(),
            **({} if self._policy is None else {"policy_judge": "on, its thresholds are not evaluated"}),
            **({"checks": checks} if checks else {}),
        }

    def close(self) -> None:
        """Give memory back."""
        self._engine = self._tuner = self._policy = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _asking(
        self, request: ImageRequest, items: Generator[StepCallback | BackendPicture, None, None]
    ) -> Generator[StepCallback | BackendPicture, None, None]:
        """Ask the policy judge after the first step: the device is busy then, and nothing has to wait for the host."""
        for number, item in enumerate(items):
            if number == 0 and self._policy is not None:
                self._policy.start(request.text)
            yield item

    def _attempt(self, engine: Engine, job: DrawJob) -> Generator[StepCallback | BackendPicture, None, None]:
        if self._level == 0:
            yield from engine.draw(job)
            return
        for item in engine.draw(smaller(job)):
            yield item if isinstance(item, StepCallback) else HostPicture(enlarge(item.pixels(), job.width, job.height))

    def _step_down(self, engine: Engine, error: torch.OutOfMemoryError) -> None:
        """Free what can be freed and remember to ask for less from now on."""
        self._level += 1
        engine.memory.forget()
        engine.forget_improvised()
        if self._level >= 2:
            engine.go_plain()
            self._tuner = None
        gc.collect()
        torch.cuda.empty_cache()
        if self._level == len(LEVELS):
            raise BackendUnavailable(
                f"the memory of {self._machine.name} is too small even for a small picture",
                fix="close other programs that use the GPU, choose smaller sizes, or FLUX.2-klein-4B",
            ) from error
        log.warning("out of GPU memory: %s from now on", LEVELS[self._level])

    def _policy_judge(self, folder: Path, model: Model) -> PolicyJudge:
        """Load what drawing leaves out of the text encoder."""
        tail = load_head(
            folder / "text_encoder", model.tokenizer, device=model.device, dtype=model.dtype, shrink=self._shrinker
        )
        options = self._options
        band = Thresholds(hold={CLASS: options.policy_hold}, block={CLASS: options.policy_block})
        return PolicyJudge(model, tail, band)

    def _job(self, request: ImageRequest) -> DrawJob:
        params = request.params
        if params.num_inference_steps > 16:
            raise Unsupported("a distilled Klein draws in four steps", fix="set num_inference_steps to 4")
        return DrawJob(
            prompt=request.prompt,
            width=params.width,
            height=params.height,
            steps=params.num_inference_steps,
            seed=params.seed,
            reference=None if request.reference is None else open_reference(request.reference),
        )

    def _chosen(self, folder: Path) -> Optimizations:
        options = self._options
        if options.optimize == "off":
            plain: Precision = "float32" if self._machine.kind == "cpu" else "bfloat16"
            return Optimizations(precision=plain if options.precision == "auto" else options.precision)
        needed = need_gb(folder)
        chosen = self._that_works(options.precision, needed)
        fits(self._machine, chosen.precision, needed, options.model)
        return chosen

    def _that_works(self, precision: RequestedPrecision, needed_gb: float) -> Optimizations:
        """Choose for the machine; where the device then fails a product in eight bits, choose something wider."""
        chosen = choose_optimizations(
            self._machine, precision=precision, weights_gb=needed_gb, without=self._options.without
        )
        kind = kind_of(chosen.precision)
        if kind is None or chosen.precision.endswith("-weights") or works(kind, self._device):
            return chosen
        log.warning("%s has no working products in %s here", self._machine.name, chosen.precision)
        wider: Precision = "int8" if chosen.precision == "fp8" else "bfloat16"
        return self._that_works(wider, needed_gb)

    def _decoder_folder(self, report: Report) -> Path | None:
        if self._options.decoder == "full":
            return None
        name = self._options.decoder
        return find_checkpoint(DECODERS.get(name, name), report, VAE_WANTED)

    def _counts(self) -> dict[str, str]:
        engine = self._ready()
        eight_bit = count_eight_bit(engine.model.transformer, engine.model.encoder)
        sizes = ", ".join(str(shape) for shape in engine.ready) or "none yet"
        left = "" if self._tuner is None or not self._tuner.left else f", {self._tuner.left} steps of warming up left"
        short = {"memory": LEVELS[self._level]} if self._level else {}
        return {"eight_bit_layers": str(eight_bit), "fast_sizes": sizes + left, **short}

    def _ready(self) -> Engine:
        if self._engine is None:
            raise BackendUnavailable("the model is not loaded")
        return self._engine


def quantizer_for(switches: Optimizations) -> Quantizer:
    """Say what to do with each block as it is loaded."""
    return Quantizer(switches.fused_qkv, kind_of(switches.precision), switches.precision.endswith("-weights"))


def really_on(switches: Optimizations, found: dict[str, str]) -> dict[str, str]:
    """Say for each switch "on" or its value; where its check failed, say that instead."""
    on = {name: "on" if value is True else str(value) for name, value in asdict(switches).items() if value}
    if switches.kernels and "compile" not in found:
        on.pop("compile", None)  # it stands by for where the kernels cannot be used
    failed = {rung: said for rung, said in found.items() if not said.startswith("error")}
    names = {
        "fp8 attention": "attention",
        "decoder": "fast_decoder",
        "compiled decoder": "fast_decoder",
        "jpeg": "gpu_jpeg",
    }
    return on | {names.get(rung, rung): f"off: {said.removeprefix('off: ')}" for rung, said in failed.items()}


def kind_of(precision: Precision) -> torch.dtype | None:
    """Give the eight-bit type of a precision, None where weights stay wide."""
    return FP8 if precision.startswith("fp8") else torch.int8 if precision.startswith("int8") else None
