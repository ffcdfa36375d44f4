"""Draw a thousand pictures in a row with mixed sizes, cancellations and edits; memory and latency must not grow.

    python -m bench.endurance --model 4b --pictures 1000     one NVIDIA GPU, random weights
    python -m bench.endurance --model tiny --pictures 40     any machine, to check that the script works

Stock diffusers draws every tenth picture too, from the same noise and with unquantized weights.
"""

from __future__ import annotations

import argparse
import gc
import io
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.report import at_most, finish, percentile
from streamer.generator.klein.device_picture import DevicePicture, gpu_jpeg_available
from streamer.generator.klein.engine import Engine, EngineJob
from streamer.generator.klein.loading import from_pipeline
from streamer.generator.klein.noise import noise_of
from streamer.generator.klein.optimizations import Attention, Optimizations
from streamer.generator.klein.quantize import FP8, Quantizer
from streamer.generator.klein.testing import make_pipeline
from streamer.generator.klein.warmup import WarmUp

SIZES = {"tiny": [(96, 64), (64, 64)], "full": [(1280, 720), (1024, 1024), (768, 768), (512, 512)]}
WORDS = "harbour storm neon forest castle rain fox mountain city night snow desert temple river".split()  # noqa: SIM905


@dataclass
class Seen:
    """What the run measured."""

    latency_ms: dict[str, list[float]] = field(default_factory=dict)
    reserved_gb: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)
    jpeg_apart: list[float] = field(default_factory=list)
    cancelled: int = 0
    edited: int = 0


