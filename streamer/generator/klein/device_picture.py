"""A finished picture that stays on the device until somebody needs its pixels or its JPEG."""

from __future__ import annotations

import importlib.util
from typing import cast

import numpy as np
from torch import Tensor

from streamer.generator.backend import Pixels


class DevicePicture:
    """Pixels [height, width, 3] uint8 in device memory; ``gpu_jpeg`` lets the GPU's own encoder make the file."""

    def __init__(self, pixels: Tensor, gpu_jpeg: bool) -> None:
        self._pixels, self._gpu_jpeg = pixels, gpu_jpeg
        self.height, self.width = int(pixels.shape[0]), int(pixels.shape[1])

    def pixels(self) -> Pixels:
        """Copy the picture to the host."""
        return cast(Pixels, np.ascontiguousarray(self._pixels.cpu().numpy()))

    def jpeg(self, quality: int) -> bytes | None:
        """Encode on the device with a quality of 1 to 100; None leaves it to the host."""
        if not self._gpu_jpeg:
            return None
        from torchvision.io import encode_jpeg

        return bytes(encode_jpeg(self._pixels.permute(2, 0, 1).contiguous(), quality=quality).cpu().numpy().tobytes())


def gpu_jpeg_available() -> bool:
    """Tell whether torchvision, whose CUDA build brings nvJPEG, is installed."""
    return importlib.util.find_spec("torchvision") is not None
