"""The arithmetic of one Klein picture, counted on networks without weights: that takes no memory of the GPU."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from streamer.generator.benchmark.work import Kind, Work, counted, dtype_name
from streamer.generator.klein.buffers import blank_buffers
from streamer.generator.klein.choice import eight_bit_dtype
from streamer.generator.klein.denoise import stock_velocity
from streamer.generator.klein.loading import META, read_configs
from streamer.generator.klein.model import KleinModel
from streamer.generator.klein.optimizations import Precision
from streamer.generator.klein.quantize import EightBitLinear, can_quantize
from streamer.generator.klein.shape_plan import rotary_tables
from streamer.generator.klein.shapes import Shape
from streamer.generator.klein.text_encoder import blank_text_buffers, encode, stock_layers
from streamer.generator.klein.vae import stock_decoder, tokens_to_latents


@torch.inference_mode()
def klein_work(folder: Path, shape: Shape, precision: Precision, steps: int) -> Work:
    """Count what the prompt, the steps and the decoder of a checkpoint take at a shape."""
    model = _model(folder, torch.float32 if precision == "float32" else torch.bfloat16)
    dtype = eight_bit_dtype(precision)
    if dtype is not None:
        _quantize(model, dtype, weight_only=precision.endswith("-weights"))
    tables = rotary_tables(model.transformer.pos_embed, shape, META)
    buffers = blank_buffers(shape, model, tables, None)
    with counted() as step:
        stock_velocity(model.transformer)(buffers)
    text = blank_text_buffers(shape.text_tokens, model.hidden, model.dtype, META)
    with counted() as once:
        encode(text, model.encoder, model.transformer.context_embedder, stock_layers(model.encoder))
        stock_decoder(model.vae)(tokens_to_latents(model.vae, buffers.latents, shape.rows, shape.columns))
    work = once + Counter({product: count * steps for product, count in step.items()})
    return _in_type(work, dtype_name(model.dtype))


def _in_type(work: Work, dtype: str) -> Work:
    """Return the same with attention in the model's type: without weights PyTorch computes it in float32."""
    changed: Work = Counter()
    for product, count in work.items():
        changed[replace(product, dtype=dtype) if product.kind is Kind.ATTENTION else product] += count
    return changed


def _model(folder: Path, dtype: torch.dtype) -> KleinModel:
    model = read_configs(folder)
    for part in (model.transformer, model.encoder, model.vae):
        nn.Module.to(part, dtype)  # that of diffusers warns
    return replace(model, dtype=dtype)


def _quantize(model: KleinModel, dtype: torch.dtype, *, weight_only: bool) -> None:
    """Replace the layers that are quantized when weights are loaded."""
    transformer = model.transformer
    for block in (*transformer.transformer_blocks, *transformer.single_transformer_blocks, *model.encoder.layers):
        for name, layer in [(name, module) for name, module in block.named_modules() if can_quantize(module)]:
            path, _, leaf = name.rpartition(".")
            owner: nn.Module = block.get_submodule(path)
            setattr(owner, leaf, EightBitLinear(layer.weight, dtype, weight_only))
