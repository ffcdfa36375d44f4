"""A pipeline's pictures with LoRAs are those of diffusers' own loader, and without them again those of before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import StableDiffusionXLPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from streamer.errors import BackendUnavailable
from streamer.generator.lora.switch import LoraSwitch
from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.generator.pipelines.loading import Checkpoint, load_pipeline
from streamer.generator.pipelines.loras import find_loras, merge_loras
from streamer.generator.pipelines.speed import SpeedUp
from streamer.generator.pipelines.testing import make_pipeline
from streamer.types import Lora

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
JOB = PictureJob("a fox", 96, 64, 2, 0.0, 7)
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
FoxOf = Callable[..., Any]


def silent(doing: str, share: float) -> None:
    """Report to nobody."""


def picture(pipeline: Any) -> Any:
    return call_pipeline(pipeline, JOB, lambda step, latents: None)


@pytest.fixture
def sdxl(checkpoint_of: Callable[[str], Path]) -> Callable[[], Any]:
    """Load the tiny SDXL."""
    return lambda: load_pipeline(Checkpoint("it", checkpoint_of("sdxl")), CPU, "float32", 0.0)[0]


def write(path: Path, *, layers: list[str] = ATTENTION, seed: int = 0) -> Path:
    """Write a random LoRA for SDXL's UNet as diffusers does."""
    pipeline = make_pipeline("sdxl")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pipeline.unet.add_adapter(LoraConfig(r=2, lora_alpha=3, target_modules=layers, init_lora_weights=False))
    state = get_peft_model_state_dict(pipeline.unet)
    metadata = pipeline.unet.peft_config["default"].to_dict()
    StableDiffusionXLPipeline.save_lora_weights(
        path.parent, unet_lora_layers=state, weight_name=path.name, unet_lora_adapter_metadata=metadata
    )
    return path


def write_kohya(path: Path, source: Path, alpha: float, rename: Callable[[str], str] = lambda name: name) -> Path:
    """Write what a file of diffusers holds under kohya's names."""
    tensors: dict[str, Any] = {}
    for name, tensor in load_file(source).items():
        layer, _, half = name.removeprefix("unet.").partition(".lora_")
        written = "lora_unet_" + rename(layer).replace(".", "_")
        tensors[f"{written}.lora_{'down' if half.startswith('A') else 'up'}.weight"] = tensor
        tensors[f"{written}.alpha"] = torch.tensor(alpha)
    save_file(tensors, path)
    return path


def by_authors(layer: str) -> str:
    """Return the name that the model's authors, and so some files, have for a layer of the tiny UNet."""
    blocks = {"down_blocks.1.attentions.0": "input_blocks.3.1", "mid_block.attentions.0": "middle_block.1"}
    blocks |= {"up_blocks.0.attentions.0": "output_blocks.0.1", "up_blocks.0.attentions.1": "output_blocks.1.1"}
    return next((layer.replace(block, name) for block, name in blocks.items() if layer.startswith(block)), layer)


def merged(pipeline: Any, *styles: Lora, session: tuple[Lora, ...] = ()) -> LoraSwitch:
    switch: LoraSwitch | None = merge_loras(
        pipeline, CPU, "it", find_loras("it", (*session, *styles), silent), session, styles
    )
    assert switch is not None
    return switch


def by_diffusers(pipeline: Any, lora: Lora) -> Any:
    """Draw with diffusers' own way of loading a LoRA."""
    path = Path(lora.path)
    pipeline.load_lora_weights(path.parent, weight_name=path.name, adapter_name="it")
    pipeline.set_adapters(["it"], [lora.weight])
    return picture(pipeline)


