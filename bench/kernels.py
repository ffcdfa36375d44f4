"""Time the fused kernels of the Klein engine on this GPU, each against its bound and its float32 reference.

Usage: python -m bench.kernels [--only ops,gemm,attention,decoder,text,blocks] [--stock] [--profile]
The last line is JSON.
"""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from bench.kernel_blocks import bench_blocks
from bench.kernel_timing import (
    EPS,
    SHAPES,
    Call,
    Report,
    cudnn_attention,
    draw,
    error,
    linear,
    milliseconds,
    quantized,
    show_profile,
    tables,
)
from bench.report import at_least, at_most, finish
from streamer.generator.klein.fused import vae_decoder
from streamer.generator.klein.fused.text_encoder import TextLayers
from streamer.generator.klein.kernels import attention, layer_norm, quantize_rows, reference, rope, swiglu
from streamer.generator.klein.quantize import EightBitLinear


def copy_bandwidth(report: Report) -> float:
    """Measure a large device-to-device copy in GB/s, read plus written."""
    a = draw(2**30)
    b = torch.empty_like(a)
    # Not copy_: as a memcpy node of a graph it reaches only two thirds of what a kernel does.
    rate = 4 * a.numel() / milliseconds([lambda: torch.neg(a, out=b)]) / 1e6
    report.note("copy_gb_per_s", rate)
    return rate


@dataclass(frozen=True)
class Case:
    """One operation: its calls on several inputs, its bytes, its result and the wanted one."""

    calls: list[Call]
    bytes: int
    got: Callable[[], torch.Tensor]
    want: Callable[[], torch.Tensor]


