"""Measure one case in this process: load, count the arithmetic, warm up, and draw the same prompt several times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from streamer.commands.options import Sampling
from streamer.errors import BackendError
from streamer.generator.backend import Backend, Report, StepCallback
from streamer.generator.backend_choice import load_backend_module
from streamer.generator.benchmark import random_weights
from streamer.generator.benchmark.cards import named
from streamer.generator.benchmark.device import TORCH_BACKENDS, DrawingDevice, device_of
from streamer.generator.benchmark.results import Case, Row
from streamer.generator.models import Fit, find, fit
from streamer.generator.render.encode import encode, mark_jpeg
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

if TYPE_CHECKING:
    from streamer.generator.benchmark.work import Work
    from streamer.generator.klein.optimizations import Precision

PROMPT = "an old lighthouse on a cliff in a storm, wide establishing shot"
QUALITY = 88
"""The JPEG quality with which pictures go on air."""
UNCOUNTED = 2
"""How many pictures are drawn before the clock starts."""
FOREVER = 1e12


class CannotMeasureError(Exception):
    """A case that this machine cannot draw, or not as it was asked for; the message is the reason."""


def measure(case: Case, report: Report) -> Row:
    """Measure one case; raises CannotMeasureError with the reason where it cannot be drawn here."""
    try:
        device = device_of(case.backend)
        require_fit(case, device.memory_gb)
        return measure_stock(case, device, report) if case.stock else measure_backend(case, device, report)
    except BackendError as error:
        raise CannotMeasureError(str(error)) from error
    except Exception as error:
        # Of PyTorch, which is not imported for a painter.
        if type(error).__name__ == "OutOfMemoryError":
            raise CannotMeasureError("the memory of the GPU does not suffice") from error
        raise


def require_fit(case: Case, memory_gb: float | None) -> None:
    """Raise CannotMeasureError for a listed model that does not fit into a GPU of so much memory, in 10^9 bytes."""
    row = find(case.model)
    if row is None or row.backend == "openvino":
        return
    fits, needed = fit(row, memory_gb), row.memory.get(case.precision, row.least_memory)
    if memory_gb is None:
        raise CannotMeasureError(fits.value)
    if row.backend == "klein" and not case.stock:
        return  # it knows itself with how little it can do
    # Random weights are not drawn one part at a time.
    if fits is Fit.NOT or (case.random and needed > memory_gb):
        raise CannotMeasureError(f"needs {needed:g} GB of GPU memory, and the card has {memory_gb:.1f} GB")


def measure_backend(case: Case, device: DrawingDevice, report: Report) -> Row:
    """Measure the program's own backend."""
    sampling = sampling_of(case)
    began = time.perf_counter()
    with created(case, device) as (backend, model):
        backend.load(report)
        work = counted_work(case, lambda: jpeg_of(backend, request_for(case, sampling, 0)))
        backend.warm_up([(case.width, case.height)], report)
        ready_s = time.perf_counter() - began
        times = timed(lambda seed: jpeg_of(backend, request_for(case, sampling, seed)), case.runs, report)
        active = {name: value for name, value in backend.active().items() if name != "model"}
        peak = device.peak_gb()
        backend.close()
        precision = active.get("precision", case.precision)
        work = klein_work_of(case, model, precision, sampling, report) if case.backend == "klein" else work
    if "smaller pictures" in active.get("memory", ""):
        raise CannotMeasureError(f"the memory of the GPU does not suffice: it drew {active['memory']}")
    row = Row(case, device.name, precision, sampling.steps, times, ready_s, peak, active=active)
    return with_floor(row, work, device) if work else row


def measure_stock(case: Case, device: DrawingDevice, report: Report) -> Row:
    """Measure the unmodified diffusers pipeline."""
    from streamer.generator.benchmark.stock import StockPipeline

    sampling = sampling_of(case)
    began = time.perf_counter()
    stock = StockPipeline(case, device, report)
    ready_s = time.perf_counter() - began
    times = timed(stock.drawing(case, sampling, PROMPT, QUALITY), case.runs, report)
    return Row(
        case, device.name, stock.precision, sampling.steps, times, ready_s, device.peak_gb(), active=stock.active()
    )


