"""The fused SwiGLU kernels equal the references, with and without attention in front."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels import reference, swiglu
from tests.support.eight_bit_rows import close


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


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


def test_an_odd_width_is_named() -> None:
    with pytest.raises(ValueError, match="even width"):
        swiglu.swiglu_quantize(torch.randn(4, 63))
