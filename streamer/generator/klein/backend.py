"""The Klein backend: load a checkpoint, make it fast for this machine, and draw.

The parts are in the modules beside this one. This module decides what to do when memory runs out or a picture fails.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError

from streamer.errors import BackendUnavailable, Unsupported
from streamer.generator.backend import BackendPicture, HostPicture, Report, StepCallback, one_line
from streamer.generator.backends.klein import Options
from streamer.generator.klein.checkpoint_files import check_checkpoint, require_distilled
from streamer.generator.klein.choice import Chooser, eight_bit_dtype
from streamer.generator.klein.device import describe_device, find_device, free_cached_memory
from streamer.generator.klein.device_picture import gpu_jpeg_available
from streamer.generator.klein.download import CHECKPOINT_FILES, VAE_FILES, find_checkpoint
from streamer.generator.klein.engine import DISTILLED_STEPS, Engine, EngineJob
from streamer.generator.klein.loading import load
from streamer.generator.klein.loras import KleinLoras, find_loras
from streamer.generator.klein.measured_choice import Measurement
from streamer.generator.klein.model import KleinModel
from streamer.generator.klein.optimizations import DeviceInfo, MemoryMode, Optimizations, not_measured
from streamer.generator.klein.policy_judge import CLASS, PolicyJudge, load_head
from streamer.generator.klein.quantize import Quantizer, count_eight_bit
from streamer.generator.klein.reference_image import open_reference
from streamer.generator.klein.text_encoder import prompt_fits
from streamer.generator.klein.vram import LIMITED_WORKING_GB, enlarge, lift_limit, limit_memory, shrink_job
from streamer.generator.klein.warmup import WarmUp
from streamer.generator.klein.weights import ReadTensors, read_files
from streamer.generator.lora.switch import LoraSwitch, active_loras
from streamer.generator.prompt_fit import PromptFitter
from streamer.moderation.thresholds import Thresholds
from streamer.types import ImageRequest, Judgement, Lora

log = logging.getLogger(__name__)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
DECODERS = {"small": "black-forest-labs/FLUX.2-small-decoder", "tiny": "madebyollin/taef2"}
MEMORY_LEVELS = ("", "smaller pictures", "smaller pictures, plain PyTorch")
"""What is done at each level of memory shortage, as the panel shows it."""
MOST_STEPS = 16
"""More steps than a distilled model can use: the request is a mistake, such as another pipeline's default."""
CHECK_NAMES = {
    "fp8 attention": "attention",
    "decoder": "fast_decoder",
    "compiled decoder": "fast_decoder",
    "jpeg": "gpu_jpeg",
}
"""The optimization that a warm-up result belongs to, where the two have different names."""


