"""The table of requests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """One row of the request history; times are seconds since the epoch, durations milliseconds."""

    id: str
    command: str
    kind: str
    layer: str
    text: str
    prompt: str
    width: int
    height: int
    seed: int
    actor_id: str
    actor_name: str
    role: int
    lane: int
    asked_at: float
    state: str
    rule: str
    reason: str
    ended_at: float | None
    draw_ms: float | None
    total_ms: float | None
