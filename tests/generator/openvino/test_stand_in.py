"""Every network computes what PyTorch computes, in any size, and looks to a pipeline as the original does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("openvino")

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextModel

from streamer.generator.openvino import stand_in
from streamer.generator.openvino.convert import Source, converted
from streamer.generator.openvino.runtime import Processor
from streamer.generator.openvino.testing import make_pipeline

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    """Compute as drawing does."""
    with torch.inference_mode():
        yield


BOUND = 3e-3
"""What is left of float32 when weights are stored in 16 bits."""


@pytest.fixture(scope="module")
def pair(checkpoint_of: Callable[[str], Path], home: Path) -> tuple[Any, Callable[[str], Any]]:
    """Return the stock pipeline of an LCM, and a function that builds one of its networks in OpenVINO."""
    folder = checkpoint_of("lcm")
    networks = converted(Source(folder, folder / "vae"), "float16", home, lambda doing, share: None)
    processor = Processor("float32", 1)

    def built(part: str) -> Any:
        make = {"unet": stand_in.unet, "vae": stand_in.autoencoder, "text_encoder": stand_in.text_encoder}[part]
        return make(processor, networks, folder / part)

    return make_pipeline("lcm"), built


def error(actual: torch.Tensor, truth: torch.Tensor) -> float:
    return float((actual - truth).norm() / truth.norm())


def test_the_text_encoder(pair: tuple[Any, Callable[[str], Any]]) -> None:
    stock, encoder = pair[0].text_encoder, pair[1]("text_encoder")
    ids = torch.arange(2 * 77).reshape(2, 77) % 500
    assert error(encoder(ids, attention_mask=None)[0], stock(ids)[0]) < BOUND
    assert isinstance(encoder, CLIPTextModel)
    assert encoder.config.hidden_size == stock.config.hidden_size


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8, 12)])
def test_the_unet_in_several_sizes_with_the_conditions_of_an_lcm(
    pair: tuple[Any, Callable[[str], Any]], shape: tuple[int, int, int]
) -> None:
    stock, unet = pair[0].unet, pair[1]("unet")
    count, rows, columns = shape
    latents, text = torch.randn(count, 4, rows, columns), torch.randn(count, 77, 32)
    condition = torch.randn(count, 32)
    step = torch.tensor(999)
    found = unet(latents, step, encoder_hidden_states=text, timestep_cond=condition, return_dict=False)[0]
    assert error(found, stock(latents, step, text, timestep_cond=condition, return_dict=False)[0]) < BOUND
    assert isinstance(unet, UNet2DConditionModel)
    assert sum(parameter.numel() for parameter in unet.parameters()) == 1
    assert (unet.device, unet.dtype) == (torch.device("cpu"), torch.float32)


def test_the_autoencoder_of_stable_diffusion(pair: tuple[Any, Callable[[str], Any]]) -> None:
    stock, vae = pair[0].vae, pair[1]("vae")
    latents, picture = torch.randn(1, 4, 8, 12), torch.rand(1, 3, 64, 96) * 2 - 1
    assert error(vae.decode(latents, return_dict=False)[0], stock.decode(latents, return_dict=False)[0]) < BOUND
    assert error(vae.encode(picture).latent_dist.mode(), stock.encode(picture).latent_dist.mode()) < BOUND
    assert isinstance(vae, AutoencoderKL)


def test_a_tiny_autoencoder(checkpoint_of: Callable[[str], Path], home: Path) -> None:
    folder = checkpoint_of("sdxs")
    networks = converted(Source(folder, folder / "vae"), "int8", home, lambda doing, share: None)
    stock, vae = make_pipeline("sdxs").vae, stand_in.autoencoder(Processor("float32", 1), networks, folder / "vae")
    latents, picture = torch.randn(1, 4, 8, 12), torch.rand(1, 3, 64, 96)
    assert error(vae.decode(latents, return_dict=False)[0], stock.decode(latents, return_dict=False)[0]) < 0.03
    assert error(vae.encode(picture).latents, stock.encode(picture).latents) < 0.03
    assert isinstance(vae, AutoencoderTiny)
