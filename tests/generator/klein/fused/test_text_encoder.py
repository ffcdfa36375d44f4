"""The fused text operations equal their references, and the references equal Qwen3's own modules."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")
qwen3 = pytest.importorskip("transformers.models.qwen3.modeling_qwen3")

import torch  # noqa: E402

from streamer.generator.klein.fused import text_encoder  # noqa: E402
from streamer.generator.klein.kernels import reference, rms_norm, rope  # noqa: E402
from streamer.generator.klein.quantize import EightBitLinear  # noqa: E402

EPS = 1e-6


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rotary(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    angles = torch.rand(n, 64).repeat(1, 2) * 6
    return angles.cos(), angles.sin()


@pytest.mark.parametrize("width", [64, 160])
def test_rms_norm_quantize(width: int) -> None:
    x, weight = torch.randn(5, width) * 3, torch.randn(width)
    got, want = rms_norm.rms_norm_quantize(x, weight, EPS, True), reference.rms_norm_quantize(x, weight, EPS, True)
    torch.testing.assert_close(got[1], want[1])
    assert (got[0].int() - want[0].int()).abs().max() <= 1


def test_the_reference_norm_is_the_encoders_own() -> None:
    norm = qwen3.Qwen3RMSNorm(96, eps=EPS)
    norm.weight.data.uniform_(0.5, 2)
    x = torch.randn(4, 96)
    q, scale = reference.rms_norm_quantize(x, norm.weight, EPS, True)
    assert ((q * scale - norm(x)).norm() / norm(x).norm()).item() < 0.01


@pytest.mark.parametrize("scaled", [True, False])
def test_residual_rms_norm_quantize(scaled: bool) -> None:
    x, y, weight = torch.randn(5, 160), torch.randn(5, 160), torch.randn(160)
    scales = {} if scaled else {"y_rows": torch.rand(5, 1), "y_columns": torch.rand(160)}
    got = rms_norm.residual_rms_norm_quantize(x, y, weight, EPS, True, **scales)
    want = reference.residual_rms_norm_quantize(x, y, weight, EPS, True, **scales)
    torch.testing.assert_close(got[0], want[0])
    torch.testing.assert_close(got[2], want[2])
    assert (got[1].int() - want[1].int()).abs().max() <= 1


@pytest.mark.parametrize(("heads", "shared"), [(4, 2), (12, 3)])
def test_qk_norm_half_rope(heads: int, shared: int) -> None:
    qkv, wq, wk = torch.randn(5, (heads + 2 * shared) * 128), torch.randn(128), torch.randn(128)
    args = (qkv, wq, wk, *rotary(5), EPS, heads)
    for got, want in zip(rope.qk_norm_half_rope(*args), reference.qk_norm_half_rope(*args), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


def test_the_reference_rotation_is_the_encoders_own() -> None:
    qkv, wq, wk, (cos, sin) = torch.randn(5, 8 * 128), torch.rand(128), torch.rand(128), rotary(5)
    q, k, v = reference.qk_norm_half_rope(qkv, wq, wk, cos, sin, EPS, 4)
    norms = [qwen3.Qwen3RMSNorm(128, eps=EPS) for _ in range(2)]
    for norm, w in zip(norms, (wq, wk), strict=True):
        norm.weight.data.copy_(w)
    split = qkv.view(1, 5, 8, 128).transpose(1, 2)
    want_q, want_k = qwen3.apply_rotary_pos_emb(norms[0](split[:, :4]), norms[1](split[:, 4:6]), cos[None], sin[None])
    torch.testing.assert_close(q.transpose(0, 1)[None], want_q)
    torch.testing.assert_close(k.transpose(0, 1)[None], qwen3.repeat_kv(want_k, 2))
    torch.testing.assert_close(v.transpose(0, 1)[None], qwen3.repeat_kv(split[:, 6:], 2))


def test_a_width_without_room_for_keys_is_named() -> None:
    with pytest.raises(ValueError, match="does not hold 4 heads"):
        rope.qk_norm_half_rope(torch.randn(2, 4 * 128), torch.ones(128), torch.ones(128), *rotary(2), EPS, 4)


def quantised_encoder(kind: torch.dtype) -> torch.nn.Module:
    config = qwen3.Qwen3Config(
        hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
        head_dim=128, vocab_size=16, initializer_range=0.1,
    )  # fmt: skip
    encoder = qwen3.Qwen3Model(config).eval().requires_grad_(False)
    for layer in encoder.layers:
        for norm in (layer.input_layernorm, layer.post_attention_layernorm, layer.self_attn.q_norm):
            norm.weight.uniform_(0.5, 2)
        for part in (layer.self_attn, layer.mlp):
            for name, module in list(part.named_children()):
                if isinstance(module, torch.nn.Linear):
                    setattr(part, name, EightBitLinear(module.weight, kind, False))
    return encoder


def test_fused_layers_give_the_states_of_the_layers_they_replace() -> None:
    encoder, n = quantised_encoder(torch.int8), 24
    x, (cos, sin) = torch.randn(n, 64), rotary(n)
    mask = torch.ones(n, n, dtype=torch.bool).tril() & (torch.arange(n) < 17)
    states, stock = x[None], []
    for layer in encoder.layers:
        made = layer(states, attention_mask=mask[None, None], position_embeddings=(cos[None], sin[None]))
        states = made[0] if isinstance(made, tuple) else made
        stock.append(states[0])
    before = encoder.layers[1].mlp.up_proj.weight.clone()
    fused = text_encoder.TextLayers(encoder)(x, (cos, sin), mask, (1, 3))
    for got, want in zip(fused, (stock[0], stock[2]), strict=True):
        assert ((got - want).norm() / (want - x).norm()).item() < 0.01
    assert torch.equal(encoder.layers[1].mlp.up_proj.weight, before)
    joined = encoder.layers[1].mlp.gate_proj.weight.untyped_storage().data_ptr()
    assert encoder.layers[1].mlp.up_proj.weight.untyped_storage().data_ptr() == joined
