"""Load a diffusers folder onto the device: only what is used, in hardly more memory than the result takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel
from torch import nn
from transformers import AutoTokenizer, Qwen3Config, Qwen3Model
from transformers.models.qwen3.modeling_qwen3 import Qwen3RotaryEmbedding

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Report
from streamer.generator.klein.model import KleinModel
from streamer.generator.klein.reference_kv_cache import attend_to_kv_cache
from streamer.generator.klein.taef2 import is_tiny, use_tiny
from streamer.generator.klein.text_encoder import LAYERS
from streamer.generator.klein.weights import FinishBlock, OnProgress, fill, tensor_files

KV_PIPELINE = "Flux2KleinKVPipeline"


def load(
    folder: Path, *, device: torch.device, dtype: torch.dtype, finish_block: FinishBlock, decoder: Path | None,
    report: Report,
) -> KleinModel:  # fmt: skip
    """Load every part; ``decoder`` is the folder of another VAE with the same latents, None for the checkpoint's own.

    ``finish_block`` gets each block of transformer and text encoder as it is loaded. Raises BackendUnavailable if the
    folder is not a distilled Klein, or is incomplete.
    """
    caches_references = require_distilled(folder)
    on_progress = _part(report, "transformer", 0.0, 0.55)
    transformer = _transformer(folder / "transformer", device, dtype, finish_block, on_progress)
    if caches_references:
        attend_to_kv_cache(transformer)
    on_progress = _part(report, "text encoder", 0.55, 0.95)
    encoder = _encoder(folder / "text_encoder", device, dtype, finish_block, on_progress)
    vae = _vae(folder / "vae", device, dtype)
    if decoder is not None and is_tiny(decoder):
        use_tiny(vae, decoder, device, dtype)
    elif decoder is not None:
        _swap_decoder(vae, _vae(_vae_folder(decoder), device, dtype))
    return KleinModel(
        transformer=transformer,
        encoder=encoder,
        vae=vae,
        tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler", local_files_only=True),
        device=device,
        dtype=dtype,
        caches_references=caches_references,
    )


def from_pipeline(pipeline: Any) -> KleinModel:
    """Take the parts of a stock pipeline that is on its device already; the text encoder loses what is not used."""
    encoder = pipeline.text_encoder.model
    encoder.layers, encoder.norm = encoder.layers[:LAYERS], nn.Identity()
    for module in encoder.modules():
        # The stock pipeline's first call leaves hooks here that gather hidden states; torch.compile cannot trace them.
        module._forward_hooks.clear()
    return KleinModel(
        transformer=pipeline.transformer,
        encoder=encoder,
        vae=pipeline.vae,
        tokenizer=pipeline.tokenizer,
        scheduler=pipeline.scheduler,
        device=pipeline.transformer.device,
        dtype=pipeline.transformer.dtype,
        caches_references=type(pipeline).__name__ == KV_PIPELINE,
    )


def require_distilled(folder: Path) -> bool:
    """Raise BackendUnavailable for anything but a distilled Klein; return whether it is a KV checkpoint.

    The base models need fifty steps and two passes for each. KV checkpoints are all distilled and do not say so.
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
            f"{folder} holds a {index.get('_class_name')}", fix="the klein backend draws only with FLUX.2 Klein models"
        )
    caches_references = bool(index["_class_name"] == KV_PIPELINE)
    if not caches_references and not index.get("is_distilled", False):
        raise BackendUnavailable(
            f"{folder} is a base model, which needs fifty steps",
            fix="use the distilled model without 'base' in its name",
        )
    return caches_references


def _transformer(
    folder: Path, device: torch.device, dtype: torch.dtype, finish_block: FinishBlock, on_progress: OnProgress
) -> Any:
    config = Flux2Transformer2DModel.load_config(folder)
    with torch.device("meta"):
        transformer = Flux2Transformer2DModel.from_config(config).eval().requires_grad_(False)
    fill(transformer, folder, device=device, dtype=dtype, finish_block=finish_block, on_progress=on_progress)
    return transformer


def _encoder(
    folder: Path, device: torch.device, dtype: torch.dtype, finish_block: FinishBlock, on_progress: OnProgress
) -> Any:
    """Build the inner model up to the last layer that is read: a quarter of the weights stays on disk."""
    config = Qwen3Config.from_pretrained(folder, local_files_only=True)
    if config.num_hidden_layers < LAYERS:
        raise BackendUnavailable(f"the text encoder in {folder} has {config.num_hidden_layers} layers, not {LAYERS}")
    config.num_hidden_layers, config.layer_types = LAYERS, config.layer_types[:LAYERS]
    config._attn_implementation = "sdpa"
    with torch.device("meta"):
        encoder = Qwen3Model(config).eval().requires_grad_(False)
    # Only later layers and the head read it.
    encoder.norm = nn.Identity()
    prefix = "model." if any(name.startswith("model.") for name in tensor_files(folder)) else ""
    fill(encoder, folder, device=device, dtype=dtype, finish_block=finish_block, prefix=prefix, on_progress=on_progress)
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
    """Replace the decoder by another one for the same latents; the encoder and the statistics stay."""
    vae.decoder, vae.post_quant_conv = other.decoder, other.post_quant_conv


def _part(report: Report, what: str, start: float, end: float) -> OnProgress:
    return lambda share: report(f"loading the {what}", start + (end - start) * share)