@pytest.mark.parametrize("kind", ["attention", "convolutions", "kohya", "kohya by the authors"])
def test_a_style_gives_diffusers_picture(kind: str, sdxl: Callable[[], Any], tmp_path: Path) -> None:
    """In place, by weight, under every name; and off again every pixel is as before."""
    path = write(tmp_path / "style.safetensors", layers=[*ATTENTION, "conv1"] if kind == "convolutions" else ATTENTION)
    if "kohya" in kind:
        rename = by_authors if "authors" in kind else str
        path = write_kohya(tmp_path / "kohya.safetensors", path, 1.0, rename)
    style, pipeline = Lora(str(path), 0.6, "styles.ink.lora"), sdxl()
    plain = picture(pipeline)
    switch = merged(pipeline, style)
    assert torch.equal(picture(pipeline), plain), "reading it changes nothing"
    switch.use((style,))
    styled = picture(pipeline)
    torch.testing.assert_close(styled, by_diffusers(sdxl(), style), atol=1e-3, rtol=1e-3)
    assert not torch.allclose(styled, plain, atol=1e-2)
    switch.use(())
    assert torch.equal(picture(pipeline), plain)


@pytest.mark.parametrize("prefix", ["text_encoder.text_model.", "lora_te1_text_model_", "text_encoder."])
def test_a_text_encoder_changes_too(prefix: str, sdxl: Callable[[], Any], tmp_path: Path) -> None:
    """Under the names of diffusers and kohya; beside layers that only a converter knows, as well."""
    pipeline, path = sdxl(), tmp_path / "text.safetensors"
    weight = pipeline.text_encoder.get_submodule("encoder.layers.0.self_attn.q_proj").weight
    before, up, down = weight.clone(), torch.ones(len(weight), 1), torch.linspace(-1, 1, weight.shape[1])[None]
    name = "encoder.layers.0.self_attn.q_proj"
    if prefix.startswith("lora"):
        named = prefix + name.replace(".", "_")
        tensors = {
            f"{named}.lora_up.weight": up,
            f"{named}.lora_down.weight": down,
            f"{named}.alpha": torch.tensor(0.5),
        }
        middle = "lora_unet_middle_block_1_proj_in"
        tensors |= {f"{middle}.lora_up.weight": torch.ones(32, 1), f"{middle}.lora_down.weight": torch.ones(1, 32)}
        scale = 0.5
    else:
        tensors, scale = {f"{prefix}{name}.lora_B.weight": up, f"{prefix}{name}.lora_A.weight": down}, 1.0
    save_file(tensors, path)
    style = Lora(str(path))
    merged(pipeline, style).use((style,))
    torch.testing.assert_close(weight, before + scale * up @ down)


@pytest.mark.parametrize(
    ("family", "layer"), [("zimage", "layers.0.attention.to_q"), ("sana", "attn1.to_q"), ("pixart", "attn1.to_q")]
)
@pytest.mark.parametrize(
    "prefix", ["transformer.", "diffusion_model.", "lora_unet_", "lora_transformer_", "base_model.model."]
)
def test_every_family_takes_its_own_names(
    family: str, layer: str, prefix: str, checkpoint_of: Callable[[str], Path], tmp_path: Path
) -> None:
    """Also a pipeline for which diffusers has no loader."""
    pipeline, _ = load_pipeline(Checkpoint("it", checkpoint_of(family)), CPU, "float32", 0.0)
    name = layer if "layers" in layer else f"transformer_blocks.0.{layer}"
    weight = pipeline.transformer.get_submodule(name).weight
    before, up, down = weight.clone(), torch.ones(len(weight), 1), torch.ones(1, weight.shape[1])
    written = prefix + (name if prefix.endswith(".") else name.replace(".", "_"))
    halves = ("lora_B", "lora_A") if prefix.endswith(".") else ("lora_up", "lora_down")
    save_file({f"{written}.{halves[0]}.weight": up, f"{written}.{halves[1]}.weight": down}, tmp_path / "a.safetensors")
    style = Lora(str(tmp_path / "a.safetensors"))
    switch = merged(pipeline, style)
    switch.use((style,))
    torch.testing.assert_close(weight, before + 1)
    switch.use(())
    assert torch.equal(weight, before)