class KleinBackend:
    """Draw with one checkpoint; every method is called from the same thread, as CUDA graphs demand."""

    most_steps = MOST_STEPS

    def __init__(self, options: Options, home: Path | None = None, read: ReadTensors = read_files) -> None:
        """``home`` is where measurements of this machine are kept, None keeps none; ``read`` gets the weights."""
        self._options, self._home, self._read = options, home, read
        self._measured: Measurement | None = None
        self._device_info, self._optimizations = DeviceInfo("cpu", "CPU"), Optimizations()
        self._device = torch.device("cpu")
        self._quantizer = Quantizer(False, None)
        self._engine: Engine | None = None
        self._warm_up: WarmUp | None = None
        self._memory: MemoryMode = "full"
        self._memory_level = 0
        self._policy: PolicyJudge | None = None
        self._fitter: PromptFitter | None = None
        self._style_loras: Sequence[Lora] = ()
        self._switching = ""

    def expect_loras(self, loras: Sequence[Lora]) -> None:
        """Make these LoRAs ready while loading."""
        self._style_loras = loras

    def load(self, report: Report) -> None:
        """Find the device, fetch the checkpoint, and load the parts that are used.

        Raises BackendUnavailable with a fix where the machine, the checkpoint or the memory does not allow it.
        """
        options, device = self._options, find_device(self._options.device)
        self._device = device
        folder = find_checkpoint(options.model, report, CHECKPOINT_FILES, require_distilled)
        check_checkpoint(folder)  # before another decoder is downloaded
        decoder = self._decoder_folder(report)
        loras = find_loras(folder, options.model, options.loras, self._style_loras, report)
        self._device_info = describe_device(device)
        choice = Chooser(options, device, self._device_info, self._home).choose(folder, report)
        self._optimizations, self._measured, self._memory = choice.optimizations, choice.measured, choice.memory
        self._quantizer = quantizer_for(self._optimizations)
        dtype = DTYPES.get(self._optimizations.precision, torch.bfloat16)
        try:
            model = load(
                folder, device=device, dtype=dtype, finish_block=self._quantizer, decoder=decoder, report=report,
                memory=self._memory, read=self._read, loras=loras,
            )  # fmt: skip
            if self._limited:
                limit_memory(device, LIMITED_WORKING_GB[self._memory])
            self._engine = Engine(
                model,
                text_tokens=options.text_tokens,
                prompt_cache_size=options.prompts_remembered,
                reference_px=options.reference_px,
                previews=options.previews,
                gpu_jpeg=self._optimizations.gpu_jpeg and gpu_jpeg_available(),
                loras=self._ready_loras(loras, model, report),
            )
            fits = partial(prompt_fits, model.tokenizer, tokens=options.text_tokens)
            self._fitter = PromptFitter(fits, "text_tokens")
            if options.policy_judge:
                report("loading the policy judge", 0.99)
                self._policy = self._load_policy_judge(folder, model)
        except torch.OutOfMemoryError as error:
            raise BackendUnavailable(
                f"{options.model} does not fit into the memory of {self._device_info.name}",
                fix="close other programs that use the GPU, or choose FLUX.2-klein-4B",
            ) from error
        except (OSError, ValueError, LookupError, SafetensorError) as error:
            # Another start would find the same files.
            raise BackendUnavailable(
                f"{options.model} cannot be loaded: {one_line(error)}",
                fix="download the whole model again, or choose another one",
            ) from error
        free_cached_memory()
        report("loaded", 1.0)

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Draw one picture eagerly, then make every size (width, height) fast, or leave that to ``idle``."""
        engine = self._require_engine()
        if sizes and not self._limited:
            report("drawing a first picture", 0.0)
            width, height = sizes[0]
            for _ in engine.draw(EngineJob("warm up", width, height)):
                pass
        self._warm_up = WarmUp(engine, self._optimizations, sizes, self._policy, saves_memory=self._limited)
        # The plain way takes more memory than the limit allows.
        while (self._limited or not self._options.warm_in_background) and self._warm_up.steps_left:
            report(*self._warm_up.next_step())

    def idle(self, report: Report) -> bool:
        """Do one warm-up step of a few seconds between two pictures; return True while there are more."""
        if self._warm_up is None or self._warm_up.steps_left == 0:
            return False
        self._require_engine().use_loras(())  # the schedules of a plan that is made now belong to none
        report(*self._warm_up.next_step())
        return self._warm_up.steps_left > 0

    def draw(self, request: ImageRequest) -> Iterator[StepCallback | BackendPicture]:
        """Draw one picture; when memory runs out, draw a smaller one, then a smaller one eagerly, then give up.

        Raises Unsupported, BackendError or BackendUnavailable.
        """
        engine, job = self._require_engine(), draw_job(request)
        if self._fitter is not None:
            job = replace(job, prompt=self._fitter.fit(request))
        if self._policy is not None:
            self._policy.discard()
        while True:
            try:
                yield from self._ask_policy_judge(request, self._draw_at_memory_level(engine, job))
                if self._warm_up is not None and self._memory_level == 0:
                    self._warm_up.add_shape(engine.shape_of(job))
                return
            except torch.OutOfMemoryError as error:
                self._reduce_memory(engine, error)

    def opinions(self) -> tuple[Judgement, ...]:
        """Wait for the policy judge's answer about the last picture; empty where that judge is off."""
        return () if self._policy is None else (self._policy.answer(),)

    @property
    def left_out_words(self) -> bool:
        """Whether the last picture was drawn without some of its author's words."""
        return self._fitter is not None and self._fitter.left_out_words

    def active(self) -> dict[str, str]:
        """Name the device, the model, each optimization in use or why it is not, and the results of the checks."""
        named = {"device": self._device_info.label, "model": self._options.model}
        if self._engine is None:
            return named
        results = {} if self._warm_up is None else self._warm_up.results
        checks = ", ".join(f"{name} {result}" for name, result in results.items() if result.startswith("error"))
        return {
            **named,
            **not_measured(self._device_info),
            **active_optimizations(self._optimizations, results),
            **({} if self._measured is None else {"measured": self._measured.in_words()}),
            "text_tokens": str(self._options.text_tokens),
            **self._counts(self._engine),
            **({} if self._policy is None else {"policy_judge": "on, its thresholds are not evaluated"}),
            **({"checks": checks} if checks else {}),
            **({} if self._fitter is None else self._fitter.active()),
            **active_loras(self._options.loras, self._switching),
        }

    @property
    def _limited(self) -> bool:
        """Whether less memory than usual was promised."""
        return self._memory != "full" and self._device.type == "cuda"

    def close(self) -> None:
        """Free the memory."""
        self._engine = self._warm_up = self._policy = None
        gc.collect()
        if self._limited:
            lift_limit(self._device)
        free_cached_memory()

    def _ask_policy_judge(
        self, request: ImageRequest, items: Generator[StepCallback | BackendPicture, None, None]
    ) -> Generator[StepCallback | BackendPicture, None, None]:
        """Ask the policy judge after the first step: the device is busy then, and nothing has to wait for the host."""
        for number, item in enumerate(items):
            if number == 0 and self._policy is not None:
                self._policy.start(request.text)
            yield item

    def _draw_at_memory_level(
        self, engine: Engine, job: EngineJob
    ) -> Generator[StepCallback | BackendPicture, None, None]:
        if self._memory_level == 0:
            yield from engine.draw(job)
            return
        for item in engine.draw(shrink_job(job)):
            yield item if isinstance(item, StepCallback) else HostPicture(enlarge(item.pixels(), job.width, job.height))

    def _reduce_memory(self, engine: Engine, error: torch.OutOfMemoryError) -> None:
        """Free what can be freed, and use less memory from now on; raise BackendUnavailable if nothing is left."""
        self._memory_level += 1
        engine.prompt_cache.clear()
        engine.forget_ad_hoc_plans()
        if self._memory_level >= 2:
            engine.fall_back_to_eager()
            self._warm_up = None
        gc.collect()
        free_cached_memory()
        if self._memory_level == len(MEMORY_LEVELS):
            raise BackendUnavailable(
                f"the memory of {self._device_info.name} is too small even for a small picture",
                fix="close other programs that use the GPU, choose smaller sizes, or FLUX.2-klein-4B",
            ) from error
        log.warning("out of GPU memory: %s from now on", MEMORY_LEVELS[self._memory_level])

    def _ready_loras(self, loras: KleinLoras | None, model: KleinModel, report: Report) -> LoraSwitch | None:
        """Try the LoRAs of every style once, and note how long each takes."""
        switch = None if loras is None else loras.switch(model.transformer)
        if switch is not None:
            report("trying the styles' LoRAs", 0.97)
            if not self._limited:
                switch.move_masters_if_half_stays_free()
            self._switching = switch.try_each()
        return switch

    def _load_policy_judge(self, folder: Path, model: KleinModel) -> PolicyJudge:
        head = load_head(
            folder / "text_encoder",
            model.tokenizer,
            device=model.device,
            dtype=model.dtype,
            finish_block=self._quantizer,
        )
        options = self._options
        thresholds = Thresholds(hold={CLASS: options.policy_hold}, block={CLASS: options.policy_block})
        return PolicyJudge(model, head, thresholds)

    def _decoder_folder(self, report: Report) -> Path | None:
        if self._options.decoder == "full":
            return None
        name = self._options.decoder
        return find_checkpoint(DECODERS.get(name, name), report, VAE_FILES)

    def _counts(self, engine: Engine) -> dict[str, str]:
        eight_bit = count_eight_bit(engine.model.transformer, engine.model.encoder)
        sizes = ", ".join(str(shape) for shape in engine.plans) or "none yet"
        left = 0 if self._warm_up is None else self._warm_up.steps_left
        waiting = f", {left} warm-up steps left" if left else ""
        memory = {"memory": MEMORY_LEVELS[self._memory_level] or self._memory}
        return {"eight_bit_layers": str(eight_bit), "fast_sizes": sizes + waiting, **memory}

    def _require_engine(self) -> Engine:
        if self._engine is None:
            raise BackendUnavailable("the model is not loaded")
        return self._engine


