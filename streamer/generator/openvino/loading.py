"""From a model's name to a diffusers pipeline whose networks run in OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Report
from streamer.generator.checkpoint_check import INDEX, check_components, check_weights, read_index, readable
from streamer.generator.klein.download import find_checkpoint
from streamer.generator.models import Model, find
from streamer.generator.openvino import stand_in
from streamer.generator.openvino.convert import Source, autoencoder_class, converted
from streamer.generator.openvino.options import Weights
from streamer.generator.openvino.runtime import Processor
from streamer.generator.pipelines.loading import Checkpoint

PIPELINES = ("StableDiffusionPipeline", "LatentConsistencyModelPipeline")
TINY_DECODERS = {"tiny": "madebyollin/taesd"}
TINY_FILES = ("config.json", "diffusion_pytorch_model.safetensors")
FOLDERS = ("scheduler", "tokenizer", "text_encoder", "unet", "vae", "safety_checker", "feature_extractor")
CONFIGS = ("*.json", "*.txt")


def find_model(model: str, report: Report) -> Checkpoint:
    """Return the folder of a listed model, of a hub id or of a local folder, downloading what is missing.

    Raises BackendUnavailable with a fix.
    """
    row = find(model)
    weights = "*.safetensors" if row is None or row.variant is None else f"*.{row.variant}.safetensors"
    files = (INDEX, *(f"{folder}/{name}" for folder in FOLDERS for name in (*CONFIGS, weights)))
    folder = find_checkpoint(row.repository if row else model, report, files, require_supported)
    require_supported(folder)
    check_components(read_index(folder))
    return Checkpoint(row.name if row else model, folder, row)


def source_of(checkpoint: Checkpoint, decoder: str, report: Report) -> Source:
    """Say where the networks come from; ``decoder`` is tiny, full, or a hub id or folder of a tiny one."""
    own = checkpoint.folder / "vae"
    variant = checkpoint.row.variant if checkpoint.row else None
    if decoder == "full" or (decoder == "tiny" and autoencoder_class(own) is diffusers.AutoencoderTiny):
        return Source(checkpoint.folder, own, variant)
    tiny = find_checkpoint(TINY_DECODERS.get(decoder, decoder), report, TINY_FILES)
    check_weights(tiny)
    return Source(checkpoint.folder, tiny, variant)


def load_pipeline(source: Source, processor: Processor, weights: Weights, home: Path, report: Report) -> Any:
    """Convert the networks if that was not done before, and build the pipeline around them.

    Raises BackendUnavailable with a fix.
    """
    networks = converted(source, weights, home, report)
    report("compiling", 0.9)
    parts = {
        "text_encoder": stand_in.text_encoder(processor, networks, source.folder / "text_encoder"),
        "unet": stand_in.unet(processor, networks, source.folder / "unet"),
        "vae": stand_in.autoencoder(processor, networks, source.vae),
    }
    with readable(source.folder):
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            source.folder, use_safetensors=True, local_files_only=True, **parts
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def require_supported(folder: Path) -> None:
    """Raise BackendUnavailable for a pipeline of another family."""
    name = read_index(folder).pipeline
    if name not in PIPELINES:
        raise BackendUnavailable(
            f"{folder} is a {name}, and the openvino backend draws with Stable Diffusion 1 and 2",
            fix="choose sdxs-512 or sd-turbo, or set generator.use to diffusers on a machine with a GPU",
        )


def can_edit_by(row: Model | None) -> bool:
    """Tell whether a model can start from a picture: some one-step models only start from noise."""
    return row is None or row.edits
