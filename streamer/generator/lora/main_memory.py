"""Copies of a GPU's tensors in main memory that the GPU reads directly."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

log = logging.getLogger(__name__)

BLOCK = 2**28
"""In bytes. PyTorch rounds page-locked memory up to a power of two, a third more for one tensor after the other."""
ALIGNMENT = 512


class MainMemory:
    """Keep tensors side by side in blocks of page-locked memory, or of any memory where the system allows no other."""

    def __init__(self) -> None:
        self._blocks: list[tuple[Tensor, int]] = []
        """Each block as bytes, and how many of them are taken."""

    @property
    def nbytes(self) -> int:
        """How much is allocated."""
        return sum(len(block) for block, _ in self._blocks)

    def keep(self, tensor: Tensor) -> Tensor:
        """Copy a contiguous tensor into main memory; return the copy."""
        if not tensor.is_cuda:
            return tensor.to("cpu", copy=True)
        return self.place(tensor.nbytes).view(tensor.dtype).view(tensor.shape).copy_(tensor)

    def place(self, nbytes: int) -> Tensor:
        """Return so many bytes that nobody uses, in the first block that has them."""
        needed = -(-nbytes // ALIGNMENT) * ALIGNMENT
        for index, (block, taken) in enumerate(self._blocks):
            if len(block) - taken >= needed:
                self._blocks[index] = (block, taken + needed)
                return block[taken : taken + nbytes]
        block = _page_locked(max(BLOCK, 1 << (needed - 1).bit_length()))
        self._blocks.append((block, needed))
        return block[:nbytes]


def _page_locked(nbytes: int) -> Tensor:
    try:
        return torch.empty(nbytes, dtype=torch.uint8, pin_memory=torch.cuda.is_available())
    except RuntimeError as error:
        log.warning("LoRAs will take longer to change: %s", error)
        return torch.empty(nbytes, dtype=torch.uint8)
