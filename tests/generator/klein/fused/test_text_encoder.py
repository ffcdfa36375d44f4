"""The fused layers compute the states of the Qwen3 layers that they replace."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")
qwen3 = pytest.importorskip("transformers.models.qwen3.modeling_qwen3")

import torch  # noqa: E402

from streamer.generator.klein.fused import text_encoder  # noqa: E402
from streamer.generator.klein.quantize import EightBitLinear  # noqa: E402


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rotary(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    angles = torch.rand(n, 64).repeat(1, 2) * 6
    return angles.cos(), angles.sin()


def quantized_encoder(kind: torch.dtype) -> torch.nn.Module:
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
    encoder, n = quantized_encoder(torch.int8), 24
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
