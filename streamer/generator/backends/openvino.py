"""A one-step model on the processor, through OpenVINO: its options; generator/openvino/backend.py draws.

This file imports nothing heavy: the parent process checks options on machines that have no torch.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from streamer import installation
from streamer.commands.options import Sampling
from streamer.errors import BackendUnavailable
from streamer.generator import torch_setup
from streamer.generator.backend import Backend
from streamer.generator.checkpoint_check import check_components, read_index
from streamer.generator.model_name import local_folder
from streamer.generator.models import find
from streamer.generator.openvino.options import Precision, Weights


class Options(BaseModel):
    """Which model to draw with, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        "sdxs-512",
        description="a name that streamer models lists for the processor, or the Hugging Face id or folder of any "
        "Stable Diffusion 1 or 2 or LCM in the diffusers layout; mind its licence",
    )
    precision: Precision = Field(
        "auto", description="float32 or bfloat16; auto: bfloat16 where the processor multiplies in it"
    )
    weights: Weights = Field("int8", description="int8: half of the disk; float16: as the model was published")
    decoder: str = Field(
        "tiny",
        description="tiny: TAESD, 18 times less work than a full decoder, softer; full: the model's own; or the "
        "Hugging Face id or folder of another tiny one",
    )
    threads: int = Field(
        0, ge=0, le=256, description="processor threads that draw; 0: one a core; fewer leave some to OBS and a game"
    )
    steps: int = Field(4, ge=1, le=50, description="denoising steps of a model that streamer models does not list")
    guidance: float = Field(
        1.0, ge=0, le=30, description="how strongly the prompt guides a model that streamer models does not list"
    )
    edit_strength: float = Field(
        0.6,
        gt=0,
        le=1,
        description="how much !edit may change a picture, 0 to 1, where the model cannot be told in words",
    )

    @property
    def sampling(self) -> Sampling:
        """Return what the model is made for."""
        row = find(self.model)
        return row.sampling if row else Sampling(self.steps, self.guidance)


def check_files(options: Options) -> None:
    """Raise BackendUnavailable for a name that means no model, and for a folder that cannot be loaded."""
    row = find(options.model)
    if row is not None and row.backend != "openvino":
        raise BackendUnavailable(
            f"{row.name} does not draw on the processor", fix="set generator.backends.openvino.model to sdxs-512"
        )
    if row is None and (folder := local_folder(options.model)) is not None:
        check_components(read_index(folder))


def create(options: Options) -> Backend:
    """Create the backend; this imports OpenVINO and torch, in the generator process, and loads nothing yet."""
    check_files(options)  # before that import, which takes seconds
    try:
        from streamer.generator.openvino.backend import OpenVinoBackend
    except ModuleNotFoundError as error:
        raise BackendUnavailable(f"{error.name} is not installed", fix=installation.add_extra("cpu")) from error

    return OpenVinoBackend(options, torch_setup.state_folder())
