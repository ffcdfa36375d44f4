"""A KV checkpoint reads the picture to edit once, and draws what the stock KV pipeline draws."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import Flux2KleinKVPipeline
from PIL import Image

from streamer.generator.klein.denoise import stock_velocity
from streamer.generator.klein.engine import (
    Engine,
    EngineJob,
)
from streamer.generator.klein.fused.ops import attend_with, reference_ops
from streamer.generator.klein.fused.transformer import FusedTransformer
from streamer.generator.klein.loading import from_pipeline, load
from streamer.generator.klein.noise import noise_of
from streamer.generator.klein.quantize import FP8, Quantizer
from streamer.generator.klein.reference_kv_cache import read_reference
from streamer.generator.klein.shape_plan import plan_shape
from streamer.generator.klein.shapes import Shape
from streamer.generator.klein.testing import make_checkpoint, make_pipeline
from streamer.generator.klein.vae import tokens_to_latents
from streamer.generator.klein.verify import fill_fixed_noise, relative_error

pytestmark = pytest.mark.torch

TEXT_TOKENS = 64
JOB = EngineJob("make it winter", 96, 64, seed=5)


@pytest.fixture(scope="module")
def kv_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights that call themselves a KV checkpoint."""
    return make_checkpoint(tmp_path_factory.mktemp("klein") / "kv", kv=True)


def load_it(folder: Path, dtype: Any = torch.float32, finish_block: Callable[[Any], None] = lambda block: None) -> Any:
    return load(
        folder, device=torch.device("cpu"), dtype=dtype, finish_block=finish_block, decoder=None, report=lambda *_: None
    )


def picture(size: tuple[int, int], seed: int = 3) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise)


def latents_of(engine: Engine, job: EngineJob) -> Any:
    for _ in engine.draw(job):
        pass
    buffers = engine.plan_for(engine.shape_of(job)).buffers
    return tokens_to_latents(engine.model.vae, buffers.latents, buffers.shape.rows, buffers.shape.columns)


def stock(folder: Path, job: EngineJob, image: Any = None) -> Any:
    pipeline = Flux2KleinKVPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline(
        prompt=job.prompt, image=image, height=job.height, width=job.width, num_inference_steps=job.steps,
        max_sequence_length=TEXT_TOKENS, output_type="latent",
        latents=noise_of(job.seed, 128, job.height // 16, job.width // 16, torch.float32, torch.device("cpu")),
    ).images  # fmt: skip


@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_an_edit_equals_the_stock_kv_pipeline(kv_checkpoint: Path, size: tuple[int, int]) -> None:
    """Reading the reference before the first step equals reading it beside that step, as stock does."""
    engine, image = Engine(load_it(kv_checkpoint), text_tokens=TEXT_TOKENS, reference_px=96), picture(size)
    mine = latents_of(engine, replace(JOB, reference=image))
    assert relative_error(mine, stock(kv_checkpoint, JOB, image)) < 1e-5
    assert relative_error(mine, stock(kv_checkpoint, JOB)) > 1e-3


def test_without_a_picture_to_edit_it_draws_as_any_klein(kv_checkpoint: Path) -> None:
    """Without a reference it draws as any Klein does."""
    engine = Engine(load_it(kv_checkpoint), text_tokens=TEXT_TOKENS)
    assert relative_error(latents_of(engine, JOB), stock(kv_checkpoint, JOB)) < 1e-6


def test_the_second_edit_does_not_see_the_first_picture(kv_checkpoint: Path) -> None:
    """The next reference overwrites the cache of the one before."""
    engine = Engine(load_it(kv_checkpoint), text_tokens=TEXT_TOKENS, reference_px=64)
    second = replace(JOB, reference=picture((64, 64), seed=4))
    alone = latents_of(Engine(engine.model, text_tokens=TEXT_TOKENS, reference_px=64), second)
    latents_of(engine, replace(JOB, reference=picture((64, 64))))
    assert torch.equal(latents_of(engine, second), alone)


@pytest.mark.parametrize("fp8_attention", [False, True])
def test_the_fused_step_attends_to_the_cached_reference(
    kv_checkpoint: Path, fp8_attention: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the same eight-bit weights fused and stock differ by rounding, also where plain pictures attend in fp8."""
    monkeypatch.setattr("streamer.generator.klein.fused.transformer.FEW_ROWS", 0)
    model = load_it(kv_checkpoint, torch.bfloat16, Quantizer(True, FP8))
    fused = FusedTransformer(model.transformer, reference_ops(), attend_with("sdpa"), fp8_attention)
    plan = plan_shape(model, Shape(96, 64, 64, (64, 80)), None, fused, lambda latents: latents)
    plan.buffers.set_step(plan.schedule(model, 4), 1)
    fill_fixed_noise(plan.buffers)
    with torch.inference_mode():
        read_reference(plan.buffers, model.transformer)
        cache = plan.buffers.kv_cache
        assert cache is not None
        assert plan.read_reference is not None
        truth = cache.keys.clone(), cache.values.clone()
        plan.read_reference()
        assert relative_error(cache.keys, truth[0]) < 0.03
        assert relative_error(cache.values, truth[1]) < 0.03
        assert (cache.fp8 is not None) == fp8_attention
        # So tiny a model hardly looks at its reference: made to shout, it must be heard alike.
        cache.values.mul_(20)
        if cache.fp8 is not None:
            fused._quantize_cache(cache, plan.buffers.attention_scales)
        fused_velocity = fused(plan.buffers)
        near = relative_error(fused_velocity, stock_velocity(model.transformer)(plan.buffers))
        cache.values.zero_()
        assert near < 0.03
        assert relative_error(fused_velocity, stock_velocity(model.transformer)(plan.buffers)) > 1.3 * near


def test_one_scale_holds_for_all_steps_and_for_the_reading(kv_checkpoint: Path) -> None:
    """Every step attends to the cache in fp8, so no step may read it by another scale."""
    model = load_it(kv_checkpoint, torch.bfloat16, Quantizer(True, FP8))
    fused = FusedTransformer(model.transformer, reference_ops(), attend_with("sdpa"), True)
    own = plan_shape(model, Shape(96, 64, 64), None, fused, lambda latents: latents).schedule(model, 4).attention_scales
    shared = plan_shape(model, Shape(96, 64, 64, (64, 80)), None, fused, lambda latents: latents).schedule(model, 4)
    assert own is not None
    assert shared.attention_scales is not None
    assert torch.equal(shared.attention_scales, shared.attention_scales[:1].expand(4, -1, -1))
    assert (shared.attention_scales[..., :3] >= own[..., :3]).all()
    assert torch.allclose(shared.attention_scales[..., 2] * shared.attention_scales[..., 3], torch.ones(()))


def test_a_kv_checkpoint_is_known_by_its_pipeline(kv_checkpoint: Path, checkpoint: Path) -> None:
    """A KV checkpoint does not say that it is distilled, and is accepted; others cache no references."""
    assert "is_distilled" not in json.loads((kv_checkpoint / "model_index.json").read_text())
    assert load_it(kv_checkpoint).caches_references
    assert not load_it(checkpoint).caches_references
    assert from_pipeline(make_pipeline(kv=True)).caches_references
