"""What a folder must hold to be drawn with: a distilled Klein, complete and whole.

This file imports nothing heavy: a bad folder is named before torch is imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamer.errors import BackendUnavailable
from streamer.generator.checkpoint_check import check_components, read_config, read_index, require_chat_template

COMPONENTS = ("scheduler", "tokenizer", "text_encoder", "transformer", "vae")
KV_PIPELINE = "Flux2KleinKVPipeline"


def check_checkpoint(folder: Path) -> bool:
    """Raise BackendUnavailable unless a folder is a whole distilled Klein; return whether it is a KV checkpoint."""
    caches_references = require_distilled(folder)
    check_components(read_index(folder), COMPONENTS)
    require_chat_template(folder / "tokenizer")
    return caches_references


def require_distilled(folder: Path) -> bool:
    """Raise BackendUnavailable for anything but a distilled Klein; return whether it is a KV checkpoint.

    The base models need fifty steps and two passes for each. KV checkpoints are all distilled and do not say so.
    """
    index = read_index(folder)
    if not index.pipeline.startswith("Flux2Klein"):
        raise BackendUnavailable(
            f"{folder} holds a {index.pipeline}", fix="the klein backend draws only with FLUX.2 Klein models"
        )
    caches_references = index.pipeline == KV_PIPELINE
    if not caches_references and not index.settings.get("is_distilled", False):
        raise BackendUnavailable(
            f"{folder} is a base model, which needs fifty steps",
            fix="use the distilled model without 'base' in its name",
        )
    return caches_references


def read_transformer_config(folder: Path) -> dict[str, Any]:
    """Return what a checkpoint says of its transformer's layers."""
    return read_config(folder / "transformer")
