"""Changes are read with their scale and rows, and merged a few rows at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file, save_file

from streamer.generator.lora.files import read_header
from streamer.generator.lora.flux2 import flux2_layers
from streamer.generator.lora.testing import make_lora
from streamer.generator.lora.weights import LowRank, merge, read_flux2

pytestmark = pytest.mark.torch

CONFIG = {"num_attention_heads": 1, "num_layers": 1, "num_single_layers": 1, "joint_attention_dim": 96}
BLOCK = "transformer_blocks.0.attn"


def seeded(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_a_joined_projection_becomes_three_changes(tmp_path: Path) -> None:
    """Each with its own rows of the first half, the same second half, and alpha by rank as its scale."""
    path = make_lora(tmp_path / "a.safetensors", CONFIG, spelling="kohya", rank=4, alpha=2.0)
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    tensors, read = load_file(path), read_flux2(read_header(path), flux2_layers(CONFIG))
    up, down = tensors[f"{name}.lora_up.weight"], tensors[f"{name}.lora_down.weight"]
    for index, leaf in enumerate(("to_q", "to_k", "to_v")):
        (change,) = read[f"{BLOCK}.{leaf}"]
        assert torch.equal(change.up, up[128 * index : 128 * (index + 1)])
        assert torch.equal(change.down, down)
        assert (change.first, change.scale) == (0, 0.5)


def test_swapped_halves_go_where_diffusers_keeps_them(tmp_path: Path) -> None:
    """Shift is the second half of the last norm's rows, and comes first in such a file."""
    name, up = "diffusion_model.final_layer.adaLN_modulation.1", seeded(256, 1)
    save_file({f"{name}.lora_A.weight": seeded(1, 128), f"{name}.lora_B.weight": up}, tmp_path / "a.safetensors")
    shift, scale = read_flux2(read_header(tmp_path / "a.safetensors"), flux2_layers(CONFIG))["norm_out.linear"]
    assert (shift.first, scale.first) == (128, 0)
    assert torch.equal(torch.cat([shift.up, scale.up]), up)


@pytest.mark.parametrize("rows", [1, 5, 16])
def test_rows_merge_as_the_whole(rows: int) -> None:
    """Whatever the pieces, the sum is the weight and every change of its rows."""
    weight, original = seeded(16, 8), seeded(16, 8)
    everywhere, below = LowRank(0, seeded(16, 2), seeded(2, 8), 0.5), LowRank(10, seeded(4, 3), seeded(3, 8), 2.0)
    truth = weight + 0.5 * everywhere.up @ everywhere.down
    truth[10:14] += 2.0 * below.up @ below.down
    pieces = [merge(weight[first : first + rows], first, [everywhere, below]) for first in range(0, 16, rows)]
    assert torch.allclose(torch.cat(pieces), truth, atol=1e-5)
    assert torch.equal(weight, original)


def test_a_weight_makes_a_change_stronger() -> None:
    """It multiplies the scale, and computing is in float32."""
    change = LowRank(0, seeded(4, 2).bfloat16(), seeded(2, 4).bfloat16(), 0.5).weighted(3.0)
    moved = change.to(torch.device("cpu"))
    assert (moved.scale, moved.up.dtype, moved.down.dtype) == (1.5, torch.float32, torch.float32)
    assert merge(torch.zeros(4, 4, dtype=torch.bfloat16), 0, [moved]).dtype == torch.bfloat16
