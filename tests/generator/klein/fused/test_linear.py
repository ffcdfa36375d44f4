"""One product consists of two, and the next kernel may multiply the scales in."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from streamer.generator.klein.fused import linear
from streamer.generator.klein.fused.linear import QuantizedRows, TwoStreamLinear, defers_scales, residual_update
from streamer.generator.klein.quantize import FP8, EightBitLinear, eight_bit_matmul_works, quantize_to_eight_bits

pytestmark = pytest.mark.torch

TEXT = 3


def layer(kind: torch.dtype, seed: int) -> EightBitLinear:
    return EightBitLinear(torch.randn(32, 16, generator=torch.Generator().manual_seed(seed)), kind, False)


def rows_of(kind: torch.dtype) -> QuantizedRows:
    return QuantizedRows(*quantize_to_eight_bits(torch.randn(8, 16, generator=torch.Generator().manual_seed(9)), kind))


@pytest.mark.parametrize("kind", [FP8, torch.int8])
def test_a_pair_multiplies_each_part_by_its_own(kind: torch.dtype) -> None:
    """The first rows meet the text's weights, the others the picture's."""
    text, image, rows = layer(kind, 1), layer(kind, 2), rows_of(kind)
    product = TwoStreamLinear(text, image).matmul(rows, TEXT, torch.float32)
    assert torch.equal(product[:TEXT], text.matmul(rows.values[:TEXT], rows.scale[:TEXT], torch.float32))
    assert torch.equal(product[TEXT:], image.matmul(rows.values[TEXT:], rows.scale[TEXT:], torch.float32))


@pytest.mark.parametrize("kind", [FP8, torch.int8])
def test_scales_left_for_later_give_the_same(kind: torch.dtype) -> None:
    """Unscaled values times both scales are the scaled product."""
    pair, rows = TwoStreamLinear(layer(kind, 1), layer(kind, 2)), rows_of(kind)
    update = pair.residual_update(rows, TEXT, torch.float32)
    assert update.row_scale is not None
    assert update.column_scale is not None
    columns = torch.cat([update.column_scale[:1].expand(TEXT, -1), update.column_scale[1:].expand(8 - TEXT, -1)])
    torch.testing.assert_close(
        update.values.float() * update.row_scale * columns, pair.matmul(rows, TEXT, torch.float32)
    )
    one_layer = residual_update(layer(kind, 1), rows, torch.float32)
    row_scale, _ = one_layer.scales_of(slice(2, 5))
    assert row_scale is not None
    assert row_scale.shape == (3, 1)


def test_many_rows_in_fp8_are_scaled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """cuBLAS is faster with scales there; int8 always defers them, because its product applies none."""
    monkeypatch.setattr(linear, "FEW_ROWS", 4)
    assert not defers_scales(layer(FP8, 1), rows_of(FP8))
    assert defers_scales(layer(torch.int8, 1), rows_of(torch.int8))
    assert residual_update(layer(FP8, 1), rows_of(FP8), torch.float32).row_scale is None


@pytest.mark.parametrize("kind", [FP8, torch.int8])
def test_the_probe_passes_where_products_work(kind: torch.dtype) -> None:
    """On the CPU both types are multiplied in float32."""
    assert eight_bit_matmul_works(kind, torch.device("cpu"))


def test_the_probe_fails_where_a_product_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chip without the product raises; that is an answer, not a fault."""

    def missing(*given: object) -> None:
        raise RuntimeError("not supported on this device")

    monkeypatch.setattr(EightBitLinear, "matmul", missing)
    assert not eight_bit_matmul_works(FP8, torch.device("cpu"))
