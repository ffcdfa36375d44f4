"""Eight-bit products of one matrix that holds text and picture, and when to leave their scales to the next kernel."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from streamer.generator.klein.quantize import EightBitLinear

FEW_ROWS = 1300
"""Up to here cuBLAS is faster without scales, and a second stream hides the text's product behind the picture's.

Measured on an H200 at 1152 rows: 83 to 75 us and 73 to 69 us; at 4608 rows both cost time.
"""


@dataclass(frozen=True, slots=True)
class QuantizedRows:
    """Quantised rows and their scales."""

    values: Tensor
    scale: Tensor


@dataclass(frozen=True, slots=True)
class ResidualUpdate:
    """What is added to the residual stream; ``rows`` and ``columns`` are the scales still to be multiplied in."""

    values: Tensor
    rows: Tensor | None = None
    columns: Tensor | None = None

    def scales_of(self, part: slice) -> tuple[Tensor | None, Tensor | None]:
        """Give the scales of some rows."""
        return (None if self.rows is None else self.rows[part]), self.columns


class TwoStreamLinear:
    """The text's and the picture's layer of the same purpose, as one product."""

    def __init__(self, text: EightBitLinear, image: EightBitLinear) -> None:
        self.text, self.image = text, image
        self._columns = torch.stack([text.scale[0], image.scale[0]]).contiguous()
        self._side: torch.cuda.Stream | None = None

    def scaled(self, rows: QuantizedRows, text: int, dtype: torch.dtype) -> Tensor:
        """Multiply the first ``text`` rows by one, the others by the other, into one matrix."""
        if text == 0:
            return self.image.product(rows.values, rows.scale, dtype)
        out = self._empty(rows, dtype)
        with self._beside(rows):
            self.text.product(rows.values[:text], rows.scale[:text], dtype, out[:text])
        self.image.product(rows.values[text:], rows.scale[text:], dtype, out[text:])
        self._join(rows)
        return out

    def branch(self, rows: QuantizedRows, text: int, dtype: torch.dtype) -> ResidualUpdate:
        """Do the same for what goes into the residual stream, where the scales can wait."""
        if not leaves_scales(self.image, rows):
            return ResidualUpdate(self.scaled(rows, text, dtype))
        if text == 0:
            return ResidualUpdate(self.image.raw(rows.values), rows.scale, self._columns)
        out = self._empty(rows, self.image.raw_dtype)
        with self._beside(rows):
            self.text.raw(rows.values[:text], out[:text])
        self.image.raw(rows.values[text:], out[text:])
        self._join(rows)
        return ResidualUpdate(out, rows.scale, self._columns)

    def _empty(self, rows: QuantizedRows, dtype: torch.dtype) -> Tensor:
        return torch.empty(rows.values.shape[0], self.text.out_features, dtype=dtype, device=rows.values.device)

    def _beside(self, rows: QuantizedRows) -> torch.cuda.StreamContext:
        """Run the text's product on a stream of its own where that pays; nothing is allocated there."""
        if not rows.values.is_cuda or rows.values.shape[0] > FEW_ROWS:
            return torch.cuda.stream(None)
        if self._side is None:
            self._side = torch.cuda.Stream()
        self._side.wait_stream(torch.cuda.current_stream())
        return torch.cuda.stream(self._side)

    def _join(self, rows: QuantizedRows) -> None:
        if self._side is not None and rows.values.shape[0] <= FEW_ROWS:
            torch.cuda.current_stream().wait_stream(self._side)


def alone(layer: EightBitLinear, rows: QuantizedRows, dtype: torch.dtype) -> ResidualUpdate:
    """Multiply all rows by one layer, for the residual stream."""
    if leaves_scales(layer, rows):
        return ResidualUpdate(layer.raw(rows.values), rows.scale, layer.scale[0])
    return ResidualUpdate(layer.product(rows.values, rows.scale, dtype))


def leaves_scales(layer: EightBitLinear, rows: QuantizedRows) -> bool:
    """In int8 always, since its product has no scales to give and a pass is saved; in fp8 for few rows."""
    return layer.kind == torch.int8 or rows.values.shape[0] <= FEW_ROWS
