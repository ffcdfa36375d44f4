"""Requests: what is accepted is kept, ends once, and does not grow without end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streamer.storage.store import Store, StoreOptions
from streamer.types import RequestState
from tests.support.examples import REQUEST, frame


async def test_an_accepted_request_can_be_looked_up(store: Store) -> None:
    await store.requests.accept(REQUEST)
    row = await store.requests.get("r1")
    assert row is not None
    assert (row.state, row.actor_name, row.seed, row.ended_at) == ("queued", "Ann", 7, None)


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
