"""The rule `role`: who may use which command."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from streamer.moderation.rules.role import Options, create
from streamer.types import ImageRequest, Role


@pytest.mark.parametrize(("has", "needed"), list(product(Role, Role)))
def test_each_role_includes_the_ones_below_it(ask: Callable[..., ImageRequest], has: Role, needed: Role) -> None:
    refusal = create(Options()).check(ask(role=has, role_needed=needed), 0.0)
    assert (refusal is None) == (has >= needed)


def test_the_reason_says_whom_the_command_is_for(ask: Callable[..., ImageRequest]) -> None:
    refusal = create(Options()).check(ask(role_needed=Role.SUBSCRIBER), 0.0)
    assert refusal is not None
    assert (refusal.request_id, refusal.rule, refusal.reason) == ("r1", "role", "for subscribers and up")
