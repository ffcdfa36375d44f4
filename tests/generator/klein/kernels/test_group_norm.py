"""The fused GroupNorm kernels equal the reference, with a bias that is still pending too."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

import torch

from streamer.generator.klein.kernels import group_norm, reference


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def random_picture(channels: int, height: int, width: int) -> torch.Tensor:
    return torch.randn(1, channels, height, width).to(memory_format=torch.channels_last)


@pytest.mark.parametrize("channels", [32, 24])
def test_group_norm_silu(channels: int) -> None:
    x, weight, bias = random_picture(channels, 9, 7) * 2 + 1, torch.randn(channels), torch.randn(channels)
    got = group_norm.group_norm_silu(x, weight, bias, 4, 1e-6)
    torch.testing.assert_close(got, reference.group_norm_silu(x, weight, bias, 4, 1e-6), rtol=1e-4, atol=1e-5)


def test_a_pending_bias_is_folded_into_the_statistics() -> None:
    x, pending, weight, bias = torch.randn(63, 24), torch.randn(24), torch.randn(24), torch.randn(24)
    affine = group_norm.affine_of(group_norm.channel_sums(x), 63, weight, bias, 4, 1e-6, pending)
    whole = (x + pending).t().reshape(1, 24, 9, 7)
    want = torch.nn.functional.group_norm(whole, 4, weight, bias, 1e-6)[0].flatten(1).t()
    torch.testing.assert_close(group_norm.apply(x, affine, silu=False), want, rtol=1e-4, atol=1e-5)


def test_add_sums_what_it_wrote() -> None:
    x, other, bias = torch.randn(63, 24), torch.randn(63, 24), torch.randn(24)
    want = x + other + bias
    sums = group_norm.add(x, other, bias, sums=True)
    torch.testing.assert_close(x, want)
    assert sums is not None
    torch.testing.assert_close(sums.sum(0), torch.stack([want.sum(0), (want * want).sum(0)]), rtol=1e-4, atol=1e-4)