def test_optimizations_and_styles_do_not_meet(sdxl: Callable[[], Any], tmp_path: Path) -> None:
    """A projection that is joined later follows a style, and is joined rightly while one is on."""
    first, second = (
        Lora(str(write(tmp_path / f"{seed}.safetensors", seed=seed)), 1.0, "styles.ink.lora") for seed in (1, 2)
    )
    pipeline = sdxl()
    switch, speed_up = merged(pipeline, first, second), SpeedUp(pipeline, CPU)
    truth = []
    choices: list[tuple[Lora, ...]] = [(), (first,), (second,)]
    for loras in choices:
        switch.use(loras)
        truth.append(picture(pipeline))
    with speed_up.watching():
        picture(pipeline)
    assert speed_up.next_step() == "fused_qkv"
    assert speed_up.results["fused_qkv"].startswith("error")
    for loras, expected in zip(choices, truth, strict=True):
        switch.use(loras)
        torch.testing.assert_close(picture(pipeline), expected, atol=1e-4, rtol=1e-4)
    speed_up.take_all_out()
    switch.use(())
    assert torch.equal(picture(pipeline), truth[0])


def test_the_sessions_lora_is_merged_for_good(sdxl: Callable[[], Any], tmp_path: Path) -> None:
    """A style is added to it, also when it is the same LoRA."""
    lora = Lora(str(write(tmp_path / "a.safetensors")), 0.5)
    pipeline = sdxl()
    switch = merged(pipeline, lora, session=(lora,))
    torch.testing.assert_close(picture(pipeline), by_diffusers(sdxl(), lora), atol=1e-3, rtol=1e-3)
    switch.use((lora,))
    twice = by_diffusers(sdxl(), replace(lora, weight=1.0))
    torch.testing.assert_close(picture(pipeline), twice, atol=1e-3, rtol=1e-3)
    assert merge_loras(sdxl(), CPU, "it", find_loras("it", [lora], silent), [lora], []) is None


def test_what_a_loader_leaves_out_is_named(sdxl: Callable[[], Any], tmp_path: Path) -> None:
    """diffusers warns of layers that a network does not have, and draws without them."""
    path = write(tmp_path / "a.safetensors")
    tensors = load_file(path)
    layer = "unet.down_blocks.9.attentions.0.to_q"
    extra = {f"{layer}.lora_A.weight": torch.zeros(2, 32), f"{layer}.lora_B.weight": torch.zeros(32, 2)}
    save_file({**tensors, **extra}, path)
    with pytest.raises(BackendUnavailable) as raised:
        merged(sdxl(), Lora(str(path), 1.0, "styles.ink.lora"))
    assert raised.value.problem.startswith(f"styles.ink.lora: {path} was not made for it: ")
    assert layer in raised.value.problem


@pytest.mark.parametrize("kind", ["another network", "another shape"])
def test_a_lora_for_another_model_is_refused(kind: str, sdxl: Callable[[], Any], tmp_path: Path) -> None:
    """Whether diffusers finds nothing in it, or fails over it."""
    path = write(tmp_path / "a.safetensors")
    tensors = load_file(path)
    if kind == "another network":
        tensors = {name.replace("unet.", "transformer."): tensor for name, tensor in tensors.items()}
    else:
        tensors = {name: tensor.repeat(1, 2) if "lora_A" in name else tensor for name, tensor in tensors.items()}
    save_file(tensors, path)
    with pytest.raises(BackendUnavailable, match=r"styles\.ink\.lora: .*a\.safetensors was not made for it: "):
        merged(sdxl(), Lora(str(path), 1.0, "styles.ink.lora"))


def test_names_that_nobody_translates_are_refused(checkpoint_of: Callable[[str], Path], tmp_path: Path) -> None:
    """PixArt's pipeline has no converter of names."""
    pipeline, _ = load_pipeline(Checkpoint("it", checkpoint_of("pixart")), CPU, "float32", 0.0)
    with pytest.raises(BackendUnavailable, match="knows no LoRAs for a PixArtSigmaPipeline but those in its own names"):
        merged(pipeline, Lora(str(write(tmp_path / "a.safetensors"))))
