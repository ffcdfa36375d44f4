"""The reference operations compute what diffusers' FLUX.2 modules and transformers' Qwen3 modules compute."""

import pytest

pytest.importorskip("torch")
flux2 = pytest.importorskip("diffusers.models.transformers.transformer_flux2")
embeddings = pytest.importorskip("diffusers.models.embeddings")
qwen3 = pytest.importorskip("transformers.models.qwen3.modeling_qwen3")

import torch  # noqa: E402

from streamer.generator.klein.kernels import reference as ref  # noqa: E402

EPS = 1e-6


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rope_tables(text: int, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.zeros(text + side * side, 4)
    ids[:text, 3] = torch.arange(text)
    ids[text:, 1:3] = torch.cartesian_prod(torch.arange(side), torch.arange(side))
    return flux2.Flux2PosEmbed(theta=2000, axes_dim=[32, 32, 32, 32])(ids)


def restored(q: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return q.float() * scale


def test_swiglu_gates_with_the_first_half() -> None:
    x = torch.randn(5, 48)
    torch.testing.assert_close(ref.swiglu(x), flux2.Flux2SwiGLU()(x))


def test_modulated_norm_is_the_blocks_own() -> None:
    x, scale, shift = torch.randn(6, 64) * 3 + 1, torch.randn(64), torch.randn(64)
    norm = torch.nn.LayerNorm(64, elementwise_affine=False, eps=EPS)
    torch.testing.assert_close(ref.norm_modulate(x, scale, shift, EPS), (1 + scale) * norm(x) + shift)


def test_two_sets_serve_text_and_image_rows() -> None:
    x, scale, shift = torch.randn(6, 64), torch.randn(2, 64), torch.randn(2, 64)
    both = ref.norm_modulate(x, scale, shift, EPS, text_rows=2)
    torch.testing.assert_close(both[:2], ref.norm_modulate(x[:2], scale[0], shift[0], EPS))
    torch.testing.assert_close(both[2:], ref.norm_modulate(x[2:], scale[1], shift[1], EPS))


def test_norm_and_rotation_are_the_attention_modules_own() -> None:
    attn = flux2.Flux2Attention(query_dim=256, heads=2, dim_head=128, added_kv_proj_dim=256, eps=EPS, out_dim=256)
    wq, wk = torch.randn(2, 128), torch.randn(2, 128)
    norms = (attn.norm_added_q, attn.norm_q, attn.norm_added_k, attn.norm_k)
    for norm, w in zip(norms, (wq[0], wq[1], wk[0], wk[1]), strict=True):
        norm.weight.data.copy_(w)
    cos, sin = rope_tables(4, 3)
    qkv = torch.randn(13, 3 * 256)
    q, k = ref.qk_norm_rope(qkv, wq, wk, cos, sin, EPS, text_rows=4)
    raw_q, raw_k, _ = qkv.view(1, 13, 3, 2, 128).unbind(2)
    for got, raw, text, image in ((q, raw_q, *norms[:2]), (k, raw_k, *norms[2:])):
        normed = torch.cat([text(raw[:, :4]), image(raw[:, 4:])], 1)
        torch.testing.assert_close(got[None], embeddings.apply_rotary_emb(normed, (cos, sin), sequence_dim=1))


@torch.no_grad()
def test_a_single_block_of_references_equals_the_stock_block() -> None:
    block = flux2.Flux2SingleTransformerBlock(256, 2, 128).eval()
    mod = torch.randn(1, 1, 3 * 256)
    shift, scale, gate = mod[0, 0].chunk(3)
    cos, sin = rope_tables(4, 3)
    x = torch.randn(13, 256)
    wide = ref.norm_modulate(x, scale, shift, EPS) @ block.attn.to_qkv_mlp_proj.weight.t()
    q, k = ref.qk_norm_rope(wide[:, :768], block.attn.norm_q.weight, block.attn.norm_k.weight, cos, sin, EPS)
    attended = ref.attention(q, k, wide[:, 512:768].view(13, 2, 128))
    y = torch.cat([attended, ref.swiglu(wide[:, 768:])], 1) @ block.attn.to_out.weight.t()
    stock = block(x[None], None, mod, (cos, sin))
    torch.testing.assert_close(ref.gate_residual(x, y, gate)[None], stock, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("int8", "bound"), [(False, 0.03), (True, 0.01)])
def test_quantized_rows_are_close_to_the_rows(int8: bool, bound: float) -> None:
    x = torch.randn(7, 300) * torch.logspace(-3, 3, 7)[:, None]
    error = (restored(*ref.quantize_rows(x, int8)) - x).norm(dim=1) / x.norm(dim=1)
    assert error.max() < bound


def test_a_row_of_zeros_stays_zero() -> None:
    q, scale = ref.quantize_rows(torch.zeros(2, 16))
    assert torch.equal(restored(q, scale), torch.zeros(2, 16))


def text_rotary(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    angles = torch.rand(n, 64).repeat(1, 2) * 6
    return angles.cos(), angles.sin()


def test_the_reference_norm_is_the_encoders_own() -> None:
    norm = qwen3.Qwen3RMSNorm(96, eps=EPS)
    norm.weight.data.uniform_(0.5, 2)
    x = torch.randn(4, 96)
    q, scale = ref.rms_norm_quantize(x, norm.weight, EPS, True)
    assert ((q * scale - norm(x)).norm() / norm(x).norm()).item() < 0.01


def test_the_reference_rotation_is_the_encoders_own() -> None:
    qkv, wq, wk, (cos, sin) = torch.randn(5, 8 * 128), torch.rand(128), torch.rand(128), text_rotary(5)
    q, k, v = ref.qk_norm_half_rope(qkv, wq, wk, cos, sin, EPS, 4)
    norms = [qwen3.Qwen3RMSNorm(128, eps=EPS) for _ in range(2)]
    for norm, w in zip(norms, (wq, wk), strict=True):
        norm.weight.data.copy_(w)
    split = qkv.view(1, 5, 8, 128).transpose(1, 2)
    want_q, want_k = qwen3.apply_rotary_pos_emb(norms[0](split[:, :4]), norms[1](split[:, 4:6]), cos[None], sin[None])
    torch.testing.assert_close(q.transpose(0, 1)[None], want_q)
    torch.testing.assert_close(k.transpose(0, 1)[None], qwen3.repeat_kv(want_k, 2))
    torch.testing.assert_close(v.transpose(0, 1)[None], qwen3.repeat_kv(split[:, 6:], 2))
