"""The ledger: a redemption is owed one thing, once, and its row changes with its request or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.storage import redemptions
from streamer.storage.database import Store, StoreOptions
from streamer.storage.redemptions import UnsettledRedemption
from streamer.types import Redemption, RequestState
from tests.support.examples import REQUEST

PAID = Redemption("redemption-1", "reward-1")
ASKED = replace(REQUEST, redemption=PAID)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(tmp_path, StoreOptions())
    await opened.open()
    yield opened
    await opened.close()


async def debts(store: Store) -> list[UnsettledRedemption]:
    return await store.run(redemptions.unsettled)


async def test_an_open_request_owes_nothing(store: Store) -> None:
    await store.accept(ASKED)
    assert await debts(store) == []


@pytest.mark.parametrize("state", [one for one in RequestState if one not in ("queued", "drawing", "held")])
async def test_only_a_picture_that_was_on_air_earns_its_points(store: Store, state: RequestState) -> None:
    await store.accept(ASKED)
    await store.end([ASKED.id], state, reason="because")
    assert await debts(store) == [UnsettledRedemption(PAID, state is RequestState.SHOWN, "because")]


async def test_what_was_decided_first_stays(store: Store) -> None:
    await store.accept(ASKED)
    await store.end([ASKED.id], RequestState.SHOWN)
    await store.end([ASKED.id], RequestState.FAILED, reason="late")
    await store.run(lambda db: redemptions.give_back(db, PAID, "later still", 9.0))
    assert await debts(store) == [UnsettledRedemption(PAID, True, "")]


async def test_a_redemption_cannot_pay_for_two_requests_and_the_second_leaves_no_trace(store: Store) -> None:
    await store.accept(ASKED)
    with pytest.raises(StoreError):
        await store.accept(replace(ASKED, id="r2"))
    assert await store.request("r2") is None


async def test_what_was_given_back_cannot_be_accepted_any_more(store: Store) -> None:
    await store.run(lambda db: redemptions.give_back(db, PAID, "away", 9.0))
    with pytest.raises(StoreError):
        await store.accept(ASKED)
    assert await store.request(ASKED.id) is None
    assert await debts(store) == [UnsettledRedemption(PAID, False, "away")]


async def test_a_crash_while_drawing_gives_the_points_back_at_the_next_start(tmp_path: Path) -> None:
    first = Store(tmp_path, StoreOptions())
    await first.open()
    await first.accept(ASKED)
    await first.close()
    second = Store(tmp_path, StoreOptions())
    await second.open()
    await second.recover()
    assert await debts(second) == [UnsettledRedemption(PAID, False, "the program was restarted")]
    await second.close()


async def test_what_is_settled_is_owed_no_longer_and_forgotten_in_the_end(store: Store) -> None:
    await store.run(lambda db: redemptions.give_back(db, PAID, "away", 9.0))
    await store.run(lambda db: redemptions.settle(db, PAID.id, 10.0))
    assert await debts(store) == []
    assert await store.run(lambda db: redemptions.unknown(db, [PAID.id, "other"])) == {"other"}
    await store.run(lambda db: redemptions.settle(db, "another", 11.0 + redemptions.KEPT_S))
    assert await store.run(lambda db: redemptions.unknown(db, [PAID.id])) == {PAID.id}


async def test_work_that_fails_half_way_leaves_nothing(store: Store) -> None:
    def half(db: object) -> None:
        redemptions.give_back(db, PAID, "", 1.0)  # type: ignore[arg-type]
        raise OSError("half way")

    with pytest.raises(StoreError):
        await store.run(half)
    assert await debts(store) == []
