"""Redemptions: each is owed one thing, once, and its row changes with its request or not at all."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.storage.redemptions import KEPT_S, UnsettledRedemption
from streamer.storage.store import Store, StoreOptions
from streamer.types import Redemption, RequestState
from tests.support.examples import REQUEST

PAID = Redemption("redemption-1", "reward-1")
ASKED = replace(REQUEST, redemption=PAID)


async def unsettled(store: Store) -> list[UnsettledRedemption]:
    return await store.redemptions.unsettled()


async def test_an_open_request_owes_nothing(store: Store) -> None:
    await store.requests.accept(ASKED)
    assert await unsettled(store) == []


@pytest.mark.parametrize("state", [state for state in RequestState if state not in ("queued", "drawing", "held")])
async def test_only_a_picture_that_was_on_air_earns_its_points(store: Store, state: RequestState) -> None:
    await store.requests.accept(ASKED)
    await store.requests.end([ASKED.id], state, reason="because")
    assert await unsettled(store) == [UnsettledRedemption(PAID, state is RequestState.SHOWN, "because")]


async def test_what_was_decided_first_stays(store: Store) -> None:
    await store.requests.accept(ASKED)
    await store.requests.end([ASKED.id], RequestState.SHOWN)
    await store.requests.end([ASKED.id], RequestState.FAILED, reason="late")
    await store.redemptions.give_back(PAID, "later still", 9.0)
    assert await unsettled(store) == [UnsettledRedemption(PAID, True, "")]


async def test_a_redemption_cannot_pay_for_two_requests_and_the_second_leaves_no_trace(store: Store) -> None:
    await store.requests.accept(ASKED)
    with pytest.raises(StoreError):
        await store.requests.accept(replace(ASKED, id="r2"))
    assert await store.requests.get("r2") is None


async def test_what_was_given_back_cannot_be_accepted_any_more(store: Store) -> None:
    await store.redemptions.give_back(PAID, "away", 9.0)
    with pytest.raises(StoreError):
        await store.requests.accept(ASKED)
    assert await store.requests.get(ASKED.id) is None
    assert await unsettled(store) == [UnsettledRedemption(PAID, False, "away")]


async def test_a_crash_while_drawing_gives_the_points_back_at_the_next_start(tmp_path: Path) -> None:
    first = Store.at(tmp_path, StoreOptions())
    await first.open()
    await first.requests.accept(ASKED)
    await first.close()
    second = Store.at(tmp_path, StoreOptions())
    await second.open()
    await second.recover()
    assert await unsettled(second) == [UnsettledRedemption(PAID, False, "the program was restarted")]
    await second.close()


async def test_what_is_settled_is_owed_no_longer_and_forgotten_in_the_end(store: Store) -> None:
    await store.redemptions.give_back(PAID, "away", 9.0)
    await store.redemptions.settle(PAID.id, 10.0)
    assert await unsettled(store) == []
    assert await store.redemptions.unknown([PAID.id, "other"]) == {"other"}
    await store.redemptions.settle("another", 11.0 + KEPT_S)
    assert await store.redemptions.unknown([PAID.id]) == {PAID.id}


async def test_work_that_fails_half_way_leaves_nothing(store: Store) -> None:
    def half(db: sqlite3.Connection) -> None:
        store.redemptions.open(db, ASKED, 1.0)
        store.redemptions.end(db, [ASKED.id], RequestState.FAILED, "")
        raise OSError("half way")

    with pytest.raises(StoreError):
        await store.database.run(half)
    assert await unsettled(store) == []
