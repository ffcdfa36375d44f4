"""The fused row kernels equal the reference operations, at widths that are no powers of two too."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels import layer_norm, quantize_rows, reference, rope, swiglu

EPS = 1e-6
WIDTHS = (64, 96, 256)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def within_a_step(q: torch.Tensor, want: torch.Tensor) -> None:
    """Allow one step of the 8-bit type.

    Triton's interpreter rounds fp8 carelessly: a value that rounds up to a power of two loses its carry and comes out
    halved. On a GPU the hardware rounds, and tests/gpu holds it to the exact value.
    """
    assert q.dtype == want.dtype
    a, b = q.float(), want.float()
    step = 1.0 if q.dtype == torch.int8 else torch.exp2(torch.floor(torch.log2(b.abs().clamp_min(2.0**-6))) - 3)
    lost_carry = (2 * a == b) & (q.dtype != torch.int8)
    assert (((a - b).abs() <= step) | lost_carry).all()


def close(got: tuple[torch.Tensor, ...], want: tuple[torch.Tensor, ...]) -> None:
    torch.testing.assert_close(got[-1], want[-1], rtol=1e-5, atol=0.0)
    within_a_step(got[-2], want[-2])


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_quantize_rows(width: int, int8: bool) -> None:
    x = torch.randn(5, width + 32)[:, :width]
    close(quantize_rows.quantize_rows(x, int8), reference.quantize_rows(x, int8))


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


@pytest.mark.parametrize("width", [64, 96, 288])
def test_swiglu_quantize_reads_a_view_of_a_wider_product(width: int) -> None:
    gate_up = torch.randn(5, 3 * width)[:, width:]
    close(swiglu.swiglu_quantize(gate_up), reference.swiglu_quantize(gate_up))


@pytest.mark.parametrize(("front", "width"), [(64, 192), (96, 288)])
def test_concat_swiglu_quantize(front: int, width: int) -> None:
    attention, gate_up = torch.randn(5, front) * 3, torch.randn(5, 2 * width)
    got = swiglu.concat_swiglu_quantize(attention, gate_up)
    close(got, reference.concat_swiglu_quantize(attention, gate_up))


def test_concat_swiglu_quantize_takes_fp8_attention() -> None:
    attention, gate_up, scale = torch.randn(5, 64).to(torch.float8_e4m3fn), torch.randn(5, 256), torch.tensor([0.5])
    got = swiglu.concat_swiglu_quantize(attention, gate_up, scale)
    close(got, reference.concat_swiglu_quantize(attention, gate_up, scale))


@pytest.mark.parametrize(("heads", "text_rows"), [(3, 0), (2, 2)])
def test_qk_norm_rope(heads: int, text_rows: int) -> None:
    qkv, sets = torch.randn(5, 9 * heads * 128)[:, : 3 * heads * 128], (2, 128) if text_rows else (128,)
    wq, wk = torch.randn(sets), torch.randn(sets)
    angles = torch.rand(5, 64).repeat_interleave(2, 1)
    args = (qkv, wq, wk, angles.cos(), angles.sin(), EPS)
    for got, want in zip(rope.qk_norm_rope(*args, text_rows), reference.qk_norm_rope(*args, text_rows), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


def test_qk_norm_rope_fp8_divides_by_the_scales() -> None:
    qkv, w = torch.randn(5, 3 * 256), torch.rand(128) + 0.5
    angles = torch.rand(5, 64).repeat_interleave(2, 1)
    args = (qkv, w, w, angles.cos(), angles.sin(), EPS, torch.tensor([0.1, 0.2, 0.3, 1 / 0.3]))
    for got, want in zip(rope.qk_norm_rope_fp8(*args), reference.qk_norm_rope_fp8(*args), strict=True):
        within_a_step(got, want)


def test_wrong_shapes_are_named() -> None:
    x = torch.randn(4, 64)
    with pytest.raises(ValueError, match="contiguous rows"):
        quantize_rows.quantize_rows(x.t())
    with pytest.raises(ValueError, match="gate must be contiguous"):
        layer_norm.gate_residual(x, x, torch.randn(32))
    with pytest.raises(ValueError, match="y must be 64 wide"):
        layer_norm.gate_residual(x, torch.randn(4, 32), torch.randn(64))
    with pytest.raises(ValueError, match="even width"):
        swiglu.swiglu_quantize(torch.randn(4, 63))
    with pytest.raises(ValueError, match="cos must be"):
        rope.qk_norm_rope(torch.randn(4, 384), torch.ones(128), torch.ones(128), x, x, EPS)
