"""The rule `blocklist`: listed viewers are refused by id or name, and everyone else passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from streamer.moderation.rules.blocklist import Options, create
from streamer.types import Actor, ImageRequest, Role

Ask = Callable[..., ImageRequest]


@pytest.mark.parametrize("listed", ["4711", "SpamBot", "@spambot", " spambot "])
def test_a_viewer_is_known_by_id_and_by_name(ask: Ask, listed: str) -> None:
    refusal = create(Options(users=(listed,))).check(ask(user="4711", name="SpamBot"), 0.0)
    assert refusal is not None
    assert refusal.rule == "ban"


@pytest.mark.parametrize("listed", ["77", "foxy", "@Foxy", "лисица", "ЛИСИЦА", " @лисица "])
def test_a_viewer_whose_shown_name_is_in_another_script_is_known_by_each_of_three_names(ask: Ask, listed: str) -> None:
    request = replace(ask(), actor=Actor("77", "Лисица", Role.VIEWER, "foxy"))
    assert create(Options(users=(listed,))).check(request, 0.0) is not None


def test_who_only_shows_the_login_of_a_listed_viewer_passes(ask: Ask) -> None:
    request = replace(ask(), actor=Actor("78", "Foxy", Role.VIEWER, "somebody_else"))
    assert create(Options(users=("foxy",))).check(request, 0.0) is None


def test_the_reason_does_not_mention_a_ban(ask: Ask) -> None:
    refusal = create(Options(users=("1",))).check(ask(), 0.0)
    assert refusal is not None
    assert "ban" not in refusal.reason


def test_everyone_else_passes(ask: Ask) -> None:
    assert create(Options(users=("4711", "ann_"))).check(ask(), 0.0) is None
    assert create(Options()).check(ask(), 0.0) is None
