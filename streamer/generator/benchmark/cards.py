"""What GPUs can do at most, as their makers publish it (cards.yaml): rates by precision, and memory bandwidth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

MEMORY_TOLERANCE_GB = 1.5
"""How far a card's memory may lie from its round figure: the driver keeps a little, and a GB is not always 2^30."""


class Card(BaseModel):
    """One row of cards.yaml, which explains the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    gb: float | None = None
    gb_s: float = Field(gt=0)
    tflops: Mapping[str, float] = Field(min_length=1)

    def is_called(self, name: str, memory_gb: float) -> bool:
        """Tell whether CUDA calls this card ``name`` and it has so much memory, in 10^9 bytes."""
        bare = name.removeprefix("NVIDIA ").strip()
        fits = self.gb is None or abs(self.gb - memory_gb * 1e9 / 2**30) <= MEMORY_TOLERANCE_GB
        return fits and re.fullmatch(self.name, bare) is not None


@cache
def shipped() -> Sequence[Card]:
    """Read cards.yaml once."""
    rows = yaml.safe_load((files(__package__) / "cards.yaml").read_text(encoding="utf-8"))
    return TypeAdapter(tuple[Card, ...]).validate_python(rows)


def find(name: str, memory_gb: float) -> Card | None:
    """Return the card of a name and a memory in 10^9 bytes; None for one that the table does not know."""
    return next((card for card in shipped() if card.is_called(name, memory_gb)), None)
