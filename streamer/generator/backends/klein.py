"""FLUX.2 Klein on an NVIDIA GPU: its options; generator/klein/backend.py draws.

This file imports nothing heavy: the parent process checks options on machines that have no torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from streamer import installation
from streamer.commands.options import Sampling
from streamer.commands.styles import LoraList, loras_of
from streamer.errors import BackendUnavailable
from streamer.generator import torch_setup
from streamer.generator.backend import Backend
from streamer.generator.klein.checkpoint_files import check_checkpoint, read_transformer_config
from streamer.generator.klein.optimizations import DEVICE_PATTERN, OptimizationName, RequestedMemory, RequestedPrecision
from streamer.generator.lora.files import locate, named, read_header
from streamer.generator.lora.fit import require_family, require_flux2_fit
from streamer.generator.lora.flux2 import flux2_layers
from streamer.generator.model_name import local_folder
from streamer.generator.models import find
from streamer.types import Lora

DRAFT_STEPS = 2
DRAFT_LORA = "radames/FLUX.2-klein-Sana-Sprint"

if TYPE_CHECKING:
    from streamer.generator.klein.weights import ReadTensors


class Options(BaseModel):
    """Which model to draw with, and how far to go for speed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        "black-forest-labs/FLUX.2-klein-4B",
        description="klein-4b, klein-9b or klein-9b-kv, or the Hugging Face id or folder of a distilled FLUX.2 Klein; "
        "4B is Apache-2.0, 9B is gated and non-commercial",
    )
    device: str = Field(
        "auto",
        pattern=DEVICE_PATTERN,
        description="auto, cuda, cuda:1 ..., or cpu (minutes per picture); not measured: hip (AMD), xpu (Intel), "
        "mps (Apple)",
    )
    optimize: Literal["auto", "off"] = Field(
        "auto", description="auto: every optimization that suits the GPU; off: plain PyTorch"
    )
    precision: RequestedPrecision = Field(
        "auto",
        description="float32, bfloat16, fp8, int8, fp8-weights or int8-weights; auto: whichever is fastest on this "
        "GPU, measured at the first start and remembered",
    )
    memory: RequestedMemory = Field(
        "auto",
        description="how much GPU memory the 4B may take: full, at most 11 GB; small, 8.5; tiny, 6.5, and a new prompt "
        "takes longer; auto: as much as the card has",
    )
    without: tuple[OptimizationName, ...] = Field(
        (), description="optimizations to switch off, by the names that the panel shows"
    )
    text_tokens: Literal[64, 128, 256, 512] = Field(
        512, description="tokens for the prompt: 64, 128, 256 or 512; fewer are faster and change the pictures"
    )
    decoder: str = Field(
        "full",
        description="full; small: faster, slightly softer; tiny: faster still, softer; or a Hugging Face id or folder",
    )
    lora: LoraList = Field(
        (),
        description="LoRAs that every picture is drawn with: a path or Hugging Face id, {path, weight}, or a list of "
        "them; a style can have its own",
    )
    speed: Literal["full", "draft"] = Field(
        "full", description="draft: two steps in place of four, by the LoRA of draft_lora; faster and less exact"
    )
    draft_lora: str = Field(
        DRAFT_LORA,
        min_length=1,
        description="LoRA for one or two steps; this one is for the 4B; mind its licence",
    )
    previews: bool = Field(True, description="show the first colours of a picture that takes more than a second")
    prompts_remembered: int = Field(
        32, ge=0, le=1000, description="number of prompts whose encoding is cached, 4 MB each"
    )
    reference_px: int = Field(
        512, ge=64, le=1024, description="side in pixels of the square that a picture is scaled down to for !edit"
    )
    policy_judge: bool = Field(
        False,
        description="true: the text encoder also answers a policy question about each request; see docs/judges.md",
    )
    policy_hold: float = Field(
        0.5,
        ge=0,
        le=1,
        description="probability of yes, 0 to 1, from which a moderator decides; not evaluated with real weights",
    )
    policy_block: float = Field(0.9, ge=0, le=1, description="probability of yes from which the picture is refused")
    warm_in_background: bool = Field(
        True, description="true: draw slowly at first and optimize between requests; false: optimize first"
    )

    @field_validator("model")
    @classmethod
    def _repository(cls, model: str) -> str:
        """Take the names that streamer models lists; raise ValueError for one of another family."""
        row = find(model)
        if row is None:
            return model
        if row.backend != "klein":
            raise ValueError(f"{row.name} is no FLUX.2 Klein; set generator.use to {row.name} to draw with it")
        return row.repository

    @model_validator(mode="after")
    def _judge_has_its_weights(self) -> Options:
        if self.policy_judge and self.memory in ("small", "tiny"):
            raise ValueError("memory: the policy judge needs the whole text encoder on the GPU; set it to full or auto")
        return self

    @property
    def sampling(self) -> Sampling:
        """Return what the model is made for."""
        return Sampling(DRAFT_STEPS) if self.speed == "draft" else Sampling()

    @property
    def loras(self) -> tuple[Lora, ...]:
        """Return the LoRAs of every picture."""
        draft = Lora(self.draft_lora, 1.0, "generator.backends.klein.draft_lora")
        return (*((draft,) if self.speed == "draft" else ()), *loras_of(self.lora, "generator.backends.klein.lora"))


def check_files(options: Options) -> None:
    """Raise BackendUnavailable for a name that means no model, and for files that cannot be loaded."""
    if (folder := local_folder(options.model)) is not None:
        check_checkpoint(folder)
    row = find(options.model)
    if options.speed == "draft" and options.draft_lora == DRAFT_LORA and row is not None and row.name != "klein-4b":
        raise BackendUnavailable(
            f"generator.backends.klein.speed: draft needs a LoRA for few steps, and {DRAFT_LORA} is for the 4B",
            fix=f"set draft_lora to one for {row.name}, or speed to full",
        )
    check_loras(options, options.loras)


def check_loras(options: Options, loras: Iterable[Lora]) -> None:
    """Raise BackendUnavailable for the first LoRA that is here and cannot be used, as far as headers tell."""
    folder = local_folder(options.model)
    for lora in loras:
        with named(lora):
            if not isinstance(path := locate(lora.path), Path):
                continue
            header = read_header(path)
            require_family(header, options.model)
            if folder is not None:
                require_flux2_fit(header, flux2_layers(read_transformer_config(folder)), options.model)


def create(options: Options, read: ReadTensors | None = None) -> Backend:
    """Create the backend; this imports torch, in the generator process, and loads nothing yet.

    ``read`` gets the tensors, where that is not to be from the checkpoint's files.
    """
    check_files(options)  # before that import, which takes seconds
    torch_setup.prepare()
    try:
        from streamer.generator.klein.backend import KleinBackend
        from streamer.generator.klein.torch_compile import keep_caches
    except ModuleNotFoundError as error:
        raise BackendUnavailable(f"{error.name} is not installed", fix=installation.add_extra("klein")) from error

    home = torch_setup.state_folder()
    keep_caches(home)
    # What is measured for a model that is in no file is not kept: nobody will ask for it again.
    return KleinBackend(options, home) if read is None else KleinBackend(options, None, read)
