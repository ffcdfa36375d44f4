"""The preview's colours come from the checkpoint's own VAE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
import torch.nn.functional as F

from streamer.generator.klein.preview import fit_preview_colours
from streamer.generator.klein.vae import encode_picture

pytestmark = pytest.mark.torch


def test_tokens_give_their_colours_back(load_model: Callable[..., Any]) -> None:
    """A picture that was not in the fit keeps its large shapes and colours when read through the map."""
    vae = load_model().vae
    colours = fit_preview_colours(vae)
    seeded = torch.Generator("cpu").manual_seed(99)
    picture = F.interpolate(torch.rand(1, 3, 4, 4, generator=seeded) * 2 - 1, (128, 128), mode="bicubic").clamp(-1, 1)
    with torch.inference_mode():
        seen = encode_picture(vae, picture)[0].float() @ colours[:-1] + colours[-1]
    truth = F.avg_pool2d(picture, 16).permute(0, 2, 3, 1).reshape(-1, 3)
    for channel in range(3):
        pair = torch.stack([seen[:, channel], truth[:, channel]])
        assert torch.corrcoef(pair)[0, 1] > 0.3


def test_the_fit_is_the_same_every_time(load_model: Callable[..., Any]) -> None:
    """The samples come from a fixed seed."""
    vae = load_model().vae
    assert torch.equal(fit_preview_colours(vae), fit_preview_colours(vae))
