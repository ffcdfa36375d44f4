"""The openvino backend: load a one-step model, warm it up, and draw on the processor."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from streamer.errors import BackendUnavailable, Unsupported
from streamer.generator import processor as speed
from streamer.generator.backend import BackendPicture, HostPicture, Report, StepCallback, one_line
from streamer.generator.backends.openvino import Options
from streamer.generator.klein.reference_image import open_reference
from streamer.generator.openvino.loading import find_model, load_pipeline, source_of
from streamer.generator.openvino.runtime import Processor
from streamer.generator.openvino.sizes import SizeRule, fill
from streamer.generator.pipelines.calls import PictureJob, call_pipeline, prompt_fits
from streamer.generator.pipelines.loading import Checkpoint
from streamer.generator.pipelines.picture import step_reporter, to_bytes
from streamer.generator.pipelines.previews import Previews
from streamer.generator.pipelines.steps import CallThread, Steps
from streamer.generator.prompt_fit import PromptFitter
from streamer.lru import LruDict
from streamer.types import ImageRequest, RequestKind

MOST_STEPS = 50
DEADLINE_S = 60.0
SIZES_SHOWN = 8
"""How many of the last sizes the status tells that were scaled."""
Drawn = StepCallback | BackendPicture


class OpenVinoBackend:
    """Draw with one pipeline, on a thread of its own; ``home`` is the state folder."""

    edits = True
    most_steps = MOST_STEPS

    def __init__(self, options: Options, home: Path) -> None:
        self._options, self._home, self._thread = options, home, CallThread()
        self._processor: Processor | None = None
        self._checkpoint: Checkpoint | None = None
        self._pipeline: Any = None
        self._sizes = SizeRule(512, 64)
        self._scaled: LruDict[tuple[int, int], str] = LruDict(SIZES_SHOWN)
        self._seconds: float | None = None
        self._fitter: PromptFitter | None = None

    def load(self, report: Report) -> None:
        """Fetch the model, convert it if that was not done before, and compile it for this processor.

        Raises BackendUnavailable with a fix.
        """
        options = self._options
        checkpoint = self._checkpoint = find_model(options.model, report)
        source = source_of(checkpoint, options.decoder, report)
        processor = self._processor = Processor(options.precision, options.threads)
        networks = self._home / "openvino"
        try:
            self._pipeline = self._thread.run(
                partial(load_pipeline, source, processor, options.weights, networks, report)
            )
        except (OSError, ValueError, LookupError, RuntimeError, SafetensorError) as error:
            raise BackendUnavailable(
                f"{checkpoint.name} cannot be loaded: {one_line(error)}",
                fix=f"delete {networks} and start again, or choose another model",
            ) from error
        self.edits = checkpoint.row is None or checkpoint.row.edits
        self._sizes = _size_rule(self._pipeline)
        self._fitter = PromptFitter(partial(prompt_fits, self._pipeline), "what the model reads")
        report("loaded", 1.0)

    def warm_up(self, sizes: Sequence[tuple[int, int]], report: Report) -> None:
        """Draw each size once, since OpenVINO prepares a size when it first meets it; then time one picture."""
        drawn = sorted({self._sizes.drawn(*size) for size in sizes})
        for number, (width, height) in enumerate(drawn):
            report("drawing a first picture", number / len(drawn))
            self._thread.run(partial(self._call, self._job("warm up", width, height), None))
        if drawn and self._checkpoint is not None:
            report("measuring this processor", 1.0)
            self._seconds = self._time_picture()
            speed.remember_picture(self._home, self._checkpoint.name, self._seconds)

    def draw(self, request: ImageRequest) -> Iterator[Drawn]:
        """Draw one picture in a size that the model can draw, and scale it to the one that was asked for.

        Raises Unsupported, BackendError or BackendUnavailable.
        """
        job, wanted = self._job_of(request), (request.params.width, request.params.height)
        if wanted != (job.width, job.height):
            self._scaled.put(wanted, f"{_size(wanted)} from {_size((job.width, job.height))}")
        drawing: Generator[Drawn, None, None] = self._thread.steps(partial(self._call, job))
        for item in drawing:
            yield item if isinstance(item, StepCallback) else HostPicture(fill(item.pixels(), *wanted))

    @property
    def left_out_words(self) -> bool:
        """Whether the last picture was drawn without some of its author's words."""
        return self._fitter is not None and self._fitter.left_out_words

    def active(self) -> dict[str, str]:
        """Name the processor, the model, its numbers, its speed, and which sizes are scaled."""
        options, processor = self._options, self._processor
        if processor is None or self._checkpoint is None:
            return {"device": "CPU", "engine": "OpenVINO"}
        scaled = ", ".join(self._scaled.values())
        return {
            "device": processor.name,
            "engine": f"OpenVINO {processor.version}",
            "model": self._checkpoint.name,
            "precision": processor.precision,
            "weights": options.weights,
            "decoder": options.decoder,
            **({} if self._seconds is None else {"speed": f"{self._seconds:.2f} s for {_size(self._native)}"}),
            **({"scaled": scaled} if scaled else {}),
            **({} if self._fitter is None else self._fitter.active()),
        }

    def close(self) -> None:
        """Free the memory."""
        self._pipeline = None
        self._thread.close()
        gc.collect()

    @property
    def _native(self) -> tuple[int, int]:
        return self._sizes.side, self._sizes.side

    def _time_picture(self) -> float:
        """Draw one picture of the model's own size twice; return the seconds of the second one."""
        job = self._job("a measured picture", *self._native)
        self._thread.run(partial(self._call, job, None))
        began = time.perf_counter()
        self._thread.run(partial(self._call, job, None))
        return time.perf_counter() - began

    def _job(self, prompt: str, width: int, height: int) -> PictureJob:
        sampling = self._options.sampling
        return PictureJob(
            prompt, width, height, sampling.steps, sampling.guidance, 0, strength=self._options.edit_strength
        )

    def _job_of(self, request: ImageRequest) -> PictureJob:
        """Turn a request into a job; raise Unsupported or BackendError for what cannot be drawn."""
        if self._pipeline is None or self._fitter is None:
            raise BackendUnavailable("the model is not loaded")
        if request.kind is RequestKind.EDIT and not self.edits:
            raise Unsupported(
                "this model only draws new pictures", fix="set generator.use to sd-turbo, which starts from a picture"
            )
        params = request.params
        return replace(
            self._job(self._fitter.fit(request), *self._sizes.drawn(params.width, params.height)),
            steps=params.num_inference_steps,
            guidance=params.guidance_scale,
            seed=params.seed,
            reference=None if request.reference is None else open_reference(request.reference),
        )

    def _call(self, job: PictureJob, steps: Steps[Drawn] | None) -> Drawn:
        """Draw one picture on the thread, handing each step over."""
        reporter = step_reporter(job, steps, Previews(self._pipeline, None), DEADLINE_S)
        picture = to_bytes(call_pipeline(self._pipeline, job, reporter), "openvino", "float32")
        return HostPicture(picture.numpy())


def _size_rule(pipeline: Any) -> SizeRule:
    """Read from a pipeline's configs what it was trained on, and by how much its UNet halves a picture."""
    factor = pipeline.vae_scale_factor
    halvings = len(pipeline.unet.config.block_out_channels) - 1
    return SizeRule(pipeline.unet.config.sample_size * factor, factor * 2**halvings)


def _size(size: tuple[int, int]) -> str:
    return "x".join(map(str, size))