def main() -> None:
    """Draw, compare, and print the result as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny", choices=["tiny", "4b", "9b"])
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--compare-every", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop drawing after this long")
    asked = parser.parse_args()
    stock, engine = build(asked.model)
    seen, dice = Seen(), random.Random(1)
    sizes = SIZES["tiny" if asked.model == "tiny" else "full"]
    reference = Image.fromarray(np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8))
    began = time.monotonic()
    for number in range(asked.pictures):
        if time.monotonic() - began > asked.seconds:
            asked.pictures = number
            break
        job = a_job(number, sizes, dice, reference)
        kind = "cancel" if number % 10 == 3 else "edit" if job.reference is not None else "picture"
        if kind == "cancel":
            cancel(engine, job)
            seen.cancelled += 1
            continue
        pixels = draw(engine, job, kind, seen)
        if number % asked.compare_every == 0:
            seen.apart.append(float(np.abs(pixels.astype(int) - stock_pixels(stock, engine, job)).mean()))
            if seen.apart[-1] > 5:
                print(
                    "apart", number, job.width, job.height, repr(job.prompt), seen.apart[-1], pixels.mean(), flush=True
                )
        if number % 50 == 0 or asked.pictures < 100:
            note_memory(seen)
    report_drift(asked, seen, time.monotonic() - began)


def build(model: str) -> tuple[Any, Engine]:
    """Build the stock pipeline, and an engine with every optimization on the same weights."""
    cuda = torch.cuda.is_available()
    device = "cuda" if cuda else "cpu"
    stock = make_pipeline(model, dtype=torch.bfloat16, device=device)
    parts = from_pipeline(make_pipeline(model, dtype=torch.bfloat16, device=device))
    quantizer = Quantizer(True, FP8)
    for block in (*parts.transformer.transformer_blocks, *parts.transformer.single_transformer_blocks):
        quantizer(block)
    for layer in parts.encoder.layers:
        quantizer(layer)
    text = 64 if model == "tiny" else 512
    engine = Engine(parts, text_tokens=text, prompt_cache_size=16, gpu_jpeg=cuda and gpu_jpeg_available())
    attention: Attention = "fp8" if cuda and fp8_attention() else "cudnn"
    on = Optimizations("fp8", attention, True, True, False, True, True, True) if cuda else Optimizations("fp8")
    warm_up = WarmUp(engine, on, SIZES["tiny" if model == "tiny" else "full"])
    while warm_up.steps_left:
        warm_up.next_step()
    print(warm_up.results, flush=True)
    return stock, engine


def fp8_attention() -> bool:
    from streamer.generator.klein.kernels.attention import available

    return available()


def a_job(number: int, sizes: list[tuple[int, int]], dice: random.Random, reference: Image.Image) -> EngineJob:
    """Return the next job: some prompts repeat, and every tenth job edits a picture."""
    width, height = dice.choice(sizes)
    prompt = " ".join(dice.choices(WORDS, k=3)) if number % 3 else WORDS[number % 5]
    return EngineJob(prompt, width, height, seed=number, reference=reference if number % 10 == 7 else None)


def draw(engine: Engine, job: EngineJob, kind: str, seen: Seen) -> np.ndarray:
    """Draw one picture, encode it as a JPEG, and note how long that took."""
    began = time.perf_counter()
    *_, picture = engine.draw(job)
    assert isinstance(picture, DevicePicture)
    file = picture.jpeg(88)
    took_ms = (time.perf_counter() - began) * 1e3
    seen.latency_ms.setdefault(f"{kind} {job.width}x{job.height}", []).append(took_ms)
    seen.edited += kind == "edit"
    pixels: np.ndarray = picture.pixels()
    if file is not None:
        seen.jpeg_apart.append(float(np.abs(np.asarray(Image.open(io.BytesIO(file))).astype(int) - pixels).mean()))
    return pixels


def cancel(engine: Engine, job: EngineJob) -> None:
    """Stop a picture after its second step."""
    drawing = engine.draw(job)
    next(drawing)
    next(drawing)
    drawing.close()


def stock_pixels(stock: Any, engine: Engine, job: EngineJob) -> np.ndarray:
    """Draw the same picture with diffusers."""
    image = None
    if job.reference is not None:
        from streamer.generator.klein.reference_image import reference_size

        image = job.reference.resize(reference_size(*job.reference.size, 512), Image.Resampling.LANCZOS)
    width, height = job.width // 16 * 16, job.height // 16 * 16
    drawn = stock(
        prompt=job.prompt, image=image, width=width, height=height, num_inference_steps=job.steps, guidance_scale=1.0,
        max_sequence_length=engine.text_tokens,
        latents=noise_of(job.seed, 128, height // 16, width // 16, engine.model.dtype, engine.model.device),
    ).images[0]  # fmt: skip
    return np.asarray(drawn).astype(int)


def note_memory(seen: Seen) -> None:
    gc.collect()
    if torch.cuda.is_available():
        seen.reserved_gb.append(round(torch.cuda.memory_reserved() / 1e9, 2))
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    seen.resident_mb.append(round(pages * 4096 / 1e6))


def report_drift(asked: argparse.Namespace, seen: Seen, took_s: float) -> None:
    """Compare the first fifth of the pictures with the last, and print the JSON line."""
    drift: dict[str, dict[str, float]] = {}
    for kind, times in sorted(seen.latency_ms.items()):
        part = max(1, len(times) // 5)
        first, last = statistics.median(times[:part]), statistics.median(times[-part:])
        drift[kind] = {
            "count": len(times), "first_ms": round(first, 1), "last_ms": round(last, 1),
            "p95_ms": round(percentile(times, 0.95), 1), "max_ms": round(max(times), 1),
        }  # fmt: skip
    metrics = {
        "pictures": asked.pictures, "cancelled": seen.cancelled, "edited": seen.edited, "took_s": round(took_s, 1),
        "latency": drift, "reserved_gb": seen.reserved_gb, "resident_mb": seen.resident_mb,
        "pixels_apart_mean": round(statistics.mean(seen.apart), 3), "pixels_apart_max": round(max(seen.apart), 3),
        "compared": len(seen.apart), "jpeg_apart_max": round(max(seen.jpeg_apart, default=0.0), 2),
    }  # fmt: skip
    half = len(seen.resident_mb) // 2
    growth = max(seen.resident_mb[half:]) - max(seen.resident_mb[:half]) if half else 0
    worst = max((d["last_ms"] / d["first_ms"] for d in drift.values() if d["count"] >= 10), default=1.0)
    goals = [
        at_most("resident growth in the second half, MB", growth, 50),
        at_most("last fifth over first fifth", worst, 1.1),
    ]
    if seen.reserved_gb:
        more = round(max(seen.reserved_gb[half:]) - max(seen.reserved_gb[:half]), 2)
        goals.append(at_most("device memory growth in the second half, GB", more, 0))
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    finish("endurance", metrics, goals, device=name, model=asked.model)


if __name__ == "__main__":
    main()
