"""The rule `blocklist`: listed viewers are refused by id or name, and everyone else passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streamer.moderation.rules.blocklist import Options, create
from streamer.types import ImageRequest

Ask = Callable[..., ImageRequest]


@pytest.mark.parametrize("listed", ["4711", "SpamBot", "@spambot", " spambot "])
def test_a_viewer_is_known_by_id_and_by_name(ask: Ask, listed: str) -> None:
    refusal = create(Options(users=(listed,))).check(ask(user="4711", name="SpamBot"), 0.0)
    assert refusal is not None
    assert refusal.rule == "ban"


def test_the_reason_does_not_mention_a_ban(ask: Ask) -> None:
    refusal = create(Options(users=("1",))).check(ask(), 0.0)
    assert refusal is not None
    assert "ban" not in refusal.reason


def test_everyone_else_passes(ask: Ask) -> None:
    assert create(Options(users=("4711", "ann_"))).check(ask(), 0.0) is None
    assert create(Options()).check(ask(), 0.0) is None
