"""Requests: what is accepted is kept, ends once, and does not grow without end."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from streamer.storage.store import Store, StoreOptions
from streamer.types import Actor, Hold, Redemption, RequestState, Role
from tests.support.examples import REQUEST, frame


async def test_an_accepted_request_can_be_looked_up(store: Store) -> None:
    await store.requests.accept(REQUEST)
    row = await store.requests.get("r1")
    assert row is not None
    assert (row.state, row.actor_name, row.seed, row.ended_at) == ("queued", "Ann", 7, None)


async def test_whoever_asked_is_listed_once_with_the_newest_names_until_these_are_gone(store: Store) -> None:
    people = [
        Actor("1", "Ann", Role.VIEWER, "ann"), Actor("2", "Лисица", Role.VIP, "foxy"),
        Actor("1", "Anna", Role.SUBSCRIBER, "anna"),
    ]  # fmt: skip
    for number, actor in enumerate(people):
        await store.requests.accept(replace(REQUEST, id=f"r{number}", actor=actor))
    assert await store.requests.people() == people[1:]
    await store.requests.end(["r1"], RequestState.SHOWN)
    await store.database.run(lambda db: store.requests.anonymize(db, time.time() + 1, lambda actor_id: "~hash"))
    assert await store.requests.people() == people[2:]


async def test_a_request_ends_once(store: Store) -> None:
    await store.requests.accept(REQUEST)
    await store.requests.end(["r1"], RequestState.SHOWN, draw_ms=12.5)
    await store.requests.end(["r1"], RequestState.FAILED, rule="generator", reason="late")
    row = await store.requests.get("r1")
    assert row is not None
    assert (row.state, row.reason, row.draw_ms) == ("shown", "", 12.5)


async def test_calls_run_in_the_order_in_which_they_were_made(store: Store) -> None:
    waits = [
        store.requests.accept(REQUEST),
        store.requests.set_state("r1", RequestState.DRAWING),
        store.requests.end(["r1"], RequestState.SHOWN),
    ]
    for wait in waits:
        await wait
    assert [row.state for row in await store.requests.newest(10)] == ["shown"]


async def test_old_requests_are_forgotten_but_open_ones_never(tmp_path: Path) -> None:
    store = Store.at(tmp_path, StoreOptions(requests_kept=100))
    await store.open()
    await store.requests.accept(replace(REQUEST, id="open"))
    for number in range(150):
        await store.requests.accept(replace(REQUEST, id=f"r{number}"))
        await store.requests.end([f"r{number}"], RequestState.EXPIRED)
    last = replace(REQUEST, id="last")
    await store.requests.accept(last)
    await store.pictures.keep(last, frame("last"), "v1")
    ids = {row.id for row in await store.requests.newest(500)}
    assert {"open", "last", "r149"} <= ids
    assert "r0" not in ids
    assert len(ids) <= 103
    await store.close()


async def test_a_recording_played_again_takes_over_the_rows_of_its_ids(store: Store) -> None:
    await store.requests.accept(REQUEST)
    await store.pictures.keep(REQUEST, frame("r1"), "v1")
    await store.requests.end(["r1"], RequestState.SHOWN)
    await store.requests.accept(replace(REQUEST, text="again"))
    row = await store.requests.get("r1")
    assert row is not None
    assert (row.state, row.text, row.ended_at) == ("queued", "again", None)


async def test_what_a_restart_finds_open_and_fresh_is_returned_once_and_everything_else_ends(store: Store) -> None:
    for number, request_id in enumerate(("old", "first", "second", "shown")):
        held = Hold(request_id, "approval", "first message", "") if request_id == "second" else None
        await store.requests.accept(replace(REQUEST, id=request_id, source="twitch", first_time=True, hold=held))
        asked_at = time.time() - (500 if request_id == "old" else 10 - number)
        await store.database.write("UPDATE requests SET asked_at = ? WHERE id = ?", (asked_at, request_id))
    await store.requests.set_state("first", RequestState.DRAWING)
    await store.requests.hold(["second"], "a judge is not sure")
    await store.requests.end(["shown"], RequestState.SHOWN)
    found = await store.requests.recover(60.0)
    assert [(one.row.id, one.row.source, one.row.first_time, one.row.hold) for one in found] == [
        ("first", "twitch", True, ""), ("second", "twitch", True, "a judge is not sure"),
    ]  # fmt: skip
    assert [5 < one.age_s < 60 for one in found] == [True, True]
    assert await store.requests.recover(60.0) == []
    rows = {row.id: (row.state, row.rule) for row in await store.requests.newest(10)}
    assert rows == {
        "old": ("expired", "restart"), "first": ("expired", "restart"), "second": ("expired", "restart"),
        "shown": ("shown", ""),
    }  # fmt: skip


async def test_a_clock_that_was_set_back_a_little_makes_nothing_old(store: Store) -> None:
    for request_id, ahead_s in (("a", 30.0), ("b", 3600.0)):
        await store.requests.accept(replace(REQUEST, id=request_id))
        await store.database.write("UPDATE requests SET asked_at = ? WHERE id = ?", (time.time() + ahead_s, request_id))
    assert [(one.row.id, one.age_s) for one in await store.requests.recover(60.0)] == [("a", 0.0)]


async def test_a_request_is_found_with_what_it_was_paid_with(store: Store) -> None:
    paid = Redemption("p1", "reward")
    await store.requests.accept(replace(REQUEST, redemption=paid))
    (found,) = await store.requests.recover(60.0)
    assert found.redemption == paid
    assert await store.redemptions.unsettled() == []
    await store.requests.recover()
    assert [one.redemption for one in await store.redemptions.unsettled()] == [paid]
