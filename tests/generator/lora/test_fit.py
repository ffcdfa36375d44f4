"""A LoRA for another model is refused with its own model's name, as far as its shapes tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator import models
from streamer.generator.lora.families import family_of, family_of_model
from streamer.generator.lora.files import read_header
from streamer.generator.lora.fit import require_all_used, require_family, require_flux2_fit
from streamer.generator.lora.flux2 import flux2_layers
from tests.support.lora_files import FLUX2_4B, FLUX2_9B, SDXL, Shapes, kohya_layer, layer, write_tensors

KLEIN_4B = {"num_attention_heads": 24, "num_layers": 5, "num_single_layers": 20, "joint_attention_dim": 7680}
DOUBLE = "transformer.transformer_blocks.0"


@pytest.mark.parametrize(
    ("shapes", "family"),
    [
        (FLUX2_4B, "FLUX.2-klein-4B"),
        (FLUX2_9B, "FLUX.2-klein-9B"),
        (SDXL, "SDXL"),
        (layer("diffusion_model.single_blocks.3.linear1", 55296, 6144), "FLUX.2-dev"),
        (layer(f"{DOUBLE}.attn.add_q_proj", 6144, 6144), "FLUX.2-dev"),
        (kohya_layer("lora_unet_double_blocks_0_img_attn_proj", 4096, 4096), "FLUX.2-klein-9B"),
        (layer(f"{DOUBLE}.ff.linear_in", 18432, 3072), "FLUX.2-klein-4B"),
        (kohya_layer("lora_unet_single_blocks_0_linear1", 21504, 3072), "FLUX.1"),
        (layer("transformer.single_transformer_blocks.0.attn.to_q", 3072, 3072), "FLUX.1"),
        (layer("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k", 320, 768), "Stable Diffusion 1"),
        (layer("transformer.layers.0.attention.to_q", 3840, 3840), "Z-Image"),
        (layer(f"{DOUBLE}.attn1.to_q", 1152, 1152), "PixArt"),
        (layer("something.else", 8, 8), None),
        # FLUX.1, FLUX.2-klein-4B and Qwen-Image all have such a layer.
        (layer(f"{DOUBLE}.attn.to_q", 3072, 3072), None),
    ],
)
def test_names_and_shapes_tell_the_model(shapes: Shapes, family: str | None, tmp_path: Path) -> None:
    """Where several models have such layers, none is named."""
    assert family_of(read_header(write_tensors(tmp_path / "a.safetensors", shapes))) == family


def test_every_listed_model_that_takes_loras_has_a_family() -> None:
    """So that a LoRA for another one is refused before anything is downloaded."""
    taking = [model for model in models.shipped().values() if model.backend in ("klein", "diffusers")]
    assert all(family_of_model(model) for model in taking)


@pytest.mark.parametrize("model", ["klein-4b", "black-forest-labs/FLUX.2-klein-4B"])
def test_another_family_is_refused_by_name(model: str, tmp_path: Path) -> None:
    """The error names the file, the model that it fits, and what to do."""
    path = write_tensors(tmp_path / "other.safetensors", FLUX2_9B)
    with pytest.raises(BackendUnavailable) as raised:
        require_family(read_header(path), model)
    assert raised.value.problem == f"{path} was made for FLUX.2-klein-9B, not for {model}"
    assert raised.value.fix == f"use a LoRA for {model}, or draw with FLUX.2-klein-9B"


def test_what_cannot_be_told_apart_passes(tmp_path: Path) -> None:
    """The model itself decides, once its folder is here."""
    same = read_header(write_tensors(tmp_path / "same.safetensors", FLUX2_4B))
    unknown = read_header(write_tensors(tmp_path / "unknown.safetensors", layer("something.else", 8, 8)))
    for header, model in ((same, "klein-4b"), (unknown, "klein-4b"), (same, "someone/unlisted")):
        require_family(header, model)


def test_a_layer_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nothing of a LoRA is left out silently."""
    shapes = {**FLUX2_4B, **layer("transformer.transformer_blocks.5.attn.to_q", 3072, 3072)}
    header = read_header(write_tensors(tmp_path / "a.safetensors", shapes))
    with pytest.raises(
        BackendUnavailable, match=r"m has none of these layers of it: transformer\.transformer_blocks\.5"
    ):
        require_flux2_fit(header, flux2_layers(KLEIN_4B), "m")


def test_a_layer_of_another_shape_is_named(tmp_path: Path) -> None:
    """With both shapes."""
    header = read_header(write_tensors(tmp_path / "a.safetensors", layer(f"{DOUBLE}.attn.to_q", 3072, 3000)))
    with pytest.raises(BackendUnavailable, match=r"was not made for m: it changes .*to_q as \[3072, 3000\]"):
        require_flux2_fit(header, flux2_layers(KLEIN_4B), "m")


def test_a_lora_that_fits_passes(tmp_path: Path) -> None:
    """A joined projection, too, whose rows belong to three layers."""
    shapes = {**FLUX2_4B, **kohya_layer("lora_unet_double_blocks_0_img_attn_qkv", 9216, 3072)}
    header = read_header(write_tensors(tmp_path / "a.safetensors", shapes))
    require_flux2_fit(header, flux2_layers(KLEIN_4B), "m")
    require_all_used(header, [], "m")
    with pytest.raises(BackendUnavailable, match="m has none of these layers of it: x"):
        require_all_used(header, ["x"], "m")
