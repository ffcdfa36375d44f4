"""How large previews are: by role alone, and never more than 32 pixels for those who are not trusted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamer.generator.supervisor import sized
from streamer.types import Actor, Lane, Role
from tests.support.examples import REQUEST


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("lane", list(Lane))
def test_the_role_decides_and_nothing_else(role: Role, lane: Lane) -> None:
    request = replace(REQUEST, actor=Actor("1", "a", role), priority=lane, preview_px=400)
    assert sized(request, 32, 256).preview_px == (256 if role >= Role.MODERATOR else 32)


@pytest.mark.parametrize("role", [role for role in Role if role < Role.MODERATOR])
def test_no_setting_raises_the_limit_for_the_others(role: Role) -> None:
    request = replace(REQUEST, actor=Actor("1", "a", role))
    assert sized(request, 500, 500).preview_px == 32
    assert sized(request, 16, 256).preview_px == 16


def test_the_trusted_may_be_blurred_as_well() -> None:
    request = replace(REQUEST, actor=Actor("1", "a", Role.BROADCASTER))
    assert sized(request, 32, 32).preview_px == 32
