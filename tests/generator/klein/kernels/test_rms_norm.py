"""The fused RMSNorm kernels equal the references."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels import reference, rms_norm

EPS = 1e-6


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("width", [64, 160])
def test_rms_norm_quantize(width: int) -> None:
    x, weight = torch.randn(5, width) * 3, torch.randn(width)
    got, want = rms_norm.rms_norm_quantize(x, weight, EPS, True), reference.rms_norm_quantize(x, weight, EPS, True)
    torch.testing.assert_close(got[1], want[1])
    assert (got[0].int() - want[0].int()).abs().max() <= 1


@pytest.mark.parametrize("scaled", [True, False])
def test_residual_rms_norm_quantize(scaled: bool) -> None:
    x, y, weight = torch.randn(5, 160), torch.randn(5, 160), torch.randn(160)
    scales = {} if scaled else {"y_rows": torch.rand(5, 1), "y_columns": torch.rand(160)}
    got = rms_norm.residual_rms_norm_quantize(x, y, weight, EPS, True, **scales)
    want = reference.residual_rms_norm_quantize(x, y, weight, EPS, True, **scales)
    torch.testing.assert_close(got[0], want[0])
    torch.testing.assert_close(got[2], want[2])
    assert (got[1].int() - want[1].int()).abs().max() <= 1
