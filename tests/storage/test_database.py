"""The store: what was accepted is kept, ends once, survives a restart, and does not grow without end."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.errors import StoreError
from streamer.storage.database import Store, StoreOptions
from streamer.storage.schema import MIGRATIONS
from streamer.types import RequestState
from tests.support.examples import REQUEST, frame


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(tmp_path / "home", StoreOptions())
    await opened.open()
    yield opened
    await opened.close()


async def test_an_accepted_request_can_be_looked_up(store: Store) -> None:
    await store.accept(REQUEST)
    row = await store.request("r1")
    assert row is not None
    assert (row.state, row.actor_name, row.seed, row.ended_at) == ("queued", "Ann", 7, None)


async def test_a_request_ends_once(store: Store) -> None:
    await store.accept(REQUEST)
    await store.end(["r1"], RequestState.SHOWN, draw_ms=12.5)
    await store.end(["r1"], RequestState.FAILED, rule="generator", reason="late")
    row = await store.request("r1")
    assert row is not None
    assert (row.state, row.reason, row.draw_ms) == ("shown", "", 12.5)


async def test_calls_run_in_the_order_in_which_they_were_made(store: Store) -> None:
    waits = [store.accept(REQUEST), store.mark("r1", RequestState.DRAWING), store.end(["r1"], RequestState.SHOWN)]
    for wait in waits:
        await wait
    assert [row.state for row in await store.requests(10)] == ["shown"]


async def test_the_program_and_commands_beside_it_may_be_the_first_at_the_same_moment(tmp_path: Path) -> None:
    for turn in range(5):
        several = [Store(tmp_path / str(turn), StoreOptions()) for _ in range(8)]
        await asyncio.gather(*(one.open() for one in several))
        assert [await one.tokens() for one in several] == [[]] * 8
        await asyncio.gather(*(one.close() for one in several))


async def test_a_restart_ends_what_a_crash_left_open_and_brings_the_background_back(tmp_path: Path) -> None:
    first = Store(tmp_path, StoreOptions())
    await first.open()
    await first.accept(REQUEST)
    await first.keep(REQUEST, frame("r1", data=b"first"), "v1")
    await first.end(["r1"], RequestState.SHOWN)
    await first.accept(replace(REQUEST, id="r2"))
    await first.close()
    second = Store(tmp_path, StoreOptions())
    await second.open()
    await second.recover()
    row = await second.request("r2")
    assert row is not None
    assert (row.state, row.rule) == ("expired", "restart")
    assert [shown.data for shown in await second.on_air()] == [b"first"]
    await second.close()


async def test_a_popup_is_not_brought_back(store: Store) -> None:
    meme = replace(REQUEST, layer="meme", seconds=8.0)
    await store.accept(meme)
    await store.keep(meme, frame("r1", "meme"), "v1")
    assert await store.on_air() == []
    assert len(await store.pictures(10)) == 1


async def test_only_the_newest_pictures_are_kept_and_never_the_one_on_air_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path, StoreOptions(pictures_kept=2))
    await store.open()
    for number in range(5):
        request = replace(REQUEST, id=f"r{number}", seconds=None if number == 0 else 8.0)
        await store.accept(request)
        await store.keep(request, frame(request.id), "v1")
    kept = [picture.id for picture in await store.pictures(10)]
    assert kept == ["r4", "r3", "r0"]
    assert len(list((tmp_path / "pictures").iterdir())) == 3
    await store.close()


async def test_old_requests_are_forgotten_but_open_ones_never(tmp_path: Path) -> None:
    store = Store(tmp_path, StoreOptions(requests_kept=100))
    await store.open()
    await store.accept(replace(REQUEST, id="open"))
    for number in range(150):
        await store.accept(replace(REQUEST, id=f"r{number}"))
        await store.end([f"r{number}"], RequestState.EXPIRED)
    last = replace(REQUEST, id="last")
    await store.accept(last)
    await store.keep(last, frame("last"), "v1")
    ids = {row.id for row in await store.requests(500)}
    assert {"open", "last", "r149"} <= ids
    assert "r0" not in ids
    assert len(ids) <= 103
    await store.close()


async def test_a_taken_back_picture_leaves_no_file(store: Store, tmp_path: Path) -> None:
    await store.accept(REQUEST)
    await store.keep(REQUEST, frame("r1"), "v1")
    await store.forget_picture("r1")
    assert await store.frame("r1") is None
    assert list((tmp_path / "home" / "pictures").iterdir()) == []


async def test_the_state_directory_is_private(store: Store, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


async def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "streamer.db") as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StoreError, match="newer version"):
        await Store(tmp_path, StoreOptions()).open()


async def test_a_home_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="STREAMER_HOME"):
        await Store(tmp_path / "file" / "home", StoreOptions()).open()


async def test_settings_and_tokens_are_kept(store: Store) -> None:
    await store.set("intake", "panic")
    await store.add_token("digest", "trigger", "deck")
    assert await store.setting("intake") == "panic"
    assert [(token.name, token.role) for token in await store.tokens()] == [("deck", "trigger")]
    assert await store.remove_token("deck") == 1
    assert await store.tokens() == []


async def test_a_picture_put_on_air_again_survives_a_restart(store: Store) -> None:
    for name in ("r1", "r2"):
        request = replace(REQUEST, id=name)
        await store.accept(request)
        await store.keep(request, frame(name), "v1")
    await store.put_on_air("background", "r1")
    assert [shown.request_id for shown in await store.on_air()] == ["r1"]
    await store.off_air("background")
    assert await store.on_air() == []


async def test_a_recording_played_again_takes_over_the_rows_of_its_ids(store: Store) -> None:
    await store.accept(REQUEST)
    await store.keep(REQUEST, frame("r1"), "v1")
    await store.end(["r1"], RequestState.SHOWN)
    await store.accept(replace(REQUEST, text="again"))
    row = await store.request("r1")
    assert row is not None
    assert (row.state, row.text, row.ended_at) == ("queued", "again", None)
