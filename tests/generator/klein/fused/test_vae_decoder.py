"""The fused decoder draws what diffusers' own decoder draws from the same weights."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")
diffusers = pytest.importorskip("diffusers")

import torch  # noqa: E402

from streamer.generator.klein.fused import vae_decoder  # noqa: E402
from streamer.generator.klein.kernels import group_norm, pixels, reference  # noqa: E402


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def tiny_vae(widths: tuple[int, ...]) -> torch.nn.Module:
    vae = diffusers.AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        block_out_channels=widths, layers_per_block=1, latent_channels=8, norm_num_groups=4, sample_size=32,
    ).eval()  # fmt: skip
    for p in vae.parameters():
        p.data.add_(0.1 * torch.randn_like(p))
    return vae


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


def test_a_transposed_convolution_doubles_like_nearest_and_3x3() -> None:
    x, weight = torch.randn(1, 6, 5, 4), torch.randn(7, 6, 3, 3)
    want = torch.nn.functional.conv2d(torch.nn.functional.interpolate(x, scale_factor=2.0), weight, padding=1)
    got = torch.nn.functional.conv_transpose2d(x, vae_decoder.doubling_weight(weight), stride=2, padding=1)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


def test_softmax_rows() -> None:
    x = torch.randn(3, 77) * 20
    torch.testing.assert_close(pixels.softmax_rows(x, 0.5, torch.float32), torch.softmax(x * 0.5, 1))


def test_bytes_are_rounded_and_clamped() -> None:
    x, bias = torch.tensor([[[-3.0, -1.0, 0.0], [0.5, 1.0, 3.0]]]), torch.tensor([0.0, 0.0, 0.004])
    want = ((x + bias).clamp(-1, 1) * 127.5 + 127.5).round().to(torch.uint8)
    assert torch.equal(pixels.to_bytes(x, bias), want)


def test_two_pictures_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="one picture"):
        vae_decoder.fast_decoder(tiny_vae((16, 32)))(torch.randn(2, 8, 6, 10))


@torch.no_grad()
@pytest.mark.parametrize("widths", [(16, 32), (12, 24)])
def test_the_fast_decoder_draws_the_stock_picture(widths: tuple[int, ...]) -> None:
    vae = tiny_vae(widths)
    latents = torch.randn(1, 8, 6, 10)
    stock = vae.decode(latents).sample
    torch.testing.assert_close(vae_decoder.fast_decoder(vae)(latents), stock, rtol=1e-3, atol=1e-3)
    want = (stock[0].permute(1, 2, 0) * 127.5 + 127.5).clamp(0, 255).round()
    got = vae_decoder.fast_decoder(vae, as_bytes=True)(latents).float()
    assert got.shape == (12, 20, 3)
    assert want.std() > 10
    assert (got - want).abs().max() <= 1
