"""Load a diffusers folder onto the device: only what is used, in hardly more memory than the result takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel
from torch import nn
from transformers import AutoTokenizer, Qwen3Config, Qwen3Model
from transformers.models.qwen3.modeling_qwen3 import Qwen3RotaryEmbedding

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Report
from streamer.generator.checkpoint_check import check_weights, readable
from streamer.generator.klein.checkpoint_files import KV_PIPELINE, check_checkpoint
from streamer.generator.klein.loras import KleinLoras
from streamer.generator.klein.model import KleinModel
from streamer.generator.klein.optimizations import MemoryMode
from streamer.generator.klein.reference_kv_cache import attend_to_kv_cache
from streamer.generator.klein.streamed_layers import LayerStaging
from streamer.generator.klein.taef2 import is_tiny, use_tiny
from streamer.generator.klein.text_encoder import LAYERS
from streamer.generator.klein.weights import FinishBlock, OnProgress, ReadTensors, fill, read_files, tensor_files

STREAMED_LAYERS: dict[MemoryMode, int] = {"full": 0, "small": 12, "tiny": LAYERS}
"""How many layers of the text model stay on the host in each mode."""
META = torch.device("meta")


def load(
    folder: Path, *, device: torch.device, dtype: torch.dtype, finish_block: FinishBlock, decoder: Path | None,
    report: Report, memory: MemoryMode = "full", read: ReadTensors = read_files, loras: KleinLoras | None = None,
) -> KleinModel:  # fmt: skip
    """Load every part; ``decoder`` is the folder of another VAE with the same latents, None for the checkpoint's own.

    ``finish_block`` gets each block of transformer and text encoder as it is loaded, with the LoRAs merged; ``memory``
    says which parts of the text encoder stay on the host; ``read`` gets the tensors. Raises BackendUnavailable if the
    folder is not a distilled Klein, or is incomplete.
    """
    caches_references = check_checkpoint(folder)
    if decoder is not None:
        check_weights(decoder if is_tiny(decoder) else _vae_folder(decoder))
    parts = read_configs(folder)
    finish = finish_block if loras is None else _merging(parts.transformer, loras, finish_block)
    _fill_transformer(parts.transformer, folder / "transformer", device, dtype, finish, report, read)
    if loras is not None:
        loras.prepare("", parts.transformer)
    if caches_references:
        attend_to_kv_cache(parts.transformer)
    finish_layer = _then_adopt(finish_block, LayerStaging(device, STREAMED_LAYERS[memory]))
    _fill_encoder(parts.encoder, folder / "text_encoder", device, dtype, finish_layer, report, read)
    if memory != "full":
        parts.encoder.embed_tokens.to("cpu")
    fill(parts.vae, folder / "vae", device=device, dtype=dtype, read=read)
    if decoder is not None and is_tiny(decoder):
        use_tiny(parts.vae, decoder, device, dtype)
    elif decoder is not None:
        _swap_decoder(parts.vae, _vae_folder(decoder), device, dtype)
    return replace(
        parts, device=device, dtype=dtype, caches_references=caches_references, host_embedding=memory != "full"
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


def _then_adopt(finish_block: FinishBlock, staging: LayerStaging) -> FinishBlock:
    """Move each layer's weights to the host once it is finished."""

    def finish(layer: nn.Module) -> None:
        finish_block(layer)
        staging.adopt(layer)

    return finish


def read_configs(folder: Path) -> KleinModel:
    """Build every part without weights: what the libraries cannot read is found before gigabytes are loaded."""
    with readable(folder / "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    with readable(folder / "scheduler"):
        scheduler = FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler", local_files_only=True)
    return KleinModel(
        transformer=blank_transformer(folder),
        encoder=_blank_encoder(folder / "text_encoder"),
        vae=_blank(AutoencoderKLFlux2, folder / "vae"),
        tokenizer=tokenizer,
        scheduler=scheduler,
        device=META,
        dtype=torch.float32,
    )


def blank_transformer(folder: Path) -> Any:
    """Build the transformer of a checkpoint without weights, on the meta device."""
    return _blank(Flux2Transformer2DModel, folder / "transformer")


def _blank(kind: Any, folder: Path) -> Any:
    """Build a module of diffusers on the meta device by its config."""
    with readable(folder), META:
        return kind.from_config(kind.load_config(folder)).eval().requires_grad_(False)


def _blank_encoder(folder: Path) -> Any:
    """Build the inner model up to the last layer that is read: a quarter of the weights stays on disk."""
    with readable(folder):
        config = Qwen3Config.from_pretrained(folder, local_files_only=True)
    if config.num_hidden_layers < LAYERS:
        raise BackendUnavailable(f"the text encoder in {folder} has {config.num_hidden_layers} layers, not {LAYERS}")
    config.num_hidden_layers, config.layer_types = LAYERS, config.layer_types[:LAYERS]
    config._attn_implementation = "sdpa"
    with readable(folder), META:
        encoder = Qwen3Model(config).eval().requires_grad_(False)
    # Only later layers and the head read it.
    encoder.norm = nn.Identity()
    return encoder


def _fill_transformer(
    transformer: Any, folder: Path, device: torch.device, dtype: torch.dtype, finish_block: FinishBlock,
    report: Report, read: ReadTensors,
) -> None:  # fmt: skip
    on_progress = _part(report, "transformer", 0.0, 0.55)
    fill(transformer, folder, device=device, dtype=dtype, finish_block=finish_block, on_progress=on_progress, read=read)


def _merging(transformer: nn.Module, loras: KleinLoras, finish_block: FinishBlock) -> FinishBlock:
    """Merge LoRAs into each block of a transformer before the block is finished."""
    names = {module: name for name, module in transformer.named_modules()}

    def finish(block: nn.Module) -> None:
        loras.prepare(names[block], block)
        finish_block(block)

    return finish


def _fill_encoder(
    encoder: Any, folder: Path, device: torch.device, dtype: torch.dtype, finish_block: FinishBlock, report: Report,
    read: ReadTensors,
) -> None:  # fmt: skip
    prefix = "model." if any(name.startswith("model.") for name in tensor_files(folder)) else ""
    on_progress = _part(report, "text encoder", 0.55, 0.95)
    fill(
        encoder, folder, device=device, dtype=dtype, finish_block=finish_block, prefix=prefix, on_progress=on_progress,
        read=read,
    )  # fmt: skip
    # Its table is computed, not saved, so it is still on the meta device.
    encoder.rotary_emb = Qwen3RotaryEmbedding(encoder.config).to(device)


def _vae_folder(folder: Path) -> Path:
    return folder / "vae" if (folder / "vae").is_dir() else folder


def _swap_decoder(vae: Any, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
    """Replace the decoder by another one for the same latents; the encoder and the statistics stay."""
    other = _blank(AutoencoderKLFlux2, folder)
    fill(other, folder, device=device, dtype=dtype)
    vae.decoder, vae.post_quant_conv = other.decoder, other.post_quant_conv


def _part(report: Report, what: str, start: float, end: float) -> OnProgress:
    return lambda share: report(f"loading the {what}", start + (end - start) * share)
