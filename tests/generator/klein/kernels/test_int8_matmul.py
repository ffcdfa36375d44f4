"""The int8 product computes exactly the sums, scaled."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels.int8_matmul import int8_matmul


@pytest.mark.parametrize(("n", "k", "m"), [(133, 320, 640), (200, 256, 300), (17, 64, 48)])
def test_the_scaled_sums_are_exact(n: int, k: int, m: int) -> None:
    """Sums of int8 products fit int32, so only the last rounding may differ, at any size and into any rows."""
    rows, weight = (torch.randint(-127, 128, size, dtype=torch.int8) for size in ((n, k), (m, k)))
    row_scale, column_scale = torch.rand(n, 1), torch.rand(1, m)
    whole = torch.full((n + 2, m), 7.0)
    int8_matmul(rows, weight, row_scale, column_scale, whole[2:])
    truth = (rows.double() @ weight.double().t()) * row_scale * column_scale
    assert ((whole[2:].double() - truth).norm() / truth.norm()).item() < 1e-6
    assert (whole[:2] == 7.0).all()


def test_transposed_memory_is_refused() -> None:
    """The kernel walks along rows; anything else is the caller's mistake."""
    rows = torch.zeros(64, 32, dtype=torch.int8).t()
    one = torch.ones(1, 1)
    with pytest.raises(ValueError, match="contiguous"):
        int8_matmul(rows, torch.zeros(16, 64, dtype=torch.int8), one, one, torch.zeros(32, 16))
