"""The table of bans."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ban:
    """Who is kept out: ``who`` is a user id or a lower-case name; ``until`` seconds since the epoch, None for good."""

    who: str
    name: str
    until: float | None
    reason: str
    by: str
    at: float
