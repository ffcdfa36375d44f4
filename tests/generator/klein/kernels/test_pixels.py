"""The two small passes of the decoder equal plain torch."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels import pixels


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_softmax_rows() -> None:
    x = torch.randn(3, 77) * 20
    torch.testing.assert_close(pixels.softmax_rows(x, 0.5, torch.float32), torch.softmax(x * 0.5, 1))


def test_bytes_are_rounded_and_clamped() -> None:
    x, bias = torch.tensor([[[-3.0, -1.0, 0.0], [0.5, 1.0, 3.0]]]), torch.tensor([0.0, 0.0, 0.004])
    want = ((x + bias).clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8)
    assert torch.equal(pixels.to_bytes(x, bias), want)
