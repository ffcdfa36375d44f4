"""The fused rotation kernels equal the references, for pairs of neighbours and for halves of a head."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels import reference, rope
from tests.support.eight_bit_rows import within_a_step

EPS = 1e-6


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


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


def rotary(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    angles = torch.rand(n, 64).repeat(1, 2) * 6
    return angles.cos(), angles.sin()


@pytest.mark.parametrize(("heads", "shared"), [(4, 2), (12, 3)])
def test_qk_norm_half_rope(heads: int, shared: int) -> None:
    qkv, wq, wk = torch.randn(5, (heads + 2 * shared) * 128), torch.randn(128), torch.randn(128)
    args = (qkv, wq, wk, *rotary(5), EPS, heads)
    for got, want in zip(rope.qk_norm_half_rope(*args), reference.qk_norm_half_rope(*args), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


def test_a_width_without_room_for_keys_is_named() -> None:
    with pytest.raises(ValueError, match="does not hold 4 heads"):
        rope.qk_norm_half_rope(torch.randn(2, 4 * 128), torch.ones(128), torch.ones(128), *rotary(2), EPS, 4)


def test_tables_of_another_shape_are_named() -> None:
    table = torch.randn(4, 64)
    with pytest.raises(ValueError, match="cos must be"):
        rope.qk_norm_rope(torch.randn(4, 384), torch.ones(128), torch.ones(128), table, table, EPS)
