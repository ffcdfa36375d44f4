"""The models that one word selects (models.yaml): who draws them, how, under which licence, and what they need."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from streamer.commands.options import Sampling

SPARE_GB = 0.5
"""What the driver and the desktop keep of a GPU's memory, in 10^9 bytes."""


class Commercial(StrEnum):
    """Whether a stream that earns money may show a model's pictures."""

    YES = "yes"
    NO = "no"
    CHECK = "check"


class Lora(BaseModel):
    """A LoRA that belongs to a model: its repository on the hub and the file there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: str
    file: str


class Model(BaseModel):
    """One row of models.yaml, which explains the fields; sizes are 10^9 bytes, ``native`` is width and height."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    backend: Literal["klein", "diffusers", "openvino"]
    repository: str
    variant: str | None = None
    lora: Lora | None = None
    licence: str
    commercial: Commercial
    gated: bool = False
    steps: int = Field(ge=1)
    sigmas: tuple[float, ...] | None = None
    guidance: float = Field(ge=0)
    native: tuple[int, int]
    edits: bool
    download: float
    precision: str
    memory: Mapping[str, float] = Field(min_length=1)
    largest_part: float = 0.0
    arithmetic: float = 0.0

    @field_validator("commercial", mode="before")
    @classmethod
    def _word(cls, value: object) -> object:
        """Take YAML's own words for true and false, which it makes of yes and no."""
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value

    @field_validator("native", mode="before")
    @classmethod
    def _size(cls, value: object) -> object:
        return tuple(value.split("x")) if isinstance(value, str) else value

    @property
    def sampling(self) -> Sampling:
        """Return how the model is meant to be used."""
        return Sampling(self.steps, self.guidance)

    @property
    def least_memory(self) -> float:
        """Return what the model needs at its smallest precision."""
        return min(self.memory.values())


class Fit(StrEnum):
    """Whether a model fits into a GPU's memory; the values are what people read."""

    WHOLE = "fits"
    IN_PARTS = "fits, slowly: one part at a time"
    NOT = "does not fit"
    NO_GPU = "needs a GPU"
    PROCESSOR = "draws on the processor"


@cache
def shipped() -> Mapping[str, Model]:
    """Read models.yaml once; the default model comes first."""
    rows = yaml.safe_load((files(__package__) / "models.yaml").read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, Model]).validate_python({name: {"name": name, **row} for name, row in rows.items()})


def find(word: str) -> Model | None:
    """Return the model of a name or of a repository on the hub, in any capitals."""
    wanted = word.strip().casefold()
    return next((row for row in shipped().values() if wanted in (row.name, row.repository.casefold())), None)


def fit(model: Model, memory_gb: float | None) -> Fit:
    """Tell whether a model fits into a GPU with so much memory (10^9 bytes); None is a machine without one."""
    if model.backend == "openvino":
        return Fit.PROCESSOR
    if memory_gb is None:
        return Fit.NO_GPU
    usable = memory_gb - SPARE_GB
    if model.least_memory <= usable:
        return Fit.WHOLE
    working = model.least_memory - model.download if model.download < model.least_memory else 2.0
    in_parts = model.backend == "diffusers" and model.largest_part + working <= usable
    return Fit.IN_PARTS if in_parts else Fit.NOT
