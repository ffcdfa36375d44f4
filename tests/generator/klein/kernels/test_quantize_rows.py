"""The row kernel equals the reference, at widths that are no powers of two too."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels import quantize_rows, reference
from tests.support.eight_bit_rows import close

WIDTHS = (64, 96, 256)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_quantize_rows(width: int, int8: bool) -> None:
    x = torch.randn(5, width + 32)[:, :width]
    close(quantize_rows.quantize_rows(x, int8), reference.quantize_rows(x, int8))


def test_transposed_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous rows"):
        quantize_rows.quantize_rows(torch.randn(4, 64).t())
