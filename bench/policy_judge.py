"""Measure what the policy judge costs at full size with random weights: memory, alone, and beside a picture.

    python -m bench.policy_judge --model 4b      one NVIDIA GPU; "9b" likewise
    python -m bench.policy_judge --model tiny    any machine, to check that the script works

The times do not depend on the values of the weights; the quality does, which bench.evaluate_judge measures.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from bench.report import ROOT, at_most, finish, spread
from streamer.generator.klein.device_picture import DevicePicture, gpu_jpeg_available
from streamer.generator.klein.engine import Engine, EngineJob
from streamer.generator.klein.loading import from_pipeline
from streamer.generator.klein.optimizations import Attention, Optimizations
from streamer.generator.klein.policy_judge import QUESTION, LanguageHead, PolicyJudge, head_of
from streamer.generator.klein.quantize import FP8, Quantizer
from streamer.generator.klein.testing import make_pipeline, make_tokenizer
from streamer.generator.klein.warmup import WarmUp
from streamer.moderation.thresholds import Thresholds

TEXT = "a neon city at night in the rain, wide establishing shot, volumetric light, with a train and many people"


def main() -> None:
    """Build, measure, print the result as the last line."""
    asked = arguments()
    width, height = map(int, asked.size.split("x"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    pipeline = make_pipeline(asked.model, dtype=dtype, device=str(device))
    if asked.model != "tiny":
        pipeline.tokenizer = tokenizer_of_words()
    head, model = parts(pipeline)
    del pipeline
    fp8 = device.type == "cuda" and torch.cuda.get_device_capability() >= (8, 9)
    wide_gb = gigabytes(head)
    quantize([model.transformer.transformer_blocks, model.transformer.single_transformer_blocks], fp8)
    quantize([model.encoder.layers, head.layers], fp8)
    judge = PolicyJudge(model, head, Thresholds(hold={"policy": 0.5}))
    eager = times(lambda: ask(judge), asked.runs)
    engine, checks, graph_gb = warmed_up(model, judge, fp8, width, height, 64 if asked.model == "tiny" else 512)
    alone = times(lambda: ask(judge), asked.runs)
    plain, judged = in_turn(lambda: picture(engine, width, height, None), lambda: picture(engine, width, height, judge),
                            asked.runs)  # fmt: skip
    added = statistics.median(judged) - statistics.median(plain)
    finish(
        "policy_judge",
        {
            "model": asked.model, "size": asked.size, "device": name_of(device),
            "precision": "fp8" if fp8 else str(dtype).removeprefix("torch."),
            "question_tokens": judge.tokens, "memory_gb": gigabytes(head), "memory_unquantized_gb": wide_gb,
            "graph_gb": graph_gb, "checks": checks, "alone_eager_ms": spread(eager), "alone_ms": spread(alone),
            "picture_ms": spread(plain), "picture_judged_ms": spread(judged), "added_ms": round(added, 2),
        },
        [at_most("added_ms", added, 0.1 * statistics.median(plain))],
    )  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny", choices=["tiny", "4b", "9b"])
    parser.add_argument("--size", default="")
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    asked.size = asked.size or ("64x64" if asked.model == "tiny" else "1024x1024")
    return asked


def parts(pipeline: Any) -> tuple[LanguageHead, Any]:
    """Take the head before the rest of the text model is dropped."""
    head = head_of(pipeline.text_encoder, pipeline.tokenizer)
    return head, from_pipeline(pipeline)


def tokenizer_of_words() -> Any:
    """Train a tokenizer on our own prompts: with a token per byte the question would be twice as long."""
    tokenizer = make_tokenizer()
    files = (ROOT / "bench" / "prompts.jsonl", ROOT / "docs" / "judges.md")
    texts = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    learned = tokenizer.train_new_from_iterator([QUESTION, TEXT, *texts], vocab_size=6000)
    learned.chat_template = tokenizer.chat_template
    return learned


def quantize(groups: list[Any], fp8: bool) -> None:
    quantizer = Quantizer(fp8, FP8 if fp8 else None)
    for group in groups:
        for block in group:
            quantizer(block)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def warmed_up(
    model: Any, judge: PolicyJudge, fp8: bool, width: int, height: int, text_tokens: int
) -> tuple[Engine, dict[str, str], float]:
    """Return an engine as it draws on air, the results of the judge's checks, and the GB that its graph took."""
    engine = Engine(
        model, text_tokens=text_tokens, prompt_cache_size=0, gpu_jpeg=torch.cuda.is_available() and gpu_jpeg_available()
    )
    if not fp8:
        return engine, {}, 0.0
    best: Attention = "cudnn" if torch.cuda.get_device_capability() >= (9, 0) else "sdpa"
    optimizations = Optimizations(
        precision="fp8", attention=best, fused_qkv=True, fast_decoder=True, kernels=True, graphs=True
    )
    warm_up, taken = WarmUp(engine, optimizations, [(width, height)], judge), 0.0
    while warm_up.steps_left:
        before = torch.cuda.memory_reserved()
        doing, _ = warm_up.next_step()
        if doing == "policy judge":
            taken = (torch.cuda.memory_reserved() - before) / 1e9
        print(doing, warm_up.results, flush=True)
    return (
        engine,
        {name: result for name, result in warm_up.results.items() if "policy" in name},
        round(taken, 3),
    )


def ask(judge: PolicyJudge) -> None:
    judge.start(TEXT)
    judge.answer()


def picture(engine: Engine, width: int, height: int, judge: PolicyJudge | None) -> None:
    """Draw and encode; ask the judge, if any, after the first step as the backend does; await it last."""
    items = engine.draw(EngineJob(TEXT, width, height, seed=7))
    next(items)
    if judge is not None:
        judge.start(TEXT)
    *_, last = items
    assert isinstance(last, DevicePicture)
    if last.jpeg(88) is None:
        last.pixels()
    if judge is not None:
        judge.answer()


def times(work: Callable[[], None], runs: int) -> list[float]:
    """Return the milliseconds of each run, after up to three warm-up runs."""
    measured, first = [], min(3, runs)
    for index in range(first + runs):
        began = settled()
        work()
        if index >= first:
            measured.append((settled() - began) * 1e3)
    return measured


def in_turn(first: Callable[[], None], second: Callable[[], None], runs: int) -> tuple[list[float], list[float]]:
    """Measure two things in turns, so that a clock that changes with heat affects both."""
    measured: tuple[list[float], list[float]] = ([], [])
    for _ in range(min(3, runs)):
        first()
        second()
    for _ in range(runs):
        for work, into in zip((first, second), measured, strict=True):
            began = settled()
            work()
            into.append((settled() - began) * 1e3)
    return measured


def settled() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def gigabytes(module: torch.nn.Module) -> float:
    tensors = [*module.parameters(), *module.buffers()]
    return round(sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e9, 3)


def name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


if __name__ == "__main__":
    main()
