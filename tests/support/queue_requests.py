"""Requests by one line each, for tests of the queue."""

from __future__ import annotations

import itertools

from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

_ids = itertools.count()


def request(
    actor: str = "ann",
    prompt: str | None = None,
    lane: Lane = Lane.CHAT,
    expires_at: float = 30.0,
    request_id: str | None = None,
) -> ImageRequest:
    number = next(_ids)
    return ImageRequest(
        id=request_id or f"r{number}",
        command="bg",
        kind=RequestKind.BACKGROUND,
        layer="background",
        text=prompt or f"prompt {number}",
        prompt=prompt or f"prompt {number}",
        params=SamplingParams(1280, 720, 4, 1.0, seed=number),
        actor=Actor(actor, actor, Role.VIEWER),
        priority=lane,
        at=0.0,
        expires_at=expires_at,
    )
