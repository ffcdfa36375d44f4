"""The table of pictures, and their files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """One row of the picture history, with the text that asked for it."""

    id: str
    layer: str
    media_type: str
    width: int
    height: int
    file: str
    shown_at: float
    text: str
    actor_name: str
