"""The fused LayerNorm kernels equal the references, for one stream and for two."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels import layer_norm, reference
from tests.support.eight_bit_rows import close

EPS = 1e-6
WIDTHS = (64, 96, 256)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("text_rows", [0, 2])
@pytest.mark.parametrize("width", WIDTHS)
def test_norm_modulate_quantize(width: int, text_rows: int) -> None:
    shape = (2, width) if text_rows else (width,)
    x, scale, shift = torch.randn(5, width) * 2 + 3, torch.randn(shape), torch.randn(shape)
    got = layer_norm.norm_modulate_quantize(x, scale, shift, EPS, text_rows)
    close(got, reference.norm_modulate_quantize(x, scale, shift, EPS, text_rows))


@pytest.mark.parametrize("int8", [False, True])
def test_gate_residual_norm_modulate_quantize(int8: bool) -> None:
    x, y = torch.randn(5, 96), torch.randn(5, 96)
    gate, scale, shift = torch.randn(3, 2, 96).unbind(0)
    got = layer_norm.gate_residual_norm_modulate_quantize(x, y, gate, scale, shift, EPS, 3, int8)
    want = reference.gate_residual_norm_modulate_quantize(x, y, gate, scale, shift, EPS, 3, int8)
    torch.testing.assert_close(got[0], want[0])
    close(got, want)


def test_a_product_may_come_without_its_scales() -> None:
    x, y, (gate, scale, shift, columns) = torch.randn(5, 96), torch.randn(5, 96), torch.randn(4, 2, 96).unbind(0)
    scales = {"y_rows": torch.rand(5, 1), "y_columns": columns}
    got = layer_norm.gate_residual_norm_modulate_quantize(x, y, gate, scale, shift, EPS, 3, **scales)
    want = reference.gate_residual_norm_modulate_quantize(x, y, gate, scale, shift, EPS, 3, **scales)
    torch.testing.assert_close(got[0], want[0])
    close(got, want)
    torch.testing.assert_close(layer_norm.gate_residual(x, y, gate, 3, **scales), want[0])


def test_gate_residual() -> None:
    x, y, gate = torch.randn(5, 96), torch.randn(5, 96), torch.randn(96)
    torch.testing.assert_close(layer_norm.gate_residual(x, y, gate), reference.gate_residual(x, y, gate))


def test_wrong_shapes_are_named() -> None:
    x = torch.randn(4, 64)
    with pytest.raises(ValueError, match="gate must be contiguous"):
        layer_norm.gate_residual(x, x, torch.randn(32))
    with pytest.raises(ValueError, match="y must be 64 wide"):
        layer_norm.gate_residual(x, torch.randn(4, 32), torch.randn(64))
