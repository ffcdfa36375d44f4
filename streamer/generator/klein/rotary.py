"""The rotary tables of one shape: they depend on nothing else, so they are computed once, in double precision."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from streamer.generator.klein.shapes import PATCH, Shape

REFERENCE_TIME = 10
"""The time coordinate the model was trained to see on the first picture it is given to edit."""


def rotary_tables(pos_embed: nn.Module, shape: Shape, device: torch.device) -> tuple[Tensor, Tensor]:
    """Give cosines and sines, each [tokens, head size] in float32, for text, picture and reference in that order."""
    cosines, sines = zip(*(pos_embed(ids.to(device)) for ids in _coordinates(shape)), strict=True)
    return torch.cat(cosines), torch.cat(sines)


def _coordinates(shape: Shape) -> list[Tensor]:
    """List the (time, row, column, word) coordinates of each run of tokens."""
    runs = [_grid(0, 1, 1, shape.text_tokens), _grid(0, shape.rows, shape.columns, 1)]
    if shape.reference is not None:
        width, height = shape.reference
        runs.append(_grid(REFERENCE_TIME, height // PATCH, width // PATCH, 1))
    return runs


def _grid(time: int, rows: int, columns: int, words: int) -> Tensor:
    axes = (torch.tensor([time]), torch.arange(rows), torch.arange(columns), torch.arange(words))
    return torch.cartesian_prod(*axes)
