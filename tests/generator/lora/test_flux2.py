"""The layers of a FLUX.2 transformer are those of diffusers' class, under every name that LoRA files give them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import Flux2Transformer2DModel

from streamer.generator.klein.testing import TRANSFORMER
from streamer.generator.lora.flux2 import Rows, flux2_layers

pytestmark = pytest.mark.torch

KLEIN = {"num_attention_heads": 2, "num_layers": 1, "num_single_layers": 1, "joint_attention_dim": 96}


@pytest.mark.parametrize(
    "settings",
    [
        {**TRANSFORMER["tiny"], "guidance_embeds": False}, {**TRANSFORMER["4b"], "guidance_embeds": False},
        {**KLEIN, "mlp_ratio": 2.5, "in_channels": 32, "out_channels": 16, "patch_size": 2}, {},
    ],
)  # fmt: skip
def test_shapes_are_those_of_the_class(settings: dict[str, Any]) -> None:
    """For Klein, for FLUX.2-dev (the defaults), and for odd settings, no linear layer is left out."""
    with torch.device("meta"):
        transformer = Flux2Transformer2DModel(**settings)
    linears = {name: tuple(m.weight.shape) for name, m in transformer.named_modules() if hasattr(m, "in_features")}
    assert dict(flux2_layers(transformer.config).shapes) == linears


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("transformer.transformer_blocks.0.attn.to_out.0", ["transformer_blocks.0.attn.to_out.0"]),
        ("base_model.model.single_transformer_blocks.0.attn.to_out", ["single_transformer_blocks.0.attn.to_out"]),
        ("diffusion_model.double_blocks.0.txt_attn.proj", ["transformer_blocks.0.attn.to_add_out"]),
        ("lora_unet_double_blocks_0_img_mlp_2", ["transformer_blocks.0.ff.linear_out"]),
        ("lora_transformer_transformer_blocks_0_ff_context_linear_in", ["transformer_blocks.0.ff_context.linear_in"]),
        ("lora_unet_single_blocks_0_linear1", ["single_transformer_blocks.0.attn.to_qkv_mlp_proj"]),
        ("x_embedder", ["x_embedder"]),
        (
            "lora_unet_double_blocks_0_img_attn_qkv",
            [f"transformer_blocks.0.attn.{leaf}" for leaf in ("to_q", "to_k", "to_v")],
        ),
    ],
)
def test_each_spelling_means_the_same_layer(name: str, layers: list[str]) -> None:
    """A joined projection stands for three layers, in the order of its rows."""
    rows = flux2_layers(KLEIN).find(name)
    assert rows is not None
    assert [part.layer for part in rows] == layers


@pytest.mark.parametrize(
    "name", ["transformer_blocks.1.attn.to_q", "lora_te1_text_model", "double_blocks.0.img_attn", "", "guidance_in"]
)
def test_what_a_transformer_does_not_have_is_not_found(name: str) -> None:
    """Neither a block too many nor a text encoder."""
    assert flux2_layers(KLEIN).find(name) is None


def test_the_last_norm_has_scale_and_shift_swapped() -> None:
    """The model's authors store shift first, and diffusers scale."""
    width = 256
    assert flux2_layers(KLEIN).find("diffusion_model.final_layer.adaLN_modulation.1") == (
        Rows("norm_out.linear", width, width),
        Rows("norm_out.linear", 0, width),
    )
