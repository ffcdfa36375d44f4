"""Any text-to-image pipeline of diffusers: its options; generator/pipelines/backend.py draws.

This file imports nothing heavy: the parent process checks options on machines that have no torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from streamer import installation
from streamer.commands.options import Sampling
from streamer.commands.styles import LoraList, loras_of
from streamer.errors import BackendUnavailable
from streamer.generator import torch_setup
from streamer.generator.backend import Backend
from streamer.generator.checkpoint_check import check_components, read_index
from streamer.generator.klein.optimizations import DEVICE_PATTERN
from streamer.generator.lora.files import locate, named, read_header
from streamer.generator.lora.fit import require_family
from streamer.generator.model_name import local_folder
from streamer.generator.models import find
from streamer.generator.pipelines.options import OptimizationName, RequestedPrecision
from streamer.types import Lora

if TYPE_CHECKING:
    from streamer.generator.pipelines.loading import PipelineSource


class Options(BaseModel):
    """Which model to draw with, and how far to go for speed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        "sdxl-turbo",
        description="a name that streamer models lists, or the Hugging Face id or folder of any text-to-image "
        "pipeline in the diffusers layout; mind its licence",
    )
    device: str = Field(
        "auto",
        pattern=DEVICE_PATTERN,
        description="auto, cuda, cuda:1 ..., or cpu; not measured: hip (AMD), xpu (Intel), mps (Apple)",
    )
    precision: RequestedPrecision = Field(
        "auto", description="float32, bfloat16 or float16; auto: as the model is meant to be used"
    )
    optimize: Literal["auto", "off"] = Field(
        "auto", description="auto: every optimization that gives the same pictures; off: plain PyTorch"
    )
    without: tuple[OptimizationName, ...] = Field(
        (), description="optimizations to switch off, by the names that the panel shows"
    )
    lora: LoraList = Field(
        (),
        description="LoRAs that every picture is drawn with: a path or Hugging Face id, {path, weight}, or a list of "
        "them; a style can have its own",
    )
    steps: int = Field(28, ge=1, le=100, description="denoising steps of a model that streamer models does not list")
    guidance: float = Field(
        4.5, ge=0, le=30, description="how strongly the prompt guides a model that streamer models does not list"
    )
    edit_strength: float = Field(
        0.6,
        gt=0,
        le=1,
        description="how much !edit may change a picture, 0 to 1, where the model cannot be told in words",
    )
    previews: bool = Field(True, description="show the first colours of a picture that takes more than a second")
    warm_in_background: bool = Field(
        True, description="true: draw slowly at first and optimize between requests; false: optimize first"
    )

    @property
    def sampling(self) -> Sampling:
        """Return what the model is made for."""
        row = find(self.model)
        return row.sampling if row else Sampling(self.steps, self.guidance)

    @property
    def loras(self) -> tuple[Lora, ...]:
        """Return the LoRAs of every picture."""
        return loras_of(self.lora, "generator.backends.diffusers.lora")


def check_files(options: Options) -> None:
    """Raise BackendUnavailable for a name that means no model, and for a folder that cannot be loaded."""
    if find(options.model) is None and (folder := local_folder(options.model)) is not None:
        check_components(read_index(folder))
    check_loras(options, options.loras)


def check_loras(options: Options, loras: Iterable[Lora]) -> None:
    """Raise BackendUnavailable for the first LoRA that is here and cannot be used, as far as headers tell."""
    for lora in loras:
        with named(lora):
            if isinstance(path := locate(lora.path), Path):
                require_family(read_header(path), options.model)


def create(options: Options, source: PipelineSource | None = None) -> Backend:
    """Create the backend; this imports torch, in the generator process, and loads nothing yet.

    ``source`` is where pipelines come from, where that is not the hub or a folder.
    """
    check_files(options)  # before that import, which takes seconds
    torch_setup.prepare()
    try:
        from streamer.generator.klein.torch_compile import keep_caches
        from streamer.generator.pipelines.backend import DiffusersBackend
    except ModuleNotFoundError as error:
        raise BackendUnavailable(f"{error.name} is not installed", fix=installation.add_extra("klein")) from error

    keep_caches(torch_setup.state_folder())
    return DiffusersBackend(options) if source is None else DiffusersBackend(options, source)
