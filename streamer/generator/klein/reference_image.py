"""The picture to edit: from encoded bytes to the VAE's input, at a size whose tokens are cheap."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from streamer.errors import BackendError, in_words
from streamer.generator.klein.shapes import PATCH, whole_patches

MAX_PIXELS = 16_000_000
"""A larger reference is refused before it is decoded."""
MAX_ASPECT_RATIO = 8
"""The model's authors accept pictures up to eight times as long as wide."""


def open_reference(data: bytes) -> Image.Image:
    """Decode a picture to RGB, transparency on black; raise BackendError for one that cannot be used."""
    try:
        picture = Image.open(io.BytesIO(data))
        if picture.width * picture.height > MAX_PIXELS:
            raise BackendError("the picture to edit is too large", fix="use one of at most 16 million pixels")
        picture.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise BackendError(f"the picture to edit cannot be read: {in_words(error)}") from error
    ratio = max(picture.width / picture.height, picture.height / picture.width)
    if ratio > MAX_ASPECT_RATIO or min(picture.size) < PATCH:
        raise BackendError(
            f"the picture to edit is {picture.width}x{picture.height}", fix="use a less extreme aspect ratio"
        )
    return picture.convert("RGB")


def reference_size(width: int, height: int, side_px: int) -> tuple[int, int]:
    """Return the size in pixels to which a reference is reduced.

    It keeps its proportions, has at most ``side_px`` squared pixels, and consists of whole tokens.
    """
    scale = min(1.0, math.sqrt(side_px * side_px / (width * height)))
    return whole_patches(round(width * scale), round(height * scale))


def to_pixels(picture: Image.Image, size: tuple[int, int]) -> Tensor:
    """Scale to a size (width, height); return [1, 3, height, width] float32 in -1 to 1."""
    scaled = picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)
    values = torch.from_numpy(np.array(scaled, dtype=np.uint8)).permute(2, 0, 1)[None]
    return values.float() / 255 * 2 - 1
