"""One block of the transformer built from fused operations and fp8 products, beside the compiled stock block."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch

from bench.kernel_timing import (
    EPS,
    SHAPES,
    Call,
    Report,
    cudnn_attention,
    draw,
    linear,
    milliseconds,
    quantized,
    show_profile,
    tables,
)
from streamer.generator.klein.kernels import attention, layer_norm, quantize_rows, reference, rope, swiglu

Quantized = tuple[torch.Tensor, torch.Tensor]
Branch = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]
"""A block's contribution; with the scales of its rows and columns where the product left them out."""


@dataclass(frozen=True)
class Block:
    """One block: weights per stream (text, image) and purpose, and what its operations need."""

    weights: list[list[Quantized]]
    w: torch.Tensor
    mods: list[torch.Tensor]
    tables: tuple[torch.Tensor, torch.Tensor]
    scales: torch.Tensor
    text: int
    unscaled: bool
    """Leave the scales of products into the residual to the next kernel: faster where there are few rows."""
    one: torch.Tensor

    def product(self, q: Quantized, purpose: int) -> torch.Tensor:
        """Multiply each stream's rows by its own weight, into one matrix."""
        out = torch.empty((q[0].shape[0], self.weights[purpose][0][0].shape[0]), device="cuda", dtype=torch.bfloat16)
        for part, w in zip(self._parts(), self.weights[purpose], strict=True):
            multiply(q[0][part], w[0], q[1][part], w[1].t(), out[part])
        return out

    def branch(self, q: Quantized, purpose: int) -> Branch:
        """Do the same for a product that goes into the residual."""
        if not self.unscaled:
            return self.product(q, purpose), None, None
        weights = self.weights[purpose]
        out = torch.empty((q[0].shape[0], weights[0][0].shape[0]), device="cuda", dtype=torch.bfloat16)
        for part, w in zip(self._parts(), weights, strict=True):
            multiply(q[0][part], w[0], self.one, self.one, out[part])
        columns = torch.stack([w[1][:, 0] for w in weights])
        return out, q[1], columns if len(weights) == 2 else columns[0]

    def _parts(self) -> list[slice]:
        return [slice(0, self.text), slice(self.text, None)] if self.text else [slice(None)]


def multiply(a: torch.Tensor, w: torch.Tensor, scale_a: torch.Tensor, scale_b: torch.Tensor, out: torch.Tensor) -> None:
    torch._scaled_mm(a, w.t(), scale_a=scale_a, scale_b=scale_b, out_dtype=torch.bfloat16, use_fast_accum=True, out=out)


def make_block(d: int, n: int, text: int, shapes: tuple[tuple[int, int], ...], unscaled: bool) -> Block:
    streams = 2 if text else 1
    sets = (streams, 128) if text else (128,)
    mods = [draw(*((2, d) if text else (d,))) for _ in range(3)]
    scales = torch.tensor([16.0 / 448, 16.0 / 448, 64.0 / 448, 7.0], device="cuda")
    weights = [[quantized(draw(m, k, scale=0.02)) for _ in range(streams)] for k, m in shapes]
    one = torch.ones((), device="cuda")
    return Block(weights, torch.ones(sets, device="cuda").bfloat16(), mods, tables(n), scales, text, unscaled, one)


def single_block(d: int, n: int, text: int, unscaled: bool) -> Block:
    return make_block(d, n, 0, ((d, 9 * d), (4 * d, d)), unscaled)


def double_block(d: int, n: int, text: int, unscaled: bool) -> Block:
    return make_block(d, n, text, ((d, 3 * d), (d, d), (d, 6 * d), (3 * d, d)), unscaled)


def run_single(b: Block, x: torch.Tensor, y: Branch, fp8: bool) -> tuple[torch.Tensor, Branch]:
    """Draw one single-stream block out of fused operations and fp8 products."""
    d = x.shape[1]
    x, *q = layer_norm.gate_residual_norm_modulate_quantize(x, y[0], *b.mods, EPS, 0, False, *y[1:])
    wide = b.product((q[0], q[1]), 0)
    qkv, gate_up = wide[:, : 3 * d], wide[:, 3 * d :]
    if fp8:
        heads = rope.qk_norm_rope_fp8(qkv, b.w, b.w, *b.tables, EPS, b.scales)
        joined = swiglu.concat_swiglu_quantize(attention.attention_fp8(*heads, b.scales), gate_up, b.scales[2:3])
    else:
        q_rotated, k_rotated = rope.qk_norm_rope(qkv, b.w, b.w, *b.tables, EPS)
        attended = cudnn_attention(q_rotated, k_rotated, qkv[:, 2 * d :].unflatten(1, (-1, 128)))
        joined = swiglu.concat_swiglu_quantize(attended, gate_up)
    return x, b.branch(joined, 1)


