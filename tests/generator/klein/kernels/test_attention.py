"""The scales of attention in fp8 bound what a normalized row can become."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.fused.ops import reference_ops
from streamer.generator.klein.kernels.attention import attention_scales

LIMIT = 448.0


def test_no_value_leaves_fp8() -> None:
    """Whatever the rows are, normalized and modulated they stay inside the scales, and the plain twin agrees."""
    torch.manual_seed(0)
    wq, wk, values = torch.randn(128), torch.randn(128), torch.randn(64, 96)
    scale, shift = torch.randn(96), torch.randn(96)
    scales = attention_scales(wq, wk, values, scale, shift)
    torch.testing.assert_close(scales, reference_ops().attention_scales(wq, wk, values, scale, shift))
    rows = torch.nn.functional.layer_norm(torch.randn(500, 96) * torch.rand(500, 1) * 100, (96,))
    made = (rows * (1 + scale) + shift) @ values.t()
    assert made.abs().max() <= scales[2] * LIMIT
    heads = torch.nn.functional.rms_norm(torch.randn(500, 128) * 50, (128,)) * wq
    assert heads.abs().max() <= scales[0] * LIMIT
    assert scales[3] == pytest.approx(float(1 / scales[2]))
