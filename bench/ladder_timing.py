"""Measure one model at one size for the ladder: timings, stock diffusers as the reference, floors and errors."""

from __future__ import annotations

import gc
import io
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image

from streamer.generator.klein.quantize import FP8
from streamer.generator.klein.vae import tokens_to_latents
from streamer.generator.klein.verify import relative_error

PROMPT = "a neon city at night in the rain, wide establishing shot, volumetric light, stream background"


QUALITY = 88


STEPS = 4


@dataclass
class Bench:
    """One model at one size, and its measurements."""

    model: str
    width: int
    height: int
    text: int
    runs: int
    pipeline: Any
    device: torch.device
    dtype: torch.dtype
    metrics: dict[str, Any] = field(default_factory=dict)
    truth: torch.Tensor | None = None
    truth_pixels: np.ndarray | None = None

    @property
    def cuda(self) -> bool:
        return self.device.type == "cuda"

    def note(self, name: str, value: Any) -> None:
        self.metrics[name] = value
        print(f"[{time.monotonic() - BEGAN:6.1f}] {name}: {value}", flush=True)


BEGAN = time.monotonic()


def timed(bench: Bench, work: Callable[[], Any], runs: int | None = None) -> dict[str, float]:
    """Return median, minimum and maximum milliseconds; every run is synchronized."""
    times = []
    for index in range(2 + (runs or bench.runs)):
        settle(bench)
        began = time.perf_counter()
        work()
        settle(bench)
        if index >= 2:
            times.append((time.perf_counter() - began) * 1e3)
    return {"ms": round(statistics.median(times), 2), "min": round(min(times), 2), "max": round(max(times), 2)}


def isolated(bench: Bench, work: Callable[[], Any], runs: int = 8) -> float:
    """Return the median with a pause before each run, as on a stream: without pauses the GPU throttles on power."""
    times = []
    for _ in range(runs):
        time.sleep(0.3 if bench.cuda else 0)
        settle(bench)
        began = time.perf_counter()
        work()
        settle(bench)
        times.append((time.perf_counter() - began) * 1e3)
    return round(statistics.median(times), 2)


def settle(bench: Bench) -> None:
    if bench.cuda:
        torch.cuda.synchronize()


def peaks(bench: Bench) -> None:
    """Measure the throughput of a large matrix product on this machine, from which the floors are computed."""
    size = 8192
    a, b = (torch.randn(size, size, device=bench.device, dtype=torch.bfloat16) for _ in range(2))
    rate = 2 * size**3 / 1e9
    bench.note("bf16_peak_tflops", round(rate / timed(bench, lambda: a @ b, 20)["ms"], 0))
    if torch.cuda.get_device_capability() >= (8, 9):
        one, a8, b8 = torch.ones((), device=bench.device), a.to(FP8), b.to(FP8).t().contiguous().t()
        product = lambda: torch._scaled_mm(  # noqa: E731
            a8, b8, scale_a=one, scale_b=one, out_dtype=torch.bfloat16, use_fast_accum=True
        )
        bench.note("fp8_peak_tflops", round(rate / timed(bench, product, 20)["ms"], 0))
    ai, bi = (torch.randint(-127, 127, (size, size), device=bench.device, dtype=torch.int8) for _ in range(2))
    bench.note("int8_peak_tops", round(rate / timed(bench, lambda: torch._int_mm(ai, bi.t()), 20)["ms"], 0))


def noise_of(bench: Bench) -> torch.Tensor:
    seeded = torch.Generator("cpu").manual_seed(7)
    size = (1, 128, bench.height // 16, bench.width // 16)
    return torch.randn(size, generator=seeded, dtype=bench.dtype).to(bench.device)


def stock_picture(bench: Bench, output: str = "pil") -> Any:
    return bench.pipeline(
        prompt=PROMPT, height=bench.height, width=bench.width, num_inference_steps=STEPS, guidance_scale=1.0,
        latents=noise_of(bench), output_type=output, max_sequence_length=bench.text,
    ).images  # fmt: skip


def stock_jpeg(bench: Bench) -> bytes:
    return pillow_jpeg(stock_picture(bench)[0])


def pillow_jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def stock(bench: Bench) -> None:
    """Measure unmodified diffusers, whole and in parts, and keep its result as the reference."""
    reset_peak(bench)
    bench.note("stock", timed(bench, lambda: stock_jpeg(bench)) | peak_gb(bench))
    bench.truth = stock_picture(bench, "latent").float().clone()
    bench.truth_pixels = np.asarray(stock_picture(bench)[0]).astype(int)
    flops(bench)


def flops(bench: Bench) -> None:
    """Count the arithmetic of the three parts; derive the floors from the measured peaks."""
    from torch.utils.flop_counter import FlopCounterMode

    pipe = bench.pipeline
    embeds, ids = pipe.encode_prompt(PROMPT, device=bench.device, max_sequence_length=bench.text)
    layers = pipe.text_encoder.model.layers[:27]
    text = 2 * bench.text * sum(p.numel() for p in layers.parameters()) / 1e12
    latents = pipe._pack_latents(noise_of(bench))
    with FlopCounterMode(display=False) as counted:
        pipe.transformer(
            hidden_states=latents, timestep=torch.tensor([0.5], device=bench.device, dtype=bench.dtype), guidance=None,
            encoder_hidden_states=embeds, txt_ids=ids, return_dict=False,
            img_ids=pipe._prepare_latent_ids(noise_of(bench)).to(bench.device),
        )  # fmt: skip
    step = counted.get_total_flops() / 1e12
    blocks = len(pipe.transformer.transformer_blocks) + len(pipe.transformer.single_transformer_blocks)
    tokens = bench.text + latents.shape[1]
    attention = 4 * tokens**2 * pipe.transformer.inner_dim * blocks / 1e12
    with FlopCounterMode(display=False) as counted:
        pipe.vae.decode(tokens_to_latents(pipe.vae, latents, bench.height // 16, bench.width // 16))
    decode = counted.get_total_flops() / 1e12
    bench.note(
        "tflop",
        {
            n: round(v, 3)
            for n, v in zip(("text", "step", "attention", "decode"), (text, step, attention, decode), strict=True)
        },
    )
    bf16, fp8 = bench.metrics.get("bf16_peak_tflops"), bench.metrics.get("fp8_peak_tflops")
    if bf16 and fp8:
        wide = text + STEPS * step + decode
        bench.note("floor_bf16_ms", round(wide / bf16 * 1e3, 1))
        eight = (text + STEPS * (step - attention)) / fp8
        bench.note("floor_fp8_ms", round((eight + (STEPS * attention + decode) / bf16) * 1e3, 1))
        bench.note("floor_all_fp8_ms", round((eight + STEPS * attention / fp8 + decode / bf16) * 1e3, 1))


def error_of(bench: Bench, latents: torch.Tensor) -> dict[str, float]:
    if bench.truth is None:
        return {}
    return {"error": float(f"{relative_error(latents, bench.truth):.3g}")}


def pixel_error(bench: Bench, pixels: torch.Tensor) -> dict[str, float]:
    if bench.truth_pixels is None:
        return {}
    apart = np.abs(pixels.cpu().numpy().astype(int) - bench.truth_pixels)
    return {"pixel_mean": round(float(apart.mean()), 3), "pixel_max": int(apart.max())}


def reset_peak(bench: Bench) -> None:
    if bench.cuda:
        torch.cuda.reset_peak_memory_stats()


def peak_gb(bench: Bench) -> dict[str, float]:
    return {"peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2)} if bench.cuda else {}


def clean() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
