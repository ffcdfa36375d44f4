"""Who is out, for how long, and how one gets there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.moderation.bans import Bans, StrikeOptions, Strikes
from streamer.storage.store import Store, StoreOptions
from streamer.types import Actor, Role
from tests.support.examples import REQUEST

ANN = Actor("7", "Ann", Role.VIEWER)
ASKED = replace(REQUEST, actor=ANN)


class Wall:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def bans(tmp_path: Path) -> AsyncIterator[Bans]:
    store = Store.at(tmp_path, StoreOptions())
    await store.open()
    yield Bans(store.bans, Wall())
    await store.close()


@pytest.fixture
def strikes(bans: Bans) -> Strikes:
    return Strikes(StrikeOptions(limit=3, within_s=600, ban_s=90), bans)


async def test_an_id_outlives_a_rename_and_a_name_is_enough(bans: Bans) -> None:
    await bans.ban("7", "ann", None, "", "mod")
    assert bans.objection(replace(ASKED, actor=Actor("7", "New name", Role.VIEWER)), 0.0) is not None
    await bans.ban("ben", "ben", None, "", "mod")
    assert bans.objection(replace(ASKED, actor=Actor("8", "Ben", Role.VIEWER)), 0.0) is not None
    assert bans.objection(replace(ASKED, actor=Actor("9", "cat", Role.VIEWER)), 0.0) is None


async def test_a_ban_ends_by_itself_or_by_hand(bans: Bans) -> None:
    await bans.ban("7", "ann", 90, "", "mod")
    refusal = bans.objection(ASKED, 0.0)
    assert refusal is not None
    assert refusal.reason == "you can ask again in 2 min"
    bans._wall.now += 90  # type: ignore[attr-defined]
    assert (bans.objection(ASKED, 0.0), bans.all()) == (None, ())
    await bans.ban("7", "ann", None, "", "mod")
    assert bans.unban("@ANN") is not None
    assert (bans.objection(ASKED, 0.0), bans.unban("ann")) == (None, None)


async def test_the_third_strike_within_the_time_is_a_ban(bans: Bans, strikes: Strikes) -> None:
    assert [strikes.add(ANN, now) for now in (0.0, 500.0, 601.0, 700.0)] == [False, False, False, True]
    assert bans.objection(ASKED, 0.0) is not None
    assert not strikes.add(ANN, 701.0)


async def test_moderators_have_no_strikes(strikes: Strikes) -> None:
    assert not any(strikes.add(Actor("m", "mod", Role.MODERATOR), now) for now in range(9))


async def test_a_ban_without_end_is_told_as_one(bans: Bans) -> None:
    await bans.ban("7", "ann", float("inf"), "", "mod")
    assert "cannot" in str(bans.objection(ASKED, 0.0))


async def test_no_ban_by_name_keeps_a_moderator_or_the_streamers_own_keys_out(bans: Bans) -> None:
    await bans.ban("ann", "ann", None, "", "mod")
    assert bans.objection(ASKED, 0.0) is not None
    for role in (Role.MODERATOR, Role.BROADCASTER):
        assert bans.objection(replace(ASKED, actor=replace(ANN, role=role)), 0.0) is None
