"""Eight-bit products of one matrix that holds text and picture, and when to leave their scales to the next kernel.

Letters in shapes: n rows (tokens), text first; k input features, m output features.
"""

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
    """Rows [n, k] in fp8 or int8, and their scales [n, 1] float32."""

    values: Tensor
    scale: Tensor


@dataclass(frozen=True, slots=True)
class ResidualUpdate:
    """What is added to the residual stream, [n, m], with the scales that are still to be multiplied in.

    Where there are scales, ``row_scale`` is [n, 1] and ``column_scale`` [m], or [2, m] for (text, picture).
    """

    values: Tensor
    row_scale: Tensor | None = None
    column_scale: Tensor | None = None

    def scales_of(self, rows: slice) -> tuple[Tensor | None, Tensor | None]:
        """Return the row scales of some rows, and the column scales."""
        return (None if self.row_scale is None else self.row_scale[rows]), self.column_scale


class TwoStreamLinear:
    """The text's layer and the picture's layer of the same purpose, as one product."""

    def __init__(self, text: EightBitLinear, image: EightBitLinear) -> None:
        self.text, self.image = text, image
        self._column_scale = torch.stack([text.scale[0], image.scale[0]]).contiguous()
        self._side_stream: torch.cuda.Stream | None = None

    def weights_changed(self) -> None:
        """Read the layers' scales again; captured graphs read them where they are."""
        self._column_scale.copy_(torch.stack([self.text.scale[0], self.image.scale[0]]))

    def matmul(self, rows: QuantizedRows, text: int, dtype: torch.dtype) -> Tensor:
        """Multiply the first ``text`` rows by the text's layer and the others by the picture's; return [n, m]."""
        if text == 0:
            return self.image.matmul(rows.values, rows.scale, dtype)
        out = self._empty(rows, dtype)
        with self._text_stream(rows):
            self.text.matmul(rows.values[:text], rows.scale[:text], dtype, out[:text])
        self.image.matmul(rows.values[text:], rows.scale[text:], dtype, out[text:])
        self._join_streams(rows)
        return out

    def residual_update(self, rows: QuantizedRows, text: int, dtype: torch.dtype) -> ResidualUpdate:
        """Do the same for the residual stream, whose next kernel can apply the scales."""
        if not defers_scales(self.image, rows):
            return ResidualUpdate(self.matmul(rows, text, dtype))
        if text == 0:
            return ResidualUpdate(self.image.matmul_unscaled(rows.values), rows.scale, self._column_scale)
        out = self._empty(rows, self.image.unscaled_dtype)
        with self._text_stream(rows):
            self.text.matmul_unscaled(rows.values[:text], out[:text])
        self.image.matmul_unscaled(rows.values[text:], out[text:])
        self._join_streams(rows)
        return ResidualUpdate(out, rows.scale, self._column_scale)

    def _empty(self, rows: QuantizedRows, dtype: torch.dtype) -> Tensor:
        return torch.empty(rows.values.shape[0], self.text.out_features, dtype=dtype, device=rows.values.device)

    def _text_stream(self, rows: QuantizedRows) -> torch.cuda.StreamContext:
        """Run the text's product on a stream of its own where that pays; nothing is allocated there."""
        if not rows.values.is_cuda or rows.values.shape[0] > FEW_ROWS:
            return torch.cuda.stream(None)
        if self._side_stream is None:
            self._side_stream = torch.cuda.Stream()
        self._side_stream.wait_stream(torch.cuda.current_stream())
        return torch.cuda.stream(self._side_stream)

    def _join_streams(self, rows: QuantizedRows) -> None:
        if self._side_stream is not None and rows.values.shape[0] <= FEW_ROWS:
            torch.cuda.current_stream().wait_stream(self._side_stream)


def residual_update(layer: EightBitLinear, rows: QuantizedRows, dtype: torch.dtype) -> ResidualUpdate:
    """Multiply all rows by one layer, for the residual stream."""
    if defers_scales(layer, rows):
        return ResidualUpdate(layer.matmul_unscaled(rows.values), rows.scale, layer.scale[0])
    return ResidualUpdate(layer.matmul(rows.values, rows.scale, dtype))


def defers_scales(layer: EightBitLinear, rows: QuantizedRows) -> bool:
    """Tell whether to leave the scales to the next kernel.

    In int8 always: its product applies no scales, so that a pass is saved. In fp8 for few rows.
    """
    return layer.quantized_dtype == torch.int8 or rows.values.shape[0] <= FEW_ROWS
