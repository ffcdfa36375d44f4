"""From a model's name to a diffusers pipeline on a device: what to download, in which precision, whole or in parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Report
from streamer.generator.checkpoint_check import INDEX, check_components, check_weights, read_index, readable
from streamer.generator.klein.download import find_checkpoint
from streamer.generator.models import Model, find
from streamer.generator.pipelines.options import RequestedPrecision

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WORKING_GB = 2.0
"""What drawing a 1024x1024 picture takes beside the weights, in 10^9 bytes."""
SMALL_FILES = (INDEX, "*.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.jinja")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model in the diffusers layout in a folder; ``row`` is what models.yaml says of it, if it is listed there."""

    name: str
    folder: Path
    row: Model | None = None
    lora: Path | None = None


def find_pipeline(model: str, report: Report) -> Checkpoint:
    """Return the folder of a listed model, of a hub id or of a local folder, downloading what is missing.

    Raises BackendUnavailable with a fix.
    """
    row = find(model)
    variant = row.variant if row else None
    weights = ("*/*.safetensors",) if variant is None else (f"*/*.{variant}.safetensors",)
    folder = find_checkpoint(row.repository if row else model, report, (*SMALL_FILES, *weights), require_pipeline)
    lora = None
    if row is not None and row.lora is not None:
        lora = find_checkpoint(row.lora.repository, report, (row.lora.file,)) / row.lora.file
        check_weights(lora.parent)
    return Checkpoint(row.name if row else model, folder, row, lora)


@dataclass(frozen=True, slots=True)
class PipelineSource:
    """Where pipelines come from: ``find`` gets a model's folder, ``load`` a pipeline; see the functions below."""

    find: Callable[[str, Report], Checkpoint]
    load: Callable[[Checkpoint, torch.device, str, float], tuple[Any, bool]]


def precision_of(checkpoint: Checkpoint, requested: RequestedPrecision, device: torch.device) -> str:
    """Return the precision to draw in: the model's own, but float32 on the CPU."""
    if requested != "auto":
        return requested
    if device.type == "cpu":
        return "float32"
    own = checkpoint.row.precision if checkpoint.row else "bfloat16"
    return own if own in DTYPES else "bfloat16"


def load_pipeline(checkpoint: Checkpoint, device: torch.device, precision: str, memory_gb: float) -> tuple[Any, bool]:
    """Load a pipeline; return it, and whether its parts take turns on the device because they do not fit together.

    Raises BackendUnavailable where not even the largest part fits.
    """
    require_pipeline(checkpoint.folder)
    check_components(read_index(checkpoint.folder))
    in_parts = _must_take_turns(checkpoint, precision, device, memory_gb)
    variant = checkpoint.row.variant if checkpoint.row else None
    has_variant = variant is not None and any(checkpoint.folder.glob(f"*/*.{variant}.safetensors"))
    with readable(checkpoint.folder):
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            checkpoint.folder, dtype=DTYPES[precision], variant=variant if has_variant else None,
            use_safetensors=True, local_files_only=True,
        )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    if checkpoint.lora is not None:
        with readable(checkpoint.lora.parent):
            pipeline.load_lora_weights(checkpoint.lora.parent, weight_name=checkpoint.lora.name)
            pipeline.fuse_lora()
            pipeline.unload_lora_weights()
    if in_parts:
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    return pipeline, in_parts


FILES = PipelineSource(find_pipeline, load_pipeline)
"""The hub and folders."""


def denoiser_of(pipeline: Any) -> Any:
    """Return the network that every denoising step runs: a transformer or a UNet."""
    return getattr(pipeline, "transformer", None) or pipeline.unet


def require_pipeline(folder: Path) -> None:
    """Raise BackendUnavailable for a folder whose model_index.json names no pipeline that diffusers knows."""
    name = read_index(folder).pipeline
    if getattr(diffusers, name, None) is None:
        raise BackendUnavailable(
            f"{folder} is a {name}, which diffusers {diffusers.__version__} does not have",
            fix="update diffusers, or choose another model",
        )


def _must_take_turns(checkpoint: Checkpoint, precision: str, device: torch.device, memory_gb: float) -> bool:
    """Tell whether the parts do not fit together; raise BackendUnavailable if the largest does not fit alone."""
    if device.type == "cpu":
        return False
    parts = part_sizes(checkpoint.folder, DTYPES[precision].itemsize)
    whole, largest = sum(parts.values()), max(parts.values(), default=0.0)
    if whole + WORKING_GB <= memory_gb:
        return False
    if largest + WORKING_GB > memory_gb:
        raise BackendUnavailable(
            f"{checkpoint.name} needs at least {largest + WORKING_GB:.0f} GB on the GPU, which has {memory_gb:.0f} GB",
            fix="choose a smaller model: run streamer models",
        )
    return True


def part_sizes(folder: Path, bytes_each: int) -> dict[str, float]:
    """Return the size that each part's weights will have, in 10^9 bytes, from the headers of its files alone."""
    sizes: dict[str, float] = {}
    for file in folder.glob("*/*.safetensors"):
        with file.open("rb") as opened:
            header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
        numbers = sum(_count(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
        sizes[file.parent.name] = sizes.get(file.parent.name, 0.0) + numbers * bytes_each / 1e9
    return sizes


def _count(shape: list[int]) -> int:
    product = 1
    for side in shape:
        product *= side
    return product
