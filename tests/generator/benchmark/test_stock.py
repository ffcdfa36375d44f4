"""The JPEG that a stock pipeline's picture becomes."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import numpy as np
import torch
from PIL import Image

from streamer.generator.benchmark.stock import pillow_jpeg

pytestmark = pytest.mark.torch


def test_the_jpeg_shows_the_picture() -> None:
    picture = torch.zeros(3, 32, 48)
    picture[0] = 1.5  # more than white, as decoders give it
    picture[1] = torch.linspace(0, 1, 48)
    shown = np.asarray(Image.open(io.BytesIO(pillow_jpeg(picture, 95))).convert("RGB")).astype(int)
    assert shown.shape == (32, 48, 3)
    assert abs(shown[..., 0] - 255).max() < 12
    assert abs(shown[16, :, 1] - np.linspace(0, 255, 48)).max() < 12
