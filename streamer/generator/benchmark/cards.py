"""What GPUs can do at most, as their makers publish it (cards.yaml): rates by precision, and memory bandwidth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from streamer.errors import ConfigError

MEMORY_TOLERANCE_GB = 1.5
"""How far a card's memory may lie from its round figure: the driver keeps a little, and a GB is not always 2^30."""

INSTEAD: Mapping[str, tuple[str, ...]] = {
    "fp8": ("int8", "bfloat16", "float16"), "int8": ("bfloat16", "float16"), "bfloat16": ("float16",),
}  # fmt: skip
"""What a card multiplies in that lacks a type, the best first."""


class Card(BaseModel):
    """One row of cards.yaml, which explains the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    gb: float | None = None
    gb_s: float = Field(gt=0)
    tflops: Mapping[str, float] = Field(min_length=1)

    def is_called(self, name: str, memory_gb: float) -> bool:
        """Tell whether CUDA calls this card ``name`` and it has so much memory, in 10^9 bytes."""
        fits = self.gb is None or abs(self.gb - memory_gb * 1e9 / 2**30) <= MEMORY_TOLERANCE_GB
        return fits and re.fullmatch(self.name, bare_name(name)) is not None

    def rate(self, dtype: str) -> tuple[str, float] | None:
        """Return the type in which this card multiplies what another one does in ``dtype``, and its rate."""
        usable = (name for name in (dtype, *INSTEAD.get(dtype, ())) if name in self.tflops)
        return next(((name, self.tflops[name]) for name in usable), None)


@cache
def shipped() -> Sequence[Card]:
    """Read cards.yaml once."""
    rows = yaml.safe_load((files(__package__) / "cards.yaml").read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Card, ...]).validate_python(rows)


def named(name: str) -> Card:
    """Return the card of a name alone; raises ConfigError for one that the table does not know."""
    card = next((card for card in shipped() if re.fullmatch(card.name, bare_name(name), re.IGNORECASE)), None)
    if card is None:
        examples = "H100 PCIe, A100-SXM4-80GB, GeForce RTX 4090"
        raise ConfigError(
            "--card", f"the table of cards has no {name}", fix=f"write it as CUDA does, such as {examples}"
        )
    return card


def bare_name(name: str) -> str:
    """Return a card's name as CUDA gives it, without its maker."""
    return name.removeprefix("NVIDIA ").strip()


def find(name: str, memory_gb: float) -> Card | None:
    """Return the card of a name and a memory in 10^9 bytes; None for one that the table does not know."""
    return next((card for card in shipped() if card.is_called(name, memory_gb)), None)
