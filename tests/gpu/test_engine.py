"""On a GPU every combination of optimizations draws, through captured graphs, what stock diffusers draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

pytest.importorskip("triton")
pytest.importorskip("diffusers")
if not torch.cuda.is_available():
    pytest.skip("needs an NVIDIA GPU", allow_module_level=True)

from streamer.generator.klein.device_picture import DevicePicture
from streamer.generator.klein.engine import (
    Engine,
    EngineJob,
)
from streamer.generator.klein.loading import from_pipeline
from streamer.generator.klein.noise import noise_of
from streamer.generator.klein.optimizations import Optimizations
from streamer.generator.klein.quantize import FP8, Quantizer
from streamer.generator.klein.testing import make_pipeline
from streamer.generator.klein.warmup import WarmUp
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

pytestmark = pytest.mark.gpu

SIZES = [(96, 64), (64, 64)]
FOX = ImageRequest(
    "1", "bg", RequestKind.BACKGROUND, "background", "a fox", "a fox", SamplingParams(640, 640, 4, 1.0, 7),
    Actor("1", "somebody", Role.VIEWER), Lane.CHAT, 0.0, 1e9,
)  # fmt: skip
KERNELS = Optimizations("fp8", attention="cudnn", fused_qkv=True, kernels=True)


def stock_pixels(job: EngineJob) -> Any:
    drawn = make_pipeline(dtype=torch.bfloat16, device="cuda")(
        prompt=job.prompt, width=job.width, height=job.height, num_inference_steps=4, guidance_scale=1.0,
        max_sequence_length=64,
        latents=noise_of(job.seed, 128, job.height // 16, job.width // 16, torch.bfloat16, torch.device("cuda")),
    ).images[0]  # fmt: skip
    return np.asarray(drawn).astype(int)


def warmed_up(optimizations: Optimizations) -> Engine:
    """Return an engine whose WarmUp is gone, as a graph must not need it."""
    model = from_pipeline(make_pipeline(dtype=torch.bfloat16, device="cuda"))
    quantizer = Quantizer(optimizations.fused_qkv, FP8 if optimizations.precision == "fp8" else None)
    transformer = model.transformer
    for block in (*transformer.transformer_blocks, *transformer.single_transformer_blocks, *model.encoder.layers):
        quantizer(block)
    engine = Engine(model, text_tokens=64)
    warm_up = WarmUp(engine, optimizations, SIZES)
    while warm_up.steps_left:
        warm_up.next_step()
    return engine


@pytest.mark.parametrize(
    "optimizations",
    [
        Optimizations(),
        Optimizations(graphs=True),
        KERNELS,
        Optimizations("fp8", "cudnn", fused_qkv=True, kernels=True, graphs=True, fast_decoder=True),
    ],
)
def test_pictures_equal_stock(optimizations: Optimizations) -> None:
    """Pixels differ by rounding, and the picture after a second size and a cancelled one is still right."""
    engine = warmed_up(optimizations)
    for width, height in SIZES + SIZES:
        job = EngineJob("a fox", width, height, seed=3)
        *_, picture = engine.draw(job)
        assert isinstance(picture, DevicePicture)
        assert np.abs(picture.pixels().astype(int) - stock_pixels(job)).mean() < 2
        drawing = engine.draw(EngineJob("something else", width, height))
        next(drawing)
        drawing.close()


@pytest.mark.parametrize("memory", ["small", "tiny"])
def test_little_memory_draws_the_same_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str) -> None:
    """With the text model on the host and a decoder in strips, by graphs and kernels, under the cap."""
    from streamer.generator.backends import klein
    from streamer.generator.klein.testing import make_checkpoint

    monkeypatch.setenv("STREAMER_HOME", str(tmp_path / "home"))
    folder = make_checkpoint(tmp_path / "wide", "wide", dtype=torch.bfloat16)
    pictures = []
    for mode in ("full", memory):
        backend: Any = klein.create(klein.Options(model=str(folder), text_tokens=64, memory=mode, precision="fp8"))
        backend.load(lambda doing, share: None)
        backend.warm_up([(640, 640)], lambda doing, share: None)
        while backend.idle(lambda doing, share: None):
            pass
        assert backend.active()["memory"] == mode
        *_, picture = backend.draw(FOX)
        pictures.append(picture.pixels().astype(int))
        backend.close()
    assert np.abs(pictures[0] - pictures[1]).mean() < 1
