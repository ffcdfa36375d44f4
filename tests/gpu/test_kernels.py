"""On a GPU the fused kernels equal the reference operations at the engine's own shapes."""

import pytest

pytest.importorskip("torch")
import torch

pytest.importorskip("triton")
if not torch.cuda.is_available():
    pytest.skip("needs an NVIDIA GPU", allow_module_level=True)

from streamer.generator.klein.fused import vae_decoder
from streamer.generator.klein.kernels import attention, group_norm, layer_norm, quantize_rows, reference, rope, swiglu
from streamer.generator.klein.kernels.int8_matmul import int8_matmul

pytestmark = pytest.mark.gpu
EPS = 1e-6
SHAPES = [(640, 4096), (133, 3072)]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, device="cuda").bfloat16()


def tables(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    angles = torch.rand(n, 64, device="cuda").repeat_interleave(2, 1) * 6
    return angles.cos(), angles.sin()


def close(got: tuple[torch.Tensor, ...], want: tuple[torch.Tensor, ...]) -> None:
    """Compare (q, scale): a few values may fall on the other side of a rounding edge."""
    torch.testing.assert_close(got[-1], want[-1], rtol=1e-4, atol=0.0)
    a, b = got[-2].float() * got[-1], want[-2].float() * want[-1]
    assert ((a - b).norm() / b.norm()).item() < 5e-3


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_rows_and_norms(n: int, d: int, int8: bool) -> None:
    x, y, (gate, scale, shift) = draw(n, d), draw(n, d), (draw(2, d) for _ in range(3))
    close(quantize_rows.quantize_rows(x, int8), reference.quantize_rows(x, int8))
    args = (scale, shift, EPS, 100, int8)
    close(layer_norm.norm_modulate_quantize(x, *args), reference.norm_modulate_quantize(x, *args))
    got = layer_norm.gate_residual_norm_modulate_quantize(x, y, gate, *args)
    want = reference.gate_residual_norm_modulate_quantize(x, y, gate, *args)
    assert torch.equal(got[0], layer_norm.gate_residual(x, y, gate, 100))
    torch.testing.assert_close(got[0], want[0], rtol=8e-3, atol=1e-6)
    close(got, want)


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_swiglu(n: int, d: int, int8: bool) -> None:
    wide, front = draw(n, 9 * d)[:, 3 * d :], draw(n, d)
    close(swiglu.swiglu_quantize(wide, int8), reference.swiglu_quantize(wide, int8))
    got = swiglu.concat_swiglu_quantize(front, wide, None, int8)
    close(got, reference.concat_swiglu_quantize(front, wide, None, int8))


@pytest.mark.parametrize(("n", "k", "m"), [(133, 320, 640), (200, 256, 300), (17, 64, 48)])
def test_the_scaled_sums_of_int8_products_are_exact(n: int, k: int, m: int) -> None:
    rows, weight = (torch.randint(-127, 128, size, dtype=torch.int8, device="cuda") for size in ((n, k), (m, k)))
    row_scale, column_scale = torch.rand(n, 1, device="cuda"), torch.rand(1, m, device="cuda")
    whole = torch.full((n + 2, m), 7.0, device="cuda")
    int8_matmul(rows, weight, row_scale, column_scale, whole[2:])
    truth = (rows.double() @ weight.double().t()) * row_scale * column_scale
    assert ((whole[2:].double() - truth).norm() / truth.norm()).item() < 1e-6
    assert (whole[:2] == 7.0).all()


@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_rope(n: int, d: int) -> None:
    qkv, (wq, wk), turn = draw(n, 9 * d)[:, : 3 * d], (draw(2, 128) for _ in range(2)), tables(n)
    for got, want in zip(
        rope.qk_norm_rope(qkv, wq, wk, *turn, EPS, 100),
        reference.qk_norm_rope(qkv, wq, wk, *turn, EPS, 100), strict=True,
    ):  # fmt: skip
        torch.testing.assert_close(got, want, rtol=8e-3, atol=1e-5)


@pytest.mark.skipif(not attention.available(), reason="needs Hopper and nvidia-cudnn-frontend")
@pytest.mark.parametrize(("n", "heads"), [(640, 32), (1152, 24)])
def test_fp8_attention_is_close_to_attention(n: int, heads: int) -> None:
    qkv, w, turn = draw(n, 3 * heads * 128), draw(128) * 0.1 + 1, tables(n)
    scales = torch.tensor([16 / 448, 16 / 448, 64 / 448, 7.0], device="cuda")
    q, k, v = rope.qk_norm_rope_fp8(qkv, w, w, *turn, EPS, scales)
    got = attention.attention_fp8(q, k, v, scales).float() * scales[2]
    want = reference.attention_fp8(q, k, v, scales)
    assert ((got - want).norm() / want.norm()).item() < 0.06


def test_scales_bound_query_key_and_value() -> None:
    d, w = 512, draw(128)
    wv, scale, shift = draw(d, d) * 0.1, draw(d), draw(d)
    x = reference.norm_modulate(draw(64, d), scale, shift, EPS)
    scales = attention.attention_scales(w, w, wv, scale, shift)
    assert (x @ wv.float().t()).abs().max() <= scales[2] * 448
    torch.testing.assert_close(scales[2] * scales[3], torch.ones((), device="cuda"))


@pytest.mark.parametrize("channels", [128, 96, 512])
def test_group_norm(channels: int) -> None:
    x = (draw(1, channels, 96, 80) * 2 + 1).to(memory_format=torch.channels_last)
    weight, bias = draw(channels), draw(channels)
    got = group_norm.group_norm_silu(x, weight, bias, 32, EPS)
    torch.testing.assert_close(got, reference.group_norm_silu(x, weight, bias, 32, EPS), rtol=1e-2, atol=1e-3)


@torch.no_grad()
def test_the_fast_decoder_is_as_exact_as_the_stock_one() -> None:
    diffusers = pytest.importorskip("diffusers")
    with torch.device("cuda"):
        vae = diffusers.AutoencoderKLFlux2().eval()
    latents = torch.randn(1, 32, 24, 40, device="cuda")
    want = vae.decode(latents).sample
    vae = vae.bfloat16()
    stock, fast = vae.decode(latents.bfloat16()).sample, vae_decoder.fast_decoder(vae)(latents)
    assert (fast - want).norm() < 1.2 * (stock - want).norm()


def test_the_fused_text_layers_give_the_stock_states() -> None:
    transformers = pytest.importorskip("transformers")
    from streamer.generator.klein.fused.text_encoder import TextLayers
    from streamer.generator.klein.quantize import EightBitLinear

    config = transformers.Qwen3Config(
        hidden_size=512, intermediate_size=768, num_hidden_layers=3, num_attention_heads=8, num_key_value_heads=2,
        head_dim=128, vocab_size=64,
    )  # fmt: skip
    with torch.device("cuda"):
        encoder = transformers.Qwen3Model(config).eval().bfloat16().requires_grad_(False)
    x, n = draw(1, 48, 512), 48
    turn = encoder.rotary_emb(x, torch.arange(n, device="cuda")[None])
    mask = torch.ones(n, n, device="cuda", dtype=torch.bool).tril() & (torch.arange(n, device="cuda") < 30)
    stock = x
    for layer in encoder.layers:
        stock = layer(stock, attention_mask=mask[None, None], position_embeddings=turn)
        stock = stock[0] if isinstance(stock, tuple) else stock
        for part in (layer.self_attn, layer.mlp):
            for name, module in list(part.named_children()):
                if isinstance(module, torch.nn.Linear):
                    setattr(part, name, EightBitLinear(module.weight, torch.float8_e4m3fn, False))
    first, last = TextLayers(encoder)(x[0], (turn[0][0].contiguous(), turn[1][0].contiguous()), mask, (1, 3))
    assert first.shape == last.shape
    branch = stock[0].float() - x[0].float()
    assert ((last.float() - stock[0].float()).norm() / branch.norm()).item() < 0.08
