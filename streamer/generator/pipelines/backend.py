"""The diffusers backend: load a pipeline, make it fast for this machine, and draw."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import torch
from safetensors import SafetensorError
from torch import Tensor

from streamer.errors import BackendUnavailable, Unsupported
from streamer.generator.backend import BackendPicture, HostPicture, Report, StepCallback, one_line
from streamer.generator.backends.diffusers import Options
from streamer.generator.klein.device import describe_device, find_device, free_cached_memory
from streamer.generator.klein.device_picture import DevicePicture, gpu_jpeg_available
from streamer.generator.klein.optimizations import DeviceInfo, not_measured
from streamer.generator.klein.reference_image import open_reference
from streamer.generator.klein.vram import SMALLER_SIDE, enlarge
from streamer.generator.lora.switch import LoraSwitch, active_loras, use_loras
from streamer.generator.pipelines.calls import PictureJob, call_pipeline, can_edit, prompt_fits
from streamer.generator.pipelines.loading import FILES, Checkpoint, PipelineSource, precision_of
from streamer.generator.pipelines.loras import Headers, find_loras, merge_loras
from streamer.generator.pipelines.options import OptimizationName
from streamer.generator.pipelines.picture import step_reporter, to_bytes
from streamer.generator.pipelines.previews import Previews, fit_colours
from streamer.generator.pipelines.speed import SpeedUp
from streamer.generator.pipelines.steps import CallThread, Steps
from streamer.generator.prompt_fit import PromptFitter
from streamer.types import ImageRequest, Lora, RequestKind

log = logging.getLogger(__name__)

MOST_STEPS = 100
DEADLINE_S = 60.0
MEMORY_LEVELS = ("", "smaller pictures", "smaller pictures, plain PyTorch")
"""What is done at each level of memory shortage, as the panel shows it."""
Drawn = StepCallback | BackendPicture


class DiffusersBackend:
    """Draw with one pipeline; its own thread alone touches the device."""

    edits = True
    most_steps = MOST_STEPS

    def __init__(self, options: Options, source: PipelineSource = FILES) -> None:
        self._options, self._source, self._thread = options, source, CallThread()
        self._device, self._device_info = torch.device("cpu"), DeviceInfo("cpu", "CPU")
        self._checkpoint: Checkpoint | None = None
        self._pipeline: Any = None
        self._precision, self._in_parts, self._gpu_jpeg = "float32", False, False
        self._colours: Tensor | None = None
        self._speed_up: SpeedUp | None = None
        self._memory_level = 0
        self._fitter: PromptFitter | None = None
        self._style_loras: Sequence[Lora] = ()
        self._switch: LoraSwitch | None = None
        self._switching = ""

    def expect_loras(self, loras: Sequence[Lora]) -> None:
        """Make these LoRAs ready while loading."""
        self._style_loras = loras

    def load(self, report: Report) -> None:
        """Find the device, fetch the model and load its parts.

        Raises BackendUnavailable with a fix where the machine, the model or the memory does not allow it.
        """
        self._device = find_device(self._options.device)
        info = self._device_info = describe_device(self._device)
        checkpoint = self._checkpoint = self._source.find(self._options.model, report)
        self._precision = precision_of(checkpoint, self._options.precision, self._device)
        loras = find_loras(self._options.model, (*self._options.loras, *self._style_loras), report)
        report("loading the model", 0.5)
        try:
            self._pipeline, self._in_parts = self._thread.run(
                partial(self._source.load, checkpoint, self._device, self._precision, info.memory_gb)
            )
            if loras:
                report("merging LoRAs", 0.9)
                self._thread.run(partial(self._ready_loras, loras))
            self.edits = can_edit(self._pipeline)
            self._fitter = PromptFitter(partial(prompt_fits, self._pipeline), "what the model reads")
            if self._options.previews and not self._in_parts:
                self._colours = self._thread.run(partial(fit_colours, self._pipeline.vae))
        except torch.OutOfMemoryError as error:
            raise BackendUnavailable(
                f"{checkpoint.name} does not fit into the memory of {self._device_info.name}",
                fix="close other programs that use the GPU, or choose a smaller model: run streamer models",
            ) from error
        except (OSError, ValueError, LookupError, ImportError, SafetensorError) as error:
            raise BackendUnavailable(
                f"{checkpoint.name} cannot be loaded: {one_line(error)}",
                fix="download the whole model again, or choose another one",
            ) from error
        self._gpu_jpeg = info.kind == "cuda" and gpu_jpeg_available()
        report("loaded", 1.0)

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Draw each size once eagerly, then try every optimization, or leave that to ``idle``."""
        speed_up = SpeedUp(self._pipeline, self._device, self._options.without)
        with speed_up.watching():
            for number, (width, height) in enumerate(sizes):
                report("drawing a first picture", number / len(sizes))
                self._thread.run(partial(self._call, self._job("warm up", width, height), None))
        if self._options.optimize == "auto" and not self._in_parts and sizes and self._device_info.is_measured:
            self._speed_up = speed_up
        while not self._options.warm_in_background and self.idle(report):
            pass

    def idle(self, report: Report) -> bool:
        """Try one optimization between two pictures; return True while there are more."""
        if self._speed_up is None or self._speed_up.steps_left == 0:
            return False
        report(self._thread.run(self._speed_up.next_step), 1.0 / (1 + self._speed_up.steps_left))
        return self._speed_up.steps_left > 0

    def draw(self, request: ImageRequest) -> Iterator[Drawn]:
        """Draw one picture; when memory runs out, draw a smaller one, then a smaller one eagerly, then give up.

        Raises Unsupported, BackendError or BackendUnavailable.
        """
        job = self._job_of(request)
        while True:
            try:
                yield from self._drawn(job)
                return
            except torch.OutOfMemoryError as error:
                self._reduce_memory(error)

    @property
    def left_out_words(self) -> bool:
        """Whether the last picture was drawn without some of its author's words."""
        return self._fitter is not None and self._fitter.left_out_words

    def active(self) -> dict[str, str]:
        """Name the device, the model, each optimization in use or why it is not."""
        named = {"device": self._device_info.label, "model": self._checkpoint.name if self._checkpoint else ""}
        results = {} if self._speed_up is None else self._speed_up.results
        checks = ", ".join(f"{name} {result}" for name, result in results.items() if result.startswith("error"))
        return {
            **named,
            "precision": self._precision,
            **not_measured(self._device_info, get_args(OptimizationName)),
            **{name: "on" if result.startswith("error") else f"off: {result}" for name, result in results.items()},
            **({"checks": checks} if checks else {}),
            **({"parts": "one at a time on the GPU"} if self._in_parts else {}),
            **({"memory": MEMORY_LEVELS[self._memory_level]} if self._memory_level else {}),
            **({} if self._fitter is None else self._fitter.active()),
            **active_loras(self._options.loras, self._switching),
        }

    def close(self) -> None:
        """Free the memory."""
        self._pipeline = self._speed_up = self._colours = self._switch = None
        self._thread.close()
        _free()

    def _ready_loras(self, loras: Headers) -> None:
        """Merge the LoRAs of every picture, and try those of every style once."""
        options = self._options
        self._switch = merge_loras(self._pipeline, self._device, options.model, loras, options.loras, self._style_loras)
        if self._switch is not None:
            if not self._in_parts:
                self._switch.move_masters_if_half_stays_free()
            self._switching = self._switch.try_each()

    def _job(self, prompt: str, width: int, height: int) -> PictureJob:
        sampling = self._options.sampling
        row = self._checkpoint.row if self._checkpoint else None
        return PictureJob(
            prompt, width, height, sampling.steps, sampling.guidance, 0, row.sigmas if row else None,
            strength=self._options.edit_strength,
        )  # fmt: skip

    def _job_of(self, request: ImageRequest) -> PictureJob:
        """Turn a request into a job; raise Unsupported or BackendError for what cannot be drawn."""
        if self._pipeline is None or self._fitter is None:
            raise BackendUnavailable("the model is not loaded")
        if request.kind is RequestKind.EDIT and not self.edits:
            raise Unsupported("this model only draws new pictures", fix="choose one that edits: run streamer models")
        params = request.params
        return replace(
            self._job(self._fitter.fit(request), params.width, params.height),
            steps=params.num_inference_steps,
            guidance=params.guidance_scale,
            seed=params.seed,
            reference=None if request.reference is None else open_reference(request.reference),
            loras=request.loras,
        )

    def _drawn(self, job: PictureJob) -> Generator[Drawn, None, None]:
        smaller = replace(job, width=_smaller(job.width), height=_smaller(job.height)) if self._memory_level else job
        drawing: Generator[Drawn, None, None] = self._thread.steps(partial(self._call, smaller))
        for item in drawing:
            if isinstance(item, StepCallback) or (item.width, item.height) == (job.width, job.height):
                yield item
            else:
                yield HostPicture(enlarge(item.pixels(), job.width, job.height))

    def _call(self, job: PictureJob, steps: Steps[Drawn] | None) -> Drawn:
        """Draw one picture on the thread, handing each step over."""
        reporter = step_reporter(job, steps, Previews(self._pipeline, self._colours), DEADLINE_S)
        use_loras(self._switch, job.loras)
        picture = call_pipeline(self._pipeline, job, reporter)
        return DevicePicture(to_bytes(picture, "diffusers", "bfloat16"), self._gpu_jpeg)

    def _reduce_memory(self, error: torch.OutOfMemoryError) -> None:
        """Free what can be freed, and use less memory from now on; raise BackendUnavailable if nothing is left."""
        self._memory_level += 1
        if self._memory_level == len(MEMORY_LEVELS):
            raise BackendUnavailable(
                f"the memory of {self._device_info.name} is too small even for a small picture",
                fix="close other programs that use the GPU, or choose a smaller model: run streamer models",
            ) from error
        log.warning("out of GPU memory: %s from now on", MEMORY_LEVELS[self._memory_level])
        self._thread.run(self._fall_back if self._memory_level >= 2 else _free)

    def _fall_back(self) -> None:
        """Take every optimization out, and decode in slices."""
        if self._speed_up is not None:
            self._speed_up.take_all_out()
            self._speed_up = None
        free: Callable[[], None] = getattr(self._pipeline.vae, "enable_tiling", lambda: None)
        free()
        _free()


def _smaller(side: int) -> int:
    return max(64, int(side * SMALLER_SIDE) // 16 * 16)


def _free() -> None:
    gc.collect()
    free_cached_memory()
