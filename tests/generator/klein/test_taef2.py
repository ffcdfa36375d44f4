"""TAEF2 decodes in place of the VAE's own decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file

from streamer.errors import BackendUnavailable
from streamer.generator.klein.device_picture import DevicePicture
from streamer.generator.klein.engine import (
    Engine,
    EngineJob,
)
from streamer.generator.klein.loading import load
from streamer.generator.klein.taef2 import is_tiny
from streamer.generator.klein.vae import (
    stock_decoder,
    tokens_to_latents,
)

pytestmark = pytest.mark.torch


def load_with(checkpoint: Path, decoder: Path) -> Any:
    return load(
        checkpoint, device=torch.device("cpu"), dtype=torch.float32, finish_block=lambda block: None, decoder=decoder,
        report=lambda doing, share: None,
    )  # fmt: skip


@pytest.fixture
def twin() -> AutoencoderTiny:
    """diffusers' own network of the same shape, which lacks only the pooling of the first three blocks."""
    torch.manual_seed(0)
    return AutoencoderTiny(latent_channels=32, act_fn="relu").eval().requires_grad_(False)


@pytest.fixture
def weights(twin: AutoencoderTiny, tmp_path: Path) -> Path:
    """The twin's weights as the published file holds them, with pooling that adds nothing."""
    tensors = {f"decoder.{name}": tensor.clone() for name, tensor in twin.decoder.state_dict().items()}
    tensors |= {f"encoder.{name}": tensor.clone() for name, tensor in twin.encoder.state_dict().items()}
    for block in (2, 3, 4):
        at = f"decoder.layers.{block}.pool"
        tensors |= {f"{at}.0.weight": torch.randn(256, 64, 1, 1), f"{at}.3.weight": torch.zeros(64, 256, 1, 1)}
        tensors |= {f"{at}.1.weight": torch.ones(256), f"{at}.1.bias": torch.zeros(256)}
    save_file(tensors, tmp_path / "taef2.safetensors")
    return tmp_path


def test_it_is_the_network_that_diffusers_has_but_for_the_pooling(
    checkpoint: Path, weights: Path, twin: AutoencoderTiny
) -> None:
    """With pooling that adds nothing, tokens decode as diffusers' network decodes them, before any statistics."""
    vae = load_with(checkpoint, weights).vae
    tokens = torch.randn(1, 4 * 6, 128, generator=torch.Generator().manual_seed(1))
    packed = tokens.permute(0, 2, 1).reshape(1, 32, 2, 2, 4, 6)
    plain = packed.permute(0, 1, 4, 2, 5, 3).reshape(1, 32, 8, 12)
    made = stock_decoder(vae)(tokens_to_latents(vae, tokens, 4, 6))
    assert made.shape == (1, 3, 64, 96)
    assert torch.allclose(made, twin.decoder(plain), atol=1e-4)


def test_the_pooling_counts(checkpoint: Path, weights: Path) -> None:
    """The published weights use it: leaving it out would be another picture."""
    vae = load_with(checkpoint, weights).vae
    latents = torch.randn(1, 32, 8, 8)
    before = stock_decoder(vae)(latents)
    vae.decoder.layers[2].pool[3].weight.data.fill_(0.05)
    assert not torch.allclose(before, stock_decoder(vae)(latents), atol=1e-3)


def test_the_engine_draws_with_it(checkpoint: Path, weights: Path) -> None:
    """A whole picture in the usual size."""
    *_, picture = Engine(load_with(checkpoint, weights), text_tokens=64).draw(EngineJob("a fox", 96, 64))
    assert isinstance(picture, DevicePicture)
    assert picture.pixels().shape == (64, 96, 3)


def test_a_vae_is_not_taken_for_a_tiny_one(checkpoint: Path, weights: Path) -> None:
    """A folder with a config is a VAE."""
    assert is_tiny(weights)
    assert not is_tiny(checkpoint)
    assert not is_tiny(checkpoint / "vae")


def test_missing_weights_are_named(checkpoint: Path, weights: Path) -> None:
    """Another file by that name is refused with the tensor that it lacks."""
    save_file({"decoder.layers.0.weight": torch.zeros(1)}, weights / "taef2.safetensors")
    with pytest.raises(BackendUnavailable, match="lacks"):
        load_with(checkpoint, weights)
