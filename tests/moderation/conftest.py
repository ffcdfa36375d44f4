"""One request to vary, for the tests of every rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

_REQUEST = ImageRequest(
    id="r1",
    command="bg",
    kind=RequestKind.BACKGROUND,
    layer="background",
    text="stormy harbour at night",
    prompt="stormy harbour at night, wide establishing shot",
    params=SamplingParams(1280, 720, 4, 1.0, 1),
    actor=Actor("1", "ann", Role.VIEWER),
    priority=Lane.CHAT,
    at=0.0,
    expires_at=30.0,
)

Ask = Callable[..., ImageRequest]


@pytest.fixture
def ask() -> Ask:
    """Return a function that makes a request: ``role``, ``user`` and ``name`` of the actor, else its own fields."""

    def make(user: str = "1", name: str = "ann", role: Role = Role.VIEWER, **fields: Any) -> ImageRequest:
        return replace(_REQUEST, actor=Actor(user, name, role), **fields)

    return make
