"""From a diffusers folder to modules on the device, holding only what is used and never much more than the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel
from torch import nn
from transformers import AutoTokenizer, Qwen3Config, Qwen3Model
from transformers.models.qwen3.modeling_qwen3 import Qwen3RotaryEmbedding

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Report
from streamer.generator.klein.model import Model
from streamer.generator.klein.reference_kv_cache import attend_to_kv_cache
from streamer.generator.klein.taef2 import is_tiny, use_tiny
from streamer.generator.klein.text_encoder import LAYERS
from streamer.generator.klein.weights import fill, tensor_files

KV_PIPELINE = "Flux2KleinKVPipeline"

Shrink = Callable[[nn.Module], None]
"""Fuse and quantise one block in place."""


def load(
    folder: Path, *, device: torch.device, dtype: torch.dtype, shrink: Shrink, decoder: Path | None, report: Report
) -> Model:
    """Load every part; ``decoder`` is the folder of another VAE with the same latents, None for the checkpoint's."""
    keeps_references = require_distilled(folder)
    transformer = _transformer(folder / "transformer", device, dtype, shrink, _part(report, "transformer", 0.0, 0.55))
    if keeps_references:
        attend_to_kv_cache(transformer)
    encoder = _encoder(folder / "text_encoder", device, dtype, shrink, _part(report, "text encoder", 0.55, 0.95))
    vae = _vae(folder / "vae", device, dtype)
    if decoder is not None and is_tiny(decoder):
        use_tiny(vae, decoder, device, dtype)
    elif decoder is not None:
        _swap_decoder(vae, _vae(_vae_folder(decoder), device, dtype))
    return Model(
        transformer=transformer,
        encoder=encoder,
        vae=vae,
        tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler", local_files_only=True),
        device=device,
        dtype=dtype,
        keeps_references=keeps_references,
    )


def from_pipeline(pipeline: Any) -> Model:
    """Take the parts of a stock pipeline that is on its device already, the text encoder without what is not used."""
    encoder = pipeline.text_encoder.model
    encoder.layers, encoder.norm = encoder.layers[:LAYERS], nn.Identity()
    for module in encoder.modules():
        # The stock pipeline's first call leaves hooks here that gather hidden states; torch.compile cannot trace them.
        module._forward_hooks.clear()
    return Model(
        transformer=pipeline.transformer,
        encoder=encoder,
        vae=pipeline.vae,
        tokenizer=pipeline.tokenizer,
        scheduler=pipeline.scheduler,
        device=pipeline.transformer.device,
        dtype=pipeline.transformer.dtype,
        keeps_references=type(pipeline).__name__ == KV_PIPELINE,
    )


def require_distilled(folder: Path) -> bool:
    """Refuse anything but a distilled Klein: the base models need fifty steps and two passes for each.

    Tell whether it is a KV checkpoint, all of which are distilled and do not say so.
    """
    path = folder / "model_index.json"
    if not path.is_file():
        raise BackendUnavailable(
            f"{folder} is not a diffusers model: model_index.json is missing",
            fix="give a hub id such as black-forest-labs/FLUX.2-klein-4B or the folder of a downloaded one",
        )
    index = json.loads(path.read_text(encoding="utf-8"))
    if not index.get("_class_name", "").startswith("Flux2Klein"):
        raise BackendUnavailable(
            f"{folder} holds a {index.get('_class_name')}", fix="generator klein draws with FLUX.2 Klein models only"
        )
    keeps_references = bool(index["_class_name"] == KV_PIPELINE)
    if not keeps_references and not index.get("is_distilled", False):
        raise BackendUnavailable(
            f"{folder} is a base model, which needs fifty steps",
            fix="use the distilled model without 'base' in its name",
        )
    return keeps_references


def _transformer(folder: Path, device: torch.device, dtype: torch.dtype, shrink: Shrink, share: Share) -> Any:
    config = Flux2Transformer2DModel.load_config(folder)
    with torch.device("meta"):
        transformer = Flux2Transformer2DModel.from_config(config).eval().requires_grad_(False)
    fill(transformer, folder, device=device, dtype=dtype, finish=shrink, share=share)
    return transformer


def _encoder(folder: Path, device: torch.device, dtype: torch.dtype, shrink: Shrink, share: Share) -> Any:
    """Build the inner model with the layers up to the last one that is read: a quarter of the weights stays on disk."""
    config = Qwen3Config.from_pretrained(folder, local_files_only=True)
    if config.num_hidden_layers < LAYERS:
        raise BackendUnavailable(f"the text encoder in {folder} has {config.num_hidden_layers} layers, not {LAYERS}")
    config.num_hidden_layers, config.layer_types = LAYERS, config.layer_types[:LAYERS]
    config._attn_implementation = "sdpa"
    with torch.device("meta"):
        encoder = Qwen3Model(config).eval().requires_grad_(False)
    # Read only by later layers or by the head.
    encoder.norm = nn.Identity()
    prefix = "model." if any(name.startswith("model.") for name in tensor_files(folder)) else ""
    fill(encoder, folder, device=device, dtype=dtype, finish=shrink, rename=prefix, share=share)
    # Its table is computed, not saved, so it is still on the meta device.
    encoder.rotary_emb = Qwen3RotaryEmbedding(config).to(device)
    return encoder


def _vae(folder: Path, device: torch.device, dtype: torch.dtype) -> Any:
    config = AutoencoderKLFlux2.load_config(folder)
    with torch.device("meta"):
        vae = AutoencoderKLFlux2.from_config(config).eval().requires_grad_(False)
    fill(vae, folder, device=device, dtype=dtype)
    return vae


def _vae_folder(folder: Path) -> Path:
    return folder / "vae" if (folder / "vae").is_dir() else folder


def _swap_decoder(vae: Any, other: Any) -> None:
    """Put another decoder of the same latents in; the encoder and the statistics stay."""
    vae.decoder, vae.post_quant_conv = other.decoder, other.post_quant_conv


Share = Callable[[float], None]


def _part(report: Report, what: str, start: float, end: float) -> Share:
    return lambda share: report(f"loading the {what}", start + (end - start) * share)
