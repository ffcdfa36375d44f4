"""Find a LoRA's file, downloading it as models are downloaded."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Report
from streamer.generator.klein.download import find_checkpoint, names_on_hub
from streamer.generator.lora.files import SUFFIX, HubFile, LoraHeader, locate, named, only_file, read_header
from streamer.types import Lora


def find_lora(lora: Lora, report: Report) -> LoraHeader:
    """Return what the file of a LoRA holds; raise BackendUnavailable that names its option, the cause and the fix."""
    with named(lora):
        place = locate(lora.path)
        return read_header(place if isinstance(place, Path) else _download(place, report))


def _download(file: HubFile, report: Report) -> Path:
    name = file.name or only_file(names_on_hub(file.repository, f"*{SUFFIX}"), file.repository)
    path = find_checkpoint(file.repository, report, (name,)) / name
    if not path.is_file():
        raise BackendUnavailable(f"{file.repository} has no file {name}", fix="check its name on the model's page")
    return path