def _dequantized(pair: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return pair[-2].float() * pair[-1]


def cases(n: int, d: int, text: int) -> dict[str, Case]:
    """Build every row operation at one shape, several inputs each so that the L2 cache helps no more than in use."""
    copies = 4 if n > 2000 else 12
    mods = [draw(2, d) for _ in range(3)]
    xs = [(draw(n, d), draw(n, d)) for _ in range(copies)]
    wides = [draw(n, 9 * d) for _ in range(copies)]
    cos, sin = tables(n)
    w = draw(2, 128) + 1
    scales = torch.tensor([0.1, 0.1, 0.05, 20.0], device="cuda")
    gate, scale, shift = mods
    x, y = xs[0]
    qkv, gate_up = wides[0][:, : 3 * d], wides[0][:, 3 * d :]
    residual = layer_norm.gate_residual_norm_modulate_quantize
    return {
        "norm_modulate_quantize": Case(
            [lambda a=a: layer_norm.norm_modulate_quantize(a, scale, shift, EPS, text) for a, _ in xs], n * d * 3,
            lambda: _dequantized(layer_norm.norm_modulate_quantize(x, scale, shift, EPS, text)),
            lambda: reference.norm_modulate(x, scale, shift, EPS, text)),
        "gate_residual_norm_modulate_quantize": Case(
            [lambda a=a, b=b: residual(a, b, gate, scale, shift, EPS, text) for a, b in xs], n * d * 7,
            lambda: _dequantized(residual(x, y, gate, scale, shift, EPS, text)),
            lambda: reference.norm_modulate(reference.gate_residual(x, y, gate, text), scale, shift, EPS, text)),
        "gate_residual": Case(
            [lambda a=a, b=b: layer_norm.gate_residual(a, b, gate, text) for a, b in xs], n * d * 6,
            lambda: layer_norm.gate_residual(x, y, gate, text),
            lambda: reference.gate_residual(x.float(), y, gate, text)),
        "quantize_rows": Case(
            [lambda a=a: quantize_rows.quantize_rows(a) for a, _ in xs], n * d * 3,
            lambda: _dequantized(quantize_rows.quantize_rows(x)), lambda: x),
        "qk_norm_rope": Case(
            [lambda v=v: rope.qk_norm_rope(v[:, : 3 * d], w, w, cos, sin, EPS, text) for v in wides], n * d * 8,
            lambda: rope.qk_norm_rope(qkv, w, w, cos, sin, EPS, text)[0],
            lambda: reference.qk_norm_rope(qkv.float(), w, w, cos, sin, EPS, text)[0]),
        "qk_norm_rope_fp8": Case(
            [lambda v=v: rope.qk_norm_rope_fp8(v[:, : 3 * d], w, w, cos, sin, EPS, scales, text) for v in wides],
            n * d * 9,
            lambda: rope.qk_norm_rope_fp8(qkv, w, w, cos, sin, EPS, scales, text)[0].float() * scales[0],
            lambda: reference.qk_norm_rope(qkv.float(), w, w, cos, sin, EPS, text)[0]),
        "swiglu_quantize": Case(
            [lambda v=v: swiglu.swiglu_quantize(v[:, 3 * d :]) for v in wides], n * d * 15,
            lambda: _dequantized(swiglu.swiglu_quantize(gate_up)), lambda: reference.swiglu(gate_up)),
        "concat_swiglu_quantize": Case(
            [lambda a=a, v=v: swiglu.concat_swiglu_quantize(a, v[:, 3 * d :])
             for (a, _), v in zip(xs, wides, strict=True)], n * d * 18,
            lambda: _dequantized(swiglu.concat_swiglu_quantize(x, gate_up)),
            lambda: torch.cat([x, reference.swiglu(gate_up)], 1)),
    }  # fmt: skip


def bench_ops(report: Report, bandwidth: float) -> None:
    for label, shape in SHAPES.items():
        for name, case in cases(*shape).items():
            ms, off = milliseconds(case.calls), error(case.got(), case.want())
            share = case.bytes / ms / 1e6 / bandwidth
            report.note(f"{label}.{name}.us", ms * 1e3, f"share of copy {share:.2f}, error {off:.4f}")
            report.metrics[f"{label}.{name}.share"] = round(share, 3)
        torch.cuda.empty_cache()


def bench_gemm(report: Report) -> None:
    """Time fp8 products with row and with tensor scales at the blocks' shapes."""
    one = torch.ones((), device="cuda")
    shapes = [(4608, 4096, m) for m in ((4096, 36864), (16384, 4096), (4096, 12288), (4096, 4096))]
    shapes += [(4096, 4096, m) for m in ((4096, 24576), (12288, 4096))] + [(512, 4096, (4096, 24576))]
    shapes += [(n, 3072, m) for n in (4608, 1152) for m in ((3072, 27648), (12288, 3072))]
    shapes += [(n, 3072, m) for n in (1024, 128) for m in ((3072, 9216), (3072, 3072), (3072, 18432), (9216, 3072))]
    shapes += [(4600, 4096, (4096, 36864))]
    for n, _, (k, m) in shapes:
        copies = max(2, min(8, 200_000_000 // (k * m)))
        pairs = [(quantized(draw(n, k)), quantized(draw(m, k, scale=0.02))) for _ in range(copies)]
        work = 2e-9 * n * k * m
        row = milliseconds([lambda x=x, w=w: linear(x, w) for x, w in pairs])
        report.note(f"gemm.{n}x{k}x{m}.rowwise.tflops", work / row, f"{row * 1e3:.0f} us")
        flat = milliseconds([
            lambda x=x, w=w: torch._scaled_mm(x[0], w[0].t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16,
                                              use_fast_accum=True) for x, w in pairs])  # fmt: skip
        report.note(f"gemm.{n}x{k}x{m}.tensorwise.tflops", work / flat, f"{flat * 1e3:.0f} us")


def bench_attention(report: Report) -> None:
    for label, (n, d, text) in SHAPES.items():
        h, (cos, sin) = d // 128, tables(n)
        wides = [draw(n, 9 * d) for _ in range(3)]
        w, work = draw(2, 128, scale=0.1) + 1.3, 4e-9 * n * n * d
        pairs = [rope.qk_norm_rope(x[:, : 3 * d], w, w, cos, sin, EPS, text) for x in wides]
        heads = [(*p, x[:, 2 * d : 3 * d].unflatten(1, (h, 128))) for p, x in zip(pairs, wides, strict=True)]
        ms = milliseconds([lambda a=a: cudnn_attention(*a) for a in heads])
        want = reference.attention(*(x.float() for x in heads[0]))
        off = error(cudnn_attention(*heads[0]), want)
        report.note(f"{label}.attention_bf16.us", ms * 1e3, f"{work / ms:.0f} TFLOP/s, error {off:.4f}")
        if attention.available():
            scales = torch.tensor([16.0 / 448, 16.0 / 448, 64.0 / 448, 7.0], device="cuda")
            fp8 = [rope.qk_norm_rope_fp8(x[:, : 3 * d], w, w, cos, sin, EPS, scales, text) for x in wides]
            ms = milliseconds([lambda a=a, s=scales: attention.attention_fp8(*a, s) for a in fp8])
            off = error(attention.attention_fp8(*fp8[0], scales).float() * scales[2], want)
            report.note(f"{label}.attention_fp8.us", ms * 1e3, f"{work / ms:.0f} TFLOP/s, error {off:.4f}")


def full_size_vae() -> Any:
    from diffusers import AutoencoderKLFlux2

    torch.manual_seed(0)
    with torch.device("cuda"):
        return AutoencoderKLFlux2().eval().requires_grad_(False)


def bench_decoder(report: Report, profile: bool) -> None:
    vae = full_size_vae()
    latents = torch.randn(1, 32, 64, 64, device="cuda")
    want = vae.decode(latents).sample
    vae = vae.bfloat16()
    report.note("decoder.stock_bf16.error", error(vae.decode(latents.bfloat16()).sample, want))
    fast = vae_decoder.fast_decoder(vae)
    report.note("decoder.fast.error", error(fast(latents), want))
    pixels = vae_decoder.fast_decoder(vae, as_bytes=True)
    for width, height in ((1024, 1024), (1280, 720), (512, 512)):
        z = draw(1, 32, height // 8, width // 8)
        report.note(f"decoder.{width}x{height}.ms", milliseconds([lambda z=z: pixels(z)]))
    if profile:
        z = draw(1, 32, 128, 128)
        show_profile(lambda: pixels(z))


TEXT = {
    "9B": {"hidden_size": 4096, "intermediate_size": 12288},
    "4B": {"hidden_size": 2560, "intermediate_size": 9728},
}


def bench_text(report: Report, profile: bool) -> None:
    """Time the text encoder's 27 layers, and compare with the stock layers in bf16."""
    for label, sizes in TEXT.items():
        encoder = text_encoder(**sizes)
        stock, inputs = {}, {n: text_inputs(encoder, n) for n in (512, 128)}
        for n, (x, turn, mask) in inputs.items():
            stock[n] = stock_states(encoder, x, turn, mask)
        for layer in encoder.layers:
            for part in (layer.self_attn, layer.mlp):
                for name, module in list(part.named_children()):
                    if isinstance(module, torch.nn.Linear):
                        setattr(part, name, EightBitLinear(module.weight, torch.float8_e4m3fn, False))
        layers = TextLayers(encoder)
        for n, (x, turn, mask) in inputs.items():
            turned = (turn[0][0].contiguous(), turn[1][0].contiguous())
            off = error(layers(x[0], turned, mask, (27,))[0], stock[n])
            ms = milliseconds([lambda ls=layers, a=(x[0], turned, mask): ls(*a, (9, 18, 27))])
            report.note(f"{label}.text_{n}.ms", ms, f"error against stock bf16 {off:.4f}")
            if profile:
                show_profile(lambda ls=layers, a=(x[0], turned, mask): ls(*a, (9, 18, 27)))


def text_encoder(hidden_size: int, intermediate_size: int) -> Any:
    from transformers import Qwen3Config, Qwen3Model

    config = Qwen3Config(
        hidden_size=hidden_size, intermediate_size=intermediate_size, num_hidden_layers=27, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, vocab_size=1000, rope_theta=1e6,
    )  # fmt: skip
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        encoder = Qwen3Model(config).eval().requires_grad_(False)
    torch.set_default_dtype(torch.float32)
    return encoder


def text_inputs(encoder: Any, n: int) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Draw embedded tokens, their rotary tables, and a mask whose last third is padding."""
    x = draw(1, n, encoder.config.hidden_size)
    real = torch.arange(n, device="cuda") < 2 * n // 3
    mask = torch.ones(n, n, device="cuda", dtype=torch.bool).tril() & real
    return x, encoder.rotary_emb(x, torch.arange(n, device="cuda")[None]), mask


def stock_states(encoder: Any, x: torch.Tensor, turn: Any, mask: torch.Tensor) -> torch.Tensor:
    for layer in encoder.layers:
        x = layer(x, attention_mask=mask[None, None], position_embeddings=turn)
        x = x[0] if isinstance(x, tuple) else x
    return x[0]


LEAST_SHARE = 0.70
MOST_DECODER_MS = 20.0


def goals(metrics: dict[str, float]) -> list[dict[str, object]]:
    """Judge what was measured: the bandwidth of the large shapes' operations, and the decoder."""
    large = {k: v for k, v in metrics.items() if "-1024." in k and k.endswith(".share")}
    judged = [at_least(name, value, LEAST_SHARE) for name, value in large.items()]
    decoder_ms = metrics.get("decoder.1024x1024.ms")
    return judged if decoder_ms is None else [*judged, at_most("decoder.1024x1024.ms", decoder_ms, MOST_DECODER_MS)]


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="ops,gemm,attention,decoder,text,blocks")
    parser.add_argument("--stock", action="store_true", help="time the compiled stock block too")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    chosen, report = options.only.split(","), Report()
    torch.manual_seed(0)
    bandwidth = copy_bandwidth(report)
    sections: dict[str, Call] = {
        "ops": lambda: bench_ops(report, bandwidth),
        "attention": lambda: bench_attention(report),
        "decoder": lambda: bench_decoder(report, options.profile),
        "text": lambda: bench_text(report, options.profile),
        "blocks": lambda: bench_blocks(report, options.stock, options.profile),
        "gemm": lambda: bench_gemm(report),
    }
    failed = [name for name in chosen if not ran(name, sections[name])]
    machine = f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    finish("kernels", report.metrics, goals(report.metrics), device=machine)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def ran(name: str, section: Call) -> bool:
    """Run one section; a failure is printed and does not cost the figures of the others."""
    try:
        section()
    except Exception:
        traceback.print_exc()
        return False
    torch.cuda.empty_cache()
    return True


if __name__ == "__main__":
    main()
