"""A config value that must be one of some enum members; the error lists them as users write them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BeforeValidator, WithJsonSchema


def one_of(members: Iterable[StrEnum]) -> tuple[BeforeValidator, WithJsonSchema]:
    """Return annotations that accept the values of ``members`` and nothing else; not every enum is open in full."""
    by_value = {member.value: member for member in members}

    def check(value: object) -> StrEnum:
        if not isinstance(value, str) or value not in by_value:
            raise ValueError(f"use one of {', '.join(by_value)}")
        return by_value[value]

    return BeforeValidator(check), WithJsonSchema({"enum": list(by_value)})
