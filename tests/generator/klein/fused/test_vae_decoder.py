"""The fused decoder draws what diffusers' own decoder draws from the same weights."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")
diffusers = pytest.importorskip("diffusers")

import torch  # noqa: E402

from streamer.generator.klein.fused import vae_decoder  # noqa: E402


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


def test_a_transposed_convolution_doubles_like_nearest_and_3x3() -> None:
    x, weight = torch.randn(1, 6, 5, 4), torch.randn(7, 6, 3, 3)
    want = torch.nn.functional.conv2d(torch.nn.functional.interpolate(x, scale_factor=2.0), weight, padding=1)
    got = torch.nn.functional.conv_transpose2d(x, vae_decoder.doubling_weight(weight), stride=2, padding=1)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


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


@torch.no_grad()
@pytest.mark.parametrize("pixels", [1, 45, 100])
def test_strips_draw_the_same_picture(monkeypatch: pytest.MonkeyPatch, pixels: int) -> None:
    """However thin a strip is, its neighbours' rows and the statistics of the whole picture count."""
    vae, latents = tiny_vae((16, 32)), torch.randn(1, 8, 6, 10)
    whole = vae_decoder.fast_decoder(vae)(latents)
    monkeypatch.setattr(vae_decoder, "STRIP_PIXELS", pixels)
    torch.testing.assert_close(
        vae_decoder.fast_decoder(vae).in_strips(search=False)(latents), whole, rtol=1e-4, atol=1e-4
    )