def draw_job(request: ImageRequest) -> EngineJob:
    """Turn a request into a job; raise Unsupported for too many steps, BackendError for an unusable reference."""
    params = request.params
    if params.num_inference_steps > MOST_STEPS:
        raise Unsupported("a distilled Klein draws in four steps", fix=f"set num_inference_steps to {DISTILLED_STEPS}")
    return EngineJob(
        prompt=request.prompt,
        width=params.width,
        height=params.height,
        steps=params.num_inference_steps,
        seed=params.seed,
        reference=None if request.reference is None else open_reference(request.reference),
        loras=request.loras,
    )


def quantizer_for(optimizations: Optimizations) -> Quantizer:
    """Return what fuses and quantizes each block as it is loaded."""
    precision = optimizations.precision
    return Quantizer(optimizations.fused_qkv, eight_bit_dtype(precision), precision.endswith("-weights"))


def active_optimizations(optimizations: Optimizations, results: dict[str, str]) -> dict[str, str]:
    """Say for each optimization "on" or its value, or "off:" and why its check did not pass."""
    on = {name: "on" if value is True else str(value) for name, value in asdict(optimizations).items() if value}
    if optimizations.kernels and "compile" not in results:
        on.pop("compile", None)  # it is only used where the kernels cannot be
    failed = {name: result for name, result in results.items() if not result.startswith("error")}
    return on | {CHECK_NAMES.get(name, name): f"off: {result.removeprefix('off: ')}" for name, result in failed.items()}
