"""The noise that a picture begins with: the same for a seed on every device, and computed on the device.

PyTorch's generators return other numbers on every kind of device, so that a seed would mean one picture only with noise
from the host: 3 to 13 ms for 1024x1024, longer than the text model takes to hide it. Philox counts instead of
advancing, so that a device computes every number independently.
J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (SC 2011); philox4x32-10.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

ROUNDS = 10
FACTORS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
LOW = 0xFFFFFFFF


@torch.inference_mode()
def gaussian(seed: int, count: int, device: torch.device) -> Tensor:
    """Return ``count`` standard normal numbers [count] float32, equal on every device but for the last bits."""
    words = philox(seed, torch.arange(-(-count // 4), device=device))
    first, second, third, fourth = (((word >> 8).float() + 0.5) * 2.0**-24 for word in words)
    return torch.stack([*_normal(first, second), *_normal(third, fourth)], dim=1).flatten()[:count]


def philox(seed: int, counters: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Turn each 64-bit counter [n] int64 into four 32-bit words, each [n] int64; products wrap, as they should."""
    a, c = counters & LOW, torch.zeros_like(counters)
    b, d = (counters >> 32) & LOW, torch.zeros_like(counters)
    keys = [seed & LOW, (seed >> 32) & LOW]
    for _ in range(ROUNDS):
        left, right = a * FACTORS[0], c * FACTORS[1]
        a, b, c, d = _high(right) ^ b ^ keys[0], right & LOW, _high(left) ^ d ^ keys[1], left & LOW
        keys = [(key + step) & LOW for key, step in zip(keys, KEY_STEPS, strict=True)]
    return a, b, c, d


def noise_of(seed: int, channels: int, rows: int, columns: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the noise of a picture, [1, C, rows, columns] in ``dtype``."""
    # Other devices than these lack some operations on whole numbers of 64 bits.
    computed_on = device if device.type in ("cpu", "cuda") else torch.device("cpu")
    noise = gaussian(seed, channels * rows * columns, computed_on)
    return noise.to(device, dtype).view(1, channels, rows, columns)


def _high(product: Tensor) -> Tensor:
    return (product >> 32) & LOW


def _normal(radius: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Apply the Box-Muller transform; the half added to each word keeps the logarithm finite."""
    length, angle = torch.sqrt(-2 * torch.log(radius)), 2 * math.pi * turn
    return length * torch.cos(angle), length * torch.sin(angle)
