"""A layer is found under every name that a LoRA file may give it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

from torch import nn

from streamer.generator.pipelines.lora_layers import LayerNames, alphas_of, layer_of, networks_of

pytestmark = pytest.mark.torch


def pipeline(**components: Any) -> Any:
    return SimpleNamespace(components=components)


def nested(path: str, layer: nn.Module) -> nn.Module:
    """Return a network with one layer at a path."""
    for name in reversed(path.split(".")):
        layer = nn.ModuleDict({name: layer})
    return layer


def test_only_networks_count() -> None:
    """A tokenizer and a part that is left out are none."""
    unet = nn.Linear(2, 2)
    assert dict(networks_of(pipeline(unet=unet, tokenizer=object(), safety_checker=None))) == {"unet": unet}


@pytest.mark.parametrize(
    ("network", "path", "names"),
    [
        ("unet", "mid.to_out.0", ["unet.mid.to_out.0", "lora_unet_mid_to_out_0", "mid.to_out.0", "unet.mid_to_out_0"]),
        ("transformer", "layers.1.to_q", ["diffusion_model.layers.1.to_q", "lora_transformer_layers_1_to_q"]),
        ("text_encoder", "layers.1.fc1", ["text_encoder.text_model.layers.1.fc1", "lora_te1_text_model_layers_1_fc1"]),
        ("text_encoder_2", "text_model.fc1", ["text_encoder_2.fc1", "lora_te2_text_model_fc1"]),
    ],
)
def test_every_spelling_means_the_layer(network: str, path: str, names: list[str]) -> None:
    """Dotted or not, and with or without what transformers puts before a text model."""
    found = LayerNames(pipeline(**{network: nested(path, nn.Linear(3, 5))}))
    assert [found.find(name) for name in names] == [f"{network}.{path}"] * len(names)
    assert found.shapes == {f"{network}.{path}": (5, 3)}
    assert found.find("something.else") is None


def test_a_convolution_is_a_matrix_and_a_norm_is_no_layer() -> None:
    """Its inputs are all that one output reads."""
    unet = nn.ModuleDict({"conv": nn.Conv2d(4, 6, 3), "norm": nn.LayerNorm(4)})
    assert LayerNames(pipeline(unet=unet, vae=nn.Linear(2, 2))).shapes == {"unet.conv": (6, 36)}


def test_older_names_of_converters_are_translated() -> None:
    """Of attention processors, and of text encoders."""
    assert layer_of("unet.mid.attn1.processor.to_out") == "unet.mid.attn1.to_out.0"
    assert layer_of("unet.mid.proj_in") == "unet.mid.proj_in"
    assert layer_of("text_encoder.self_attn.to_q") == "text_encoder.self_attn.q_proj"
    assert layer_of("transformer.single.attn.to_out") == "transformer.single.attn.to_out"
    assert alphas_of({"unet.a.processor.to_q_lora.down.weight.alpha": 2, "unet.b.alpha": 1.5}) == {
        "unet.a.to_q": 2.0,
        "unet.b": 1.5,
    }
    assert alphas_of(None) == {}
