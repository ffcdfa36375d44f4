"""Who is out, for how long, and how one gets there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.moderation.bans import Bans, StrikeOptions, Strikes
from streamer.storage.store import Store, StoreOptions
from streamer.types import Actor, ImageRequest, Role
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


def asked_by(user_id: str, name: str, login: str = "") -> ImageRequest:
    return replace(REQUEST, actor=Actor(user_id, name, Role.VIEWER, login))


async def test_an_id_outlives_a_rename_and_a_name_is_enough(bans: Bans) -> None:
    await bans.ban(ANN, None, "", "mod")
    assert bans.objection(asked_by("7", "New name"), 0.0) is not None
    await bans.ban_name("@Ben", None, "mod")
    assert bans.objection(asked_by("8", "Ben"), 0.0) is not None
    assert bans.objection(asked_by("9", "cat"), 0.0) is None


@pytest.mark.parametrize("typed", ["foxy", "@Foxy", "лисица", "77"])
async def test_a_ban_of_somebody_never_seen_holds_for_whoever_comes_with_that_name(bans: Bans, typed: str) -> None:
    await bans.ban_name(typed, None, "mod")
    assert bans.objection(asked_by("77", "Лисица", "foxy"), 0.0) is not None
    assert bans.objection(asked_by("78", "Енот", "raccoon"), 0.0) is None


async def test_a_ban_by_login_holds_for_the_person_who_came_with_it_and_not_for_who_takes_the_login_over(
    bans: Bans,
) -> None:
    await bans.ban_name("foxy", None, "mod")
    assert bans.objection(asked_by("77", "Лисица", "foxy"), 0.0) is not None
    assert bans.objection(asked_by("77", "Renamed", "renamed"), 0.0) is not None
    assert bans.objection(asked_by("80", "Foxy", "foxy"), 0.0) is None
    again = Bans(bans._repository)
    await again.restore()
    assert [(ban.who, ban.name, ban.login, ban.seen) for ban in again.all()] == [("77", "Лисица", "foxy", True)]


async def test_a_ban_never_means_somebody_who_only_shows_that_name_or_has_that_id_as_a_login(bans: Bans) -> None:
    await bans.ban_name("foxy", None, "mod")
    assert bans.objection(asked_by("78", "Foxy", "raccoon"), 0.0) is None
    await bans.ban(Actor("12345", "Ann", Role.VIEWER, "ann"), None, "", "mod")
    assert bans.objection(asked_by("79", "12345", "12345"), 0.0) is None


async def test_a_shown_name_without_a_login_does_not_take_a_ban_over(bans: Bans) -> None:
    await bans.ban_name("foxy", None, "mod")
    assert bans.objection(asked_by("http:1", "foxy"), 0.0) is not None
    assert bans.objection(asked_by("77", "Лисица", "foxy"), 0.0) is not None


async def test_a_ban_is_found_by_id_then_login_then_shown_name(bans: Bans) -> None:
    await bans.ban(Actor("1", "Ann", Role.VIEWER, "first"), None, "", "mod")
    await bans.ban(Actor("2", "Ann", Role.VIEWER, "second"), None, "", "mod")
    await bans.ban(Actor("3", "first", Role.VIEWER, "third"), None, "", "mod")
    found = [[ban.who for ban in bans.named(words)] for words in ("1", "@First", "ann", "SECOND", "nobody")]
    assert found == [["1"], ["1"], ["1", "2"], ["2"], []]


async def test_a_ban_ends_by_itself_or_by_hand(bans: Bans) -> None:
    await bans.ban(ANN, 90, "", "mod")
    refusal = bans.objection(ASKED, 0.0)
    assert refusal is not None
    assert refusal.reason == "you can ask again in 2 min"
    bans._wall.now += 90  # type: ignore[attr-defined]
    assert (bans.objection(ASKED, 0.0), bans.all()) == (None, ())
    await bans.ban(ANN, None, "", "mod")
    bans.lift(bans.named("@ANN")[0])
    assert (bans.objection(ASKED, 0.0), bans.named("ann")) == (None, ())


async def test_the_third_strike_within_the_time_is_a_ban(bans: Bans, strikes: Strikes) -> None:
    assert [strikes.add(ANN, now) for now in (0.0, 500.0, 601.0, 700.0)] == [False, False, False, True]
    assert bans.objection(ASKED, 0.0) is not None
    assert not strikes.add(ANN, 701.0)


async def test_moderators_have_no_strikes(strikes: Strikes) -> None:
    assert not any(strikes.add(Actor("m", "mod", Role.MODERATOR), now) for now in range(9))


async def test_a_ban_without_end_is_told_as_one(bans: Bans) -> None:
    await bans.ban(ANN, float("inf"), "", "mod")
    assert "cannot" in str(bans.objection(ASKED, 0.0))


async def test_no_ban_by_name_keeps_a_moderator_or_the_streamers_own_keys_out(bans: Bans) -> None:
    await bans.ban_name("ann", None, "mod")
    assert bans.objection(ASKED, 0.0) is not None
    for role in (Role.MODERATOR, Role.BROADCASTER):
        assert bans.objection(replace(ASKED, actor=replace(ANN, role=role)), 0.0) is None