def run_double(b: Block, x: torch.Tensor, y: Branch, fp8: bool) -> tuple[torch.Tensor, Branch]:
    """Draw one double-stream block: text and image rows lie in one matrix, text first."""
    d, t = x.shape[1], b.text
    x, *q = layer_norm.gate_residual_norm_modulate_quantize(x, y[0], *b.mods, EPS, t, False, *y[1:])
    qkv = b.product((q[0], q[1]), 0)
    if fp8:
        heads = rope.qk_norm_rope_fp8(qkv, b.w, b.w, *b.tables, EPS, b.scales, t)
        # Already fp8 under one scale: it needs no quantization before the output product.
        attended = attention.attention_fp8(*heads, b.scales), b.scales[2:3].expand(x.shape[0], 1).contiguous()
    else:
        q_rotated, k_rotated = rope.qk_norm_rope(qkv, b.w, b.w, *b.tables, EPS, t)
        attended = quantize_rows.quantize_rows(
            cudnn_attention(q_rotated, k_rotated, qkv[:, 2 * d :].unflatten(1, (-1, 128)))
        )
    y = b.branch(attended, 1)
    x, *q = layer_norm.gate_residual_norm_modulate_quantize(x, y[0], *b.mods, EPS, t, False, *y[1:])
    return x, b.branch(swiglu.swiglu_quantize(b.product((q[0], q[1]), 2)), 3)


def bench_blocks(report: Report, stock: bool, profile: bool) -> None:
    for label, (n, d, text) in SHAPES.items():
        start = draw(n, d), (draw(n, d), None, None)
        for kind, make, run in (("single", single_block, run_single), ("double", double_block, run_double)):
            for unscaled in (False, True) if n < 2000 else (False,):
                blocks = [make(d, n, text, unscaled) for _ in range(3)]
                for fp8 in (False, True) if attention.available() else (False,):
                    ms = milliseconds([partial(chain, run, blocks, *start, fp8)]) / len(blocks)
                    name = f"{'fp8' if fp8 else 'bf16'}_attention{'.unscaled' if unscaled else ''}"
                    report.note(f"{label}.{kind}_block.{name}.us", ms * 1e3)
            if profile:
                show_profile(partial(run, blocks[0], *start, False))
        if stock:
            report.note(f"{label}.single_block.compiled_stock.us", compiled_single(d, n) * 1e3)


def chain(run: Call, blocks: list[Block], x: torch.Tensor, y: Branch, fp8: bool) -> torch.Tensor:
    """Run blocks one after the other, as a step does."""
    for b in blocks:
        x, y = run(b, x, y, fp8)
    return x


class RowwiseLinear(torch.nn.Module):
    """A linear layer as compiled fp8 code does it without fused kernels."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.q, self.scale = quantized(linear.weight.data)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.flatten(0, -2)
        out = linear(reference.quantize_rows(flat), (self.q, self.scale))
        return out.view(*x.shape[:-1], -1)


def compiled_single(d: int, n: int) -> float:
    """Time diffusers' single block, its linears in fp8, compiled."""
    from diffusers.models.transformers.transformer_flux2 import Flux2SingleTransformerBlock

    with torch.device("cuda"):
        block = Flux2SingleTransformerBlock(d, d // 128, 128).eval().requires_grad_(False).bfloat16()
    block.attn.to_qkv_mlp_proj = RowwiseLinear(block.attn.to_qkv_mlp_proj)
    block.attn.to_out = RowwiseLinear(block.attn.to_out)
    block.attn.set_attention_backend("_native_cudnn")
    block.compile(fullgraph=True, dynamic=False)
    x, mod, turn = draw(1, n, d), draw(1, 1, 3 * d), tables(n)
    return milliseconds([lambda: block(x, None, mod, turn)])
