"""Pictures with LoRAs are those of the stock pipeline, and without them again every bit is as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import Flux2KleinPipeline

from streamer.errors import BackendError, BackendUnavailable
from streamer.generator.klein.engine import Engine, EngineJob
from streamer.generator.klein.fused.ops import attend_with, reference_ops
from streamer.generator.klein.fused.transformer import FusedTransformer
from streamer.generator.klein.loading import load
from streamer.generator.klein.loras import find_loras
from streamer.generator.klein.noise import noise_of
from streamer.generator.klein.quantize import FP8, EightBitLinear, Quantizer, count_eight_bit
from streamer.generator.klein.vae import tokens_to_latents
from streamer.generator.klein.verify import relative_error
from streamer.generator.lora.places import Place
from streamer.generator.lora.testing import Spelling, make_lora
from streamer.types import Lora

pytestmark = pytest.mark.torch

JOB = EngineJob("a fox in the snow, wide shot", 96, 64, seed=5)
WIDE = Quantizer(False, None)
Session = Callable[..., Engine]


def silent(doing: str, share: float) -> None:
    """Report to nobody."""


@pytest.fixture
def config(checkpoint: Path) -> dict[str, Any]:
    """What the checkpoint says of its transformer."""
    content: dict[str, Any] = json.loads((checkpoint / "transformer" / "config.json").read_text())
    return content


@pytest.fixture
def lora(tmp_path: Path, config: dict[str, Any]) -> Callable[..., Lora]:
    """Write a LoRA, and return how it is asked for."""

    def write(name: str = "style", weight: float = 1.0, **how: Any) -> Lora:
        return Lora(str(make_lora(tmp_path / f"{name}.safetensors", config, **how)), weight, f"styles.{name}.lora")

    return write


@pytest.fixture
def with_loras(checkpoint: Path) -> Session:
    """Load the checkpoint with LoRAs that are always merged, and with those of styles."""

    def build(
        session: Iterable[Lora] = (), styles: Iterable[Lora] = (), quantizer: Quantizer = WIDE,
        dtype: torch.dtype = torch.float32,
    ) -> Engine:  # fmt: skip
        loras = find_loras(checkpoint, "tiny", session, styles, silent)
        model = load(
            checkpoint, device=torch.device("cpu"), dtype=dtype, finish_block=quantizer, decoder=None, report=silent,
            loras=loras,
        )  # fmt: skip
        switch = None if loras is None else loras.switch(model.transformer)
        return Engine(model, text_tokens=64, reference_px=64, loras=switch)

    return build


def latents_of(engine: Any, job: EngineJob = JOB) -> Any:
    """Draw, and return the latents that the VAE decodes."""
    for _ in engine.draw(job):
        pass
    buffers = engine.plan_for(engine.shape_of(job)).buffers
    return tokens_to_latents(engine.model.vae, buffers.latents, buffers.shape.rows, buffers.shape.columns).clone()


def stock_latents(checkpoint: Path, *loras: Lora, job: EngineJob = JOB) -> Any:
    """Draw with diffusers' pipeline and its own way of loading LoRAs."""
    pipeline = Flux2KleinPipeline.from_pretrained(checkpoint)
    pipeline.set_progress_bar_config(disable=True)
    for number, lora in enumerate(loras):
        pipeline.load_lora_weights(lora.path, adapter_name=f"lora{number}")
    if loras:
        pipeline.set_adapters([f"lora{number}" for number in range(len(loras))], [lora.weight for lora in loras])
    noise = noise_of(job.seed, 128, job.height // 16, job.width // 16, torch.float32, torch.device("cpu"))
    return pipeline(
        prompt=job.prompt, height=job.height, width=job.width, num_inference_steps=job.steps, guidance_scale=1.0,
        latents=noise, max_sequence_length=64, output_type="latent",
    ).images  # fmt: skip


def weights_of(engine: Engine) -> dict[str, Any]:
    """Copy every weight and scale of the transformer."""
    transformer = engine.model.transformer
    tensors = [*transformer.named_parameters(), *transformer.named_buffers()]
    return {name: (tensor.data_ptr(), tensor.view(torch.uint8).clone()) for name, tensor in tensors if tensor.ndim}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two transformers hold the same bits."""
    return one.keys() == other.keys() and all(torch.equal(one[name][1], other[name][1]) for name in one)


@pytest.mark.parametrize(("spelling", "weight"), [("diffusers", 1.0), ("authors", 1.0), ("kohya", 0.6)])
def test_a_style_gives_the_stock_picture(
    with_loras: Session, lora: Callable[..., Lora], checkpoint: Path, spelling: Spelling, weight: float
) -> None:
    """In each spelling a LoRA changes pictures as diffusers' load_lora_weights does, by its weight."""
    style = lora(spelling=spelling, weight=weight, alpha=2.0 if spelling == "kohya" else None)
    engine = with_loras(styles=[style])
    plain, styled = latents_of(engine), latents_of(engine, replace(JOB, loras=(style,)))
    assert relative_error(styled, stock_latents(checkpoint, style)) < 1e-5
    assert relative_error(styled, plain) > 0.005


def test_without_loras_again_every_bit_is_as_it_was(with_loras: Session, lora: Callable[..., Lora]) -> None:
    """Styles may follow each other in any order: nothing is left of the one before, and nothing moves in memory."""
    first, second = lora("first"), lora("second", seed=1, spelling="kohya", only=lambda name: "single" in name)
    engine, untouched = with_loras(styles=[first, second]), with_loras()
    before, picture = weights_of(engine), latents_of(engine)
    assert same(before, weights_of(untouched))
    styled = latents_of(engine, replace(JOB, loras=(second,)))
    latents_of(engine, replace(JOB, loras=(first,)))
    assert torch.equal(latents_of(engine, replace(JOB, loras=(second,))), styled)
    assert torch.equal(latents_of(engine), picture)
    after = weights_of(engine)
    assert same(before, after)
    assert [place for place, _ in after.values()] == [place for place, _ in before.values()]


@pytest.mark.filterwarnings("ignore:Already found a `peft_config`")
def test_two_loras_add_up(with_loras: Session, lora: Callable[..., Lora], checkpoint: Path) -> None:
    """A style may have several, over those of the session."""
    pair = (lora("first", weight=0.5), lora("second", weight=0.7, seed=1, spelling="authors"))
    base = lora("base", seed=2, only=lambda name: ".attn." in name)
    engine = with_loras(session=[base], styles=pair)
    styled = latents_of(engine, replace(JOB, loras=pair))
    assert relative_error(styled, stock_latents(checkpoint, base, *pair)) < 1e-5
    assert relative_error(latents_of(engine), stock_latents(checkpoint, base)) < 1e-5


def test_every_layer_may_change(with_loras: Session, checkpoint: Path, tmp_path: Path, config: dict[str, Any]) -> None:
    """Embedders, modulations and the output are no blocks, and what is computed ahead from them follows."""
    outside = write_outside_blocks(tmp_path / "outside.safetensors", config)
    engine = with_loras(styles=[outside])
    plain = latents_of(engine)
    styled = latents_of(engine, replace(JOB, loras=(outside,)))
    assert relative_error(styled, stock_latents(checkpoint, outside)) < 1e-5
    assert torch.equal(latents_of(engine), plain)


def write_outside_blocks(path: Path, config: dict[str, Any]) -> Lora:
    """Write a LoRA for all that is outside the blocks."""
    from safetensors.torch import save_file

    from streamer.generator.lora.flux2 import flux2_layers

    seeded, tensors = torch.Generator().manual_seed(8), {}
    for name, (outputs, inputs) in flux2_layers(config).shapes.items():
        if "blocks" not in name:
            tensors[f"transformer.{name}.lora_A.weight"] = torch.randn(2, inputs, generator=seeded) * inputs**-0.5
            tensors[f"transformer.{name}.lora_B.weight"] = torch.randn(outputs, 2, generator=seeded) * 0.1
    save_file(tensors, path)
    return Lora(str(path), option="styles.outside.lora")


@pytest.mark.parametrize(("kind", "spelling"), [(FP8, "diffusers"), (torch.int8, "kohya")])
def test_switched_on_is_what_is_merged_at_the_start(
    with_loras: Session, lora: Callable[..., Lora], kind: Any, spelling: Spelling
) -> None:
    """In eight bits and with fused projections, too, a style has the bits of a merge before quantization."""
    style, quantizer = lora(spelling=spelling, weight=0.8), partial(Quantizer, True, kind)
    switched = with_loras(styles=[style], quantizer=quantizer(), dtype=torch.bfloat16)
    merged = with_loras(session=[style], quantizer=quantizer(), dtype=torch.bfloat16)
    plain = with_loras(quantizer=quantizer(), dtype=torch.bfloat16)
    assert count_eight_bit(switched.model.transformer) == count_eight_bit(plain.model.transformer) > 0
    before = weights_of(switched)
    assert same(before, weights_of(plain))
    switched.use_loras((style,))
    assert same(weights_of(switched), weights_of(merged))
    assert not same(weights_of(switched), before)
    switched.use_loras(())
    assert same(weights_of(switched), before)


@pytest.mark.parametrize("kind", [FP8, torch.int8])
def test_eight_bits_stay_near_the_stock_picture(
    with_loras: Session, lora: Callable[..., Lora], checkpoint: Path, kind: Any
) -> None:
    """Rounding to eight bits costs as much with a LoRA as without."""
    style = lora()
    engine = with_loras(styles=[style], quantizer=Quantizer(True, kind))
    without = relative_error(latents_of(engine), stock_latents(checkpoint))
    styled = relative_error(latents_of(engine, replace(JOB, loras=(style,))), stock_latents(checkpoint, style))
    assert styled < max(0.05, 1.5 * without)


def test_the_fused_step_follows(with_loras: Session, lora: Callable[..., Lora]) -> None:
    """Scales that the fused step has joined, and those for attention in fp8, are the ones of the LoRAs in use."""
    style = lora()
    engine = with_loras(styles=[style], quantizer=Quantizer(True, FP8), dtype=torch.bfloat16)
    fused = partial(FusedTransformer, engine.model.transformer, reference_ops(), attend_with("sdpa"), True)
    engine.velocity = fused()
    plain = latents_of(engine)
    styled = latents_of(engine, replace(JOB, loras=(style,)))
    schedules = engine.plan_for(engine.shape_of(JOB)).schedules
    scales = [schedules[4, loras].attention_scales for loras in ((), (style,))]
    assert not torch.equal(*scales)
    engine.velocity = fused()
    engine.forget_ad_hoc_plans()
    assert torch.equal(latents_of(engine, replace(JOB, loras=(style,))), styled)
    assert torch.equal(latents_of(engine), plain)
    assert not torch.equal(styled, plain)


def test_each_style_is_tried_and_timed(with_loras: Session, lora: Callable[..., Lora]) -> None:
    """Trying leaves the weights as they were, and says in milliseconds what changing costs."""
    styles = [lora("first"), lora("second", seed=1)]
    engine = with_loras(styles=styles, quantizer=Quantizer(True, torch.int8), dtype=torch.bfloat16)
    before = weights_of(engine)
    assert engine._loras is not None
    said = engine._loras.try_each()
    assert re.fullmatch(r"styles\.first\.lora in \d+ ms, styles\.second\.lora in \d+ ms, from main memory", said)
    assert same(weights_of(engine), before)


def test_a_lora_that_eight_bits_cannot_hold_is_refused(with_loras: Session, tmp_path: Path, config: Any) -> None:
    """One number that is sixty times as large as the others of its row leaves too little of them."""
    from safetensors.torch import save_file

    hidden = config["num_attention_heads"] * config["attention_head_dim"]
    down = torch.zeros(1, 4 * hidden)
    down[0, 0] = 1.1
    name, path = "transformer.single_transformer_blocks.0.attn.to_out", tmp_path / "spike.safetensors"
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": torch.ones(hidden, 1)}, path)
    spike = Lora(str(path), 1.0, "styles.spike.lora")
    for weight in (0.1, 1.0):
        engine = with_loras(styles=[replace(spike, weight=weight)], quantizer=Quantizer(True, torch.int8))
        assert isinstance(engine.model.transformer.single_transformer_blocks[0].attn.to_out, EightBitLinear)
        assert engine._loras is not None
        if weight < 1:
            engine._loras.try_each()
            continue
        with pytest.raises(BackendUnavailable, match=r"styles\.spike\.lora: .* does not fit into eight bits"):
            engine._loras.try_each()


def test_only_loras_named_at_the_start_are_drawn_with(with_loras: Session, lora: Callable[..., Lora]) -> None:
    """A request for another one fails and says so; the weights stay."""
    known, unknown = lora("known"), lora("unknown", seed=1)
    for engine in (with_loras(), with_loras(styles=[known])):
        with pytest.raises(BackendError, match=r"unknown\.safetensors is not loaded; start the program again"):
            list(engine.draw(replace(JOB, loras=(unknown,))))


def test_after_a_failure_everything_is_written_again(
    with_loras: Session, lora: Callable[..., Lora], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory may run out in the middle of a change; the next one starts from the weights as loaded."""
    style = lora()
    engine = with_loras(styles=[style])
    before = weights_of(engine)
    write, written = Place.write, list[int]()

    def fail_late(place: Place, rows: Any, start: int) -> None:
        written.append(start)
        if len(written) == 5:
            raise torch.OutOfMemoryError
        write(place, rows, start)

    with monkeypatch.context() as patch:
        patch.setattr(Place, "write", fail_late)
        with pytest.raises(torch.OutOfMemoryError):
            engine.use_loras((style,))
    assert not same(weights_of(engine), before)
    engine.use_loras(())
    assert same(weights_of(engine), before)


def test_a_lora_for_another_model_is_refused_by_name(
    with_loras: Session, tmp_path: Path, config: dict[str, Any]
) -> None:
    """The error names the option, the file, the model that it fits and what to do, before weights are loaded."""
    nine = {**config, "num_attention_heads": 32, "num_layers": 1, "num_single_layers": 1, "joint_attention_dim": 12288}
    other = Lora(str(make_lora(tmp_path / "other.safetensors", nine, rank=1)), option="styles.pixel.lora")
    with pytest.raises(BackendUnavailable) as raised:
        with_loras(styles=[other])
    assert f"styles.pixel.lora: {other.path} was made for FLUX.2-klein-9B, not for tiny" in raised.value.problem
    assert raised.value.fix == "use a LoRA for tiny, or draw with FLUX.2-klein-9B"
