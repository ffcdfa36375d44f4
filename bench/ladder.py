"""Measure Klein at full size with random weights in one run: stock diffusers, the published recipe, then each rung.

    python -m bench.ladder --model 9b            one NVIDIA GPU; "4b" likewise
    python -m bench.ladder --model tiny          any machine, to check that the script works

Latency does not depend on the values of the weights, but quality does: nothing here says how good pictures are.
Every rung adds one optimization to the one before it. Times are from prompt to encoded JPEG, median of --runs after
two warm-ups.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from PIL import Image

from bench.ladder_timing import (
    PROMPT,
    QUALITY,
    STEPS,
    Bench,
    clean,
    error_of,
    isolated,
    noise_of,
    peak_gb,
    peaks,
    pillow_jpeg,
    pixel_error,
    reset_peak,
    settle,
    stock,
    stock_jpeg,
    stock_picture,
    timed,
)
from bench.report import at_least, at_most, finish
from streamer.generator.klein.device_picture import DevicePicture, gpu_jpeg_available
from streamer.generator.klein.engine import Engine, EngineJob
from streamer.generator.klein.loading import from_pipeline
from streamer.generator.klein.optimizations import Attention, Optimizations, Precision
from streamer.generator.klein.quantize import FP8, Quantizer, count_eight_bit
from streamer.generator.klein.reference_kv_cache import attend_to_kv_cache
from streamer.generator.klein.taef2 import TinyDecoder
from streamer.generator.klein.testing import make_pipeline
from streamer.generator.klein.text_encoder import PromptCache
from streamer.generator.klein.vae import tokens_to_latents
from streamer.generator.klein.warmup import WarmUp


def main() -> None:
    """Run the chosen measurements and print the result as the last line."""
    asked = arguments()
    width, height = map(int, asked.size.split("x"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16
    pipeline = make_pipeline(asked.model, dtype=dtype, device=str(device))
    bench = Bench(asked.model, width, height, asked.text, asked.runs, pipeline, device, dtype)
    rungs = asked.rungs.split(",")
    with torch.inference_mode():
        if "peaks" in rungs and bench.cuda:
            peaks(bench)
        if "stock" in rungs:
            stock(bench)
        if "article" in rungs and bench.cuda:
            article(bench)
    model = from_pipeline(pipeline)
    del pipeline
    model = ladder(bench, model, rungs)
    for spec in filter(None, asked.also.split(",")):
        also(bench, model, spec)
    if asked.edit:
        edits(bench, model)
    for name in filter(None, asked.decoders.split(",")):
        swap_decoder(model.vae, name, bench)
        for spec in filter(None, asked.also.split(",")):
            also(bench, model, spec, name)
    report(bench)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny", choices=["tiny", "4b", "9b"])
    parser.add_argument("--size", default="1024x1024")
    parser.add_argument("--text", type=int, default=512)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rungs", default="peaks,stock,article,loop,attention,qkv,compile,graphs,fp8,kernels")
    parser.add_argument("--also", default="", help="more sizes for the last rung: 512x512:128,1280x720:512")
    parser.add_argument("--decoders", default="", help="small,tiny: the sizes of --also again with these")
    parser.add_argument("--edit", action="store_true", help="measure an edit, and one with a KV checkpoint")
    parser.add_argument("--profile", action="store_true", help="print the kernels of one step of the last rung")
    return parser.parse_args()


def article(bench: Bench) -> None:
    """Measure the published recipe: fused QKV, and the whole transformer compiled with reduce-overhead."""
    pipe, plain = bench.pipeline, bench.pipeline.transformer
    plain.fuse_qkv_projections()
    reset_peak(bench)
    began = time.monotonic()
    pipe.transformer = torch.compile(plain, mode="reduce-overhead", fullgraph=True)
    try:
        stock_jpeg(bench)
        built = round(time.monotonic() - began, 1)
        bench.note(
            "article",
            timed(bench, lambda: stock_jpeg(bench))
            | peak_gb(bench)
            | {"build_s": built}
            | error_of(bench, stock_picture(bench, "latent")),
        )
    finally:
        pipe.transformer = plain
        plain.unfuse_qkv_projections()
        torch._dynamo.reset()
        clean()


def ladder(bench: Bench, model: Any, rungs: list[str]) -> Any:
    """Measure every rung, each on top of the one before; return the model as the last rung leaves it."""
    best: Attention = "cudnn" if bench.cuda and torch.cuda.get_device_capability() >= (9, 0) else "sdpa"
    optimizations = Optimizations(gpu_jpeg=bench.cuda)
    simple: dict[str, dict[str, Any]] = {
        "loop": {}, "attention": {"attention": best}, "qkv": {"fused_qkv": True},
        "compile": {"compile": True, "fast_decoder": True}, "graphs": {"graphs": bench.cuda},
        **({"fp8-attention": {"attention": "fp8"}} if bench.cuda else {}),
    }  # fmt: skip
    for name in rungs:
        if name in simple:
            optimizations = replace(optimizations, **simple[name])
            if name == "qkv":
                quantize(model, Quantizer(True, None))
        elif name in ("fp8", "int8"):
            optimizations = eight_bit(bench, name, best, optimizations)
            model = quantized_again(bench, model, FP8 if name == "fp8" else torch.int8)
        elif name == "kernels":
            optimizations = with_kernels(bench, model, best, optimizations)
        else:
            continue
        rung(bench, model, name, optimizations)
    bench.metrics["last"] = optimizations
    return model


def eight_bit(bench: Bench, name: str, best: Attention, before: Optimizations) -> Optimizations:
    """Add products in eight bits; int8 also switches on everything that makes it fast."""
    precision: Precision = "fp8" if name == "fp8" else "int8"
    after = replace(before, precision=precision, attention=best)
    if name == "int8":
        after = replace(after, fused_qkv=True, fast_decoder=True, kernels=bench.cuda, graphs=bench.cuda)
    return after


def quantized_again(bench: Bench, model: Any, kind: torch.dtype) -> Any:
    """Quantize the model, built anew if it was quantized before."""
    if count_eight_bit(model.transformer):
        model = again(bench)
    quantize(model, Quantizer(True, kind))
    bench.note("eight_bit_layers", count_eight_bit(model.transformer, model.encoder))
    return model


def with_kernels(bench: Bench, model: Any, best: Attention, before: Optimizations) -> Optimizations:
    """Add the kernels, with eight bits before them if no rung has brought those."""
    if count_eight_bit(model.transformer):
        return replace(before, kernels=bench.cuda)
    quantize(model, Quantizer(True, FP8))
    return replace(
        before, precision="fp8", attention=best, fused_qkv=True, fast_decoder=True, graphs=bench.cuda,
        kernels=bench.cuda,
    )  # fmt: skip


def again(bench: Bench) -> Any:
    """Build the same weights again: quantizing in place left no wide copy."""
    bench.pipeline = None
    clean()
    bench.pipeline = make_pipeline(bench.model, dtype=bench.dtype, device=str(bench.device))
    return from_pipeline(bench.pipeline)


def quantize(model: Any, quantizer: Quantizer) -> None:
    blocks = [
        *model.transformer.transformer_blocks,
        *model.transformer.single_transformer_blocks,
        *model.encoder.layers,
    ]
    for block in blocks:
        quantizer(block)
    clean()


def rung(bench: Bench, model: Any, name: str, optimizations: Optimizations, profile: bool = False) -> None:
    """Build an engine with these optimizations, and measure it whole and in parts."""
    clean()
    reset_peak(bench)
    began = time.monotonic()
    engine = Engine(
        model, text_tokens=bench.text, prompt_cache_size=0, gpu_jpeg=optimizations.gpu_jpeg and gpu_jpeg_available()
    )
    warm_up = WarmUp(engine, optimizations, [(bench.width, bench.height)])
    slowest = 0.0
    while warm_up.steps_left:
        at = time.monotonic()
        warm_up.next_step()
        settle(bench)
        slowest = max(slowest, time.monotonic() - at)
    built = round(time.monotonic() - began, 1)
    job = EngineJob(PROMPT, bench.width, bench.height, STEPS, noise=noise_of(bench))
    result: dict[str, Any] = (
        timed(bench, lambda: jpeg_of(engine, job))
        | peak_gb(bench)
        | {"build_s": built, "slowest_warm_up_step_s": round(slowest, 1)}
    )
    plan = engine.plan_for(engine.shape_of(job))
    latents = tokens_to_latents(model.vae, plan.buffers.latents, bench.height // 16, bench.width // 16)
    result |= error_of(bench, latents) | pixel_error(bench, plan.buffers.pixels)
    # The same job by seed, as requests come.
    result["seeded_ms"] = timed(bench, lambda: jpeg_of(engine, replace(job, noise=None)))["ms"]
    result["isolated_ms"] = isolated(bench, lambda: jpeg_of(engine, replace(job, noise=None)))
    engine.prompt_cache = PromptCache(1)
    result["prompt_known_ms"] = timed(bench, lambda: jpeg_of(engine, job))["ms"]
    result |= parts(bench, engine, plan) | {"found": warm_up.results}
    bench.note(name, result)
    if "--profile" in sys.argv and bench.cuda and optimizations.kernels:
        show_kernels(plan)


def parts(bench: Bench, engine: Engine, plan: Any) -> dict[str, float]:
    """Time text encoder, one step and decoder alone, and the JPEG."""
    picture = DevicePicture(plan.buffers.pixels, engine.gpu_jpeg)
    return {
        "text_ms": timed(bench, engine.encode)["ms"],
        "step_ms": timed(bench, plan.step)["ms"],
        "decode_ms": timed(bench, plan.decode)["ms"],
        "jpeg_ms": timed(bench, lambda: encoded(picture))["ms"],
    }


def show_kernels(plan: Any) -> None:
    from torch.profiler import ProfilerActivity, profile

    for part in (plan.step, plan.decode):
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            part()
            torch.cuda.synchronize()
        print(seen.key_averages().table(sort_by="cuda_time_total", row_limit=16, max_name_column_width=80))


def also(bench: Bench, model: Any, spec: str, decoder: str = "") -> None:
    """Measure the last rung at another size and text length, and with another decoder."""
    size, text = spec.split(":")
    width, height = map(int, size.split("x"))
    other = replace(bench, width=width, height=height, text=int(text), truth=None, truth_pixels=None)
    optimizations = replace(bench.metrics["last"], compile=bench.metrics["last"].compile or decoder == "tiny")
    rung(other, model, f"{spec} {decoder}".strip(), optimizations)


def swap_decoder(vae: Any, name: str, bench: Bench) -> None:
    """Put a random decoder of the named architecture in; only its time means anything."""
    with torch.device(bench.device):
        if name == "tiny":
            vae.decoder, vae.post_quant_conv = TinyDecoder(vae).to(bench.dtype).eval().requires_grad_(False), None
            return
        widths = (16, 16, 16, 16) if bench.model == "tiny" else (96, 192, 384, 384)
        other = type(vae).from_config({**vae.config, "decoder_block_out_channels": widths})
    vae.decoder, vae.post_quant_conv = (
        part.to(bench.dtype).eval().requires_grad_(False) for part in (other.decoder, other.post_quant_conv)
    )


def edits(bench: Bench, model: Any) -> None:
    """Measure an edit of a 512x512 picture on the last rung: tokens in every step, then a KV cache."""
    picture = Image.effect_noise((bench.width, bench.height), 80).convert("RGB")
    job = EngineJob(PROMPT, bench.width, bench.height, STEPS, reference=picture)
    side = min(512, bench.width // 2)
    for name in ("edit", "edit, reference KV cache"):
        clean()
        engine = Engine(
            model, text_tokens=bench.text, prompt_cache_size=0, reference_px=side, gpu_jpeg=gpu_jpeg_available()
        )
        warm_up = WarmUp(engine, bench.metrics["last"], [(bench.width, bench.height)])
        warm_up.add_shape(engine.shape_of(job))
        while warm_up.steps_left:
            warm_up.next_step()
        took = timed(bench, partial(jpeg_of, engine, job))
        bench.note(name, took | peak_gb(bench) | {"found": warm_up.results})
        attend_to_kv_cache(model.transformer)
        model = replace(model, caches_references=True)


def jpeg_of(engine: Engine, job: EngineJob) -> bytes:
    *_, picture = engine.draw(job)
    assert isinstance(picture, DevicePicture)
    return encoded(picture)


def encoded(picture: DevicePicture) -> bytes:
    return picture.jpeg(QUALITY) or pillow_jpeg(Image.fromarray(picture.pixels()))


def report(bench: Bench) -> None:
    """Print the metrics beside the goals."""
    bench.metrics.pop("last", None)
    machine = torch.cuda.get_device_name() if bench.cuda else "cpu"
    finish(
        "ladder", bench.metrics, goals(bench), device=f"{machine}, torch {torch.__version__}", model=bench.model,
        size=f"{bench.width}x{bench.height}", text=bench.text,
    )  # fmt: skip


def goals(bench: Bench) -> list[dict[str, object]]:
    limits = {"9b": (300.0, 2.5), "4b": (165.0, 2.7)}
    if bench.model not in limits or (bench.width, bench.height, bench.text) != (1024, 1024, 512):
        return []
    most_ms, least_gain = limits[bench.model]
    # Rungs alone: what --also measured has a size in its name.
    full = [
        v["seeded_ms"] for k, v in bench.metrics.items() if isinstance(v, dict) and "seeded_ms" in v and ":" not in k
    ]
    best = min(full) if full else float("inf")
    judged = [at_most("ms", best, most_ms)]
    if "stock" in bench.metrics:
        gain = round(bench.metrics["stock"]["ms"] / best, 2)
        judged.append(at_least("times faster than stock", gain, least_gain))
    small = bench.metrics.get("512x512:128")
    if bench.model == "4b" and small:
        judged.append(at_most("ms at 512x512, 128 text", small["seeded_ms"], 33.0))
    return judged


if __name__ == "__main__":
    main()