@contextmanager
def created(case: Case, device: DrawingDevice) -> Iterator[tuple[Backend, str]]:
    """Create the backend of a case, not loaded yet, and name its model; what random weights need exists as long."""
    module = load_backend_module(case.backend)
    with TemporaryDirectory(prefix="streamer-bench-") as folder:
        model = random_weights.model_for(case.model, Path(folder)) if case.random else case.model
        options = module.Options.model_validate(options_for(case, model, device))
        yield module.create(options, **random_weights.parts_for(case.model) if case.random else {}), model


def options_for(case: Case, model: str, device: DrawingDevice) -> dict[str, object]:
    """Return the options of a case's backend; those that are no question of speed stay as they are by default."""
    if case.backend == "openvino":
        return {"model": case.model}
    if case.backend not in TORCH_BACKENDS:
        return {}
    common = {"precision": case.precision, "warm_in_background": False, "device": "auto" if device.is_gpu else "cpu"}
    if case.backend == "diffusers":
        return {"model": model, **common}
    row = find(model)
    # Every picture reads its prompt: otherwise the second would be another measurement than the first.
    return {"model": row.repository if row else model, "prompts_remembered": 0, **common}


def sampling_of(case: Case) -> Sampling:
    """Return how many steps a model is made for, and how much guidance."""
    if (row := find(case.model)) is not None:
        return row.sampling
    if case.backend != "diffusers":
        return Sampling()
    # The options know for any model what its backend draws it with.
    sampling: Sampling = load_backend_module(case.backend).Options(model=case.model).sampling
    return sampling


def counted_work(case: Case, draw: Callable[[], object]) -> Work | None:
    """Draw a first picture of a pipeline and return what it took of arithmetic; None for any other backend."""
    if case.backend != "diffusers":
        return None
    from streamer.generator.benchmark.work import counted

    with counted() as work:
        draw()
    return work


def klein_work_of(case: Case, model: str, precision: str, sampling: Sampling, report: Report) -> Work:
    """Count the arithmetic of Klein without drawing: its first picture may need more memory than there is."""
    from streamer.generator.benchmark.klein_work import klein_work
    from streamer.generator.klein.download import CHECKPOINT_FILES, find_checkpoint
    from streamer.generator.klein.shapes import Shape, whole_patches

    row = find(model)
    folder = find_checkpoint(row.repository if row else model, report, CHECKPOINT_FILES)
    shape = Shape(*whole_patches(case.width, case.height), load_backend_module("klein").Options().text_tokens)
    return klein_work(folder, shape, cast("Precision", precision), sampling.steps)


def with_floor(row: Row, work: Work, device: DrawingDevice) -> Row:
    """Add the floor of what was counted, here and on the other cards that were named."""
    from streamer.generator.benchmark.floor import floor_of, floor_on, peak_of
    from streamer.generator.benchmark.work import tflop_by_kind

    # It is chosen while warming up, after the counting.
    attention = "fp8" if row.active.get("attention") == "fp8" else None
    dtypes = {product.dtype for product in work} | ({attention} if attention else set())
    floor = floor_of(work, peak_of(device.torch, dtypes), attention=attention)
    others = {name: floor_on(named(name), work, attention=attention) for name in row.case.cards}
    elsewhere = {name: other for name, other in others.items() if other is not None}
    return replace(row, tflop=tflop_by_kind(work), floor=floor, elsewhere=elsewhere)


def request_for(case: Case, sampling: Sampling, seed: int) -> ImageRequest:
    """Return the request of one picture."""
    params = SamplingParams(case.width, case.height, sampling.steps, sampling.guidance, seed)
    return ImageRequest(
        f"bench-{seed}", "bg", RequestKind.BACKGROUND, "background", PROMPT, PROMPT, params,
        Actor("bench", "bench", Role.BROADCASTER), Lane.BROADCASTER, 0.0, FOREVER, words=PROMPT,
    )  # fmt: skip


def jpeg_of(backend: Backend, request: ImageRequest) -> bytes:
    """Draw one picture and encode it as it would go on air."""
    *_, picture = backend.draw(request)
    assert not isinstance(picture, StepCallback)
    file = picture.jpeg(QUALITY)
    return encode(picture.pixels(), QUALITY)[1] if file is None else mark_jpeg(file)


def timed(draw: Callable[[int], object], runs: int, report: Report) -> list[float]:
    """Draw one picture after the other, and return the milliseconds of those that count."""
    times = []
    for number in range(UNCOUNTED + runs):
        report("drawing", max(0, number - UNCOUNTED) / runs)
        began = time.perf_counter()
        draw(number + 1)
        times.append((time.perf_counter() - began) * 1000)
    return times[UNCOUNTED:]
