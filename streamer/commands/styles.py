"""The options of one style in config.yaml, and of the LoRAs that a style or a backend draws with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from streamer.types import Lora

MOST = 4.0
"""No LoRA is trained to be used four times as strongly as it was trained."""


class LoraOptions(BaseModel):
    """One LoRA; its path alone may stand in its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(
        min_length=1,
        description="a .safetensors file, a folder with one, or a Hugging Face id: owner/name or "
        "owner/name/file.safetensors; mind its licence",
    )
    weight: float = Field(
        1.0,
        ge=-MOST,
        le=MOST,
        allow_inf_nan=False,
        description="how strongly it changes pictures; 1 is as it was trained",
    )


def _listed(value: object) -> object:
    """Take one path or one mapping for a list of one, and a path in a list for a mapping."""
    entries = value if isinstance(value, (list, tuple)) else [value]
    return [{"path": entry} if isinstance(entry, str) else entry for entry in entries]


_Written = str | LoraOptions | list[str | LoraOptions]
LoraList = Annotated[tuple[LoraOptions, ...], BeforeValidator(_listed, json_schema_input_type=_Written)]
"""One LoRA or several: a path, a mapping, or a list of both."""


def loras_of(options: Iterable[LoraOptions], option: str) -> tuple[Lora, ...]:
    """Return LoRAs as values, with the key of config.yaml that names them."""
    return tuple(Lora(lora.path, lora.weight, option) for lora in options)


class StyleOptions(BaseModel):
    """One style; its prompt alone may stand in its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str = Field(description="words around the prompt, which stands where {prompt} is")
    lora: LoraList = Field(
        (), description="LoRAs of this style: a path or Hugging Face id, {path, weight}, or a list of them"
    )


def _written_out(value: object) -> object:
    return {"prompt": value} if isinstance(value, str) else value


Style = Annotated[StyleOptions, BeforeValidator(_written_out, json_schema_input_type=str | StyleOptions)]
"""A style as config.yaml may write it: its prompt, or a mapping."""
