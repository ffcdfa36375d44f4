"""The table of issued tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An issued token: only its digest is kept."""

    digest: str
    role: str
    name: str
    created_at: float
