"""The store as a whole: it survives a crash, and a program and commands may open it at the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from streamer.storage.store import Store, StoreOptions
from streamer.types import RequestState
from tests.support.examples import REQUEST, frame


async def test_the_program_and_commands_may_create_the_store_at_the_same_moment(tmp_path: Path) -> None:
    for turn in range(5):
        stores = [Store.at(tmp_path / str(turn), StoreOptions()) for _ in range(8)]
        await asyncio.gather(*(store.open() for store in stores))
        assert [await store.tokens.all() for store in stores] == [[]] * 8
        await asyncio.gather(*(store.close() for store in stores))


async def test_a_restart_ends_what_a_crash_left_open_and_brings_the_background_back(tmp_path: Path) -> None:
    first = Store.at(tmp_path, StoreOptions())
    await first.open()
    await first.requests.accept(REQUEST)
    await first.pictures.keep(REQUEST, frame("r1", data=b"first"), "v1")
    await first.requests.end(["r1"], RequestState.SHOWN)
    await first.requests.accept(replace(REQUEST, id="r2"))
    await first.close()
    second = Store.at(tmp_path, StoreOptions())
    await second.open()
    await second.recover()
    row = await second.requests.get("r2")
    assert row is not None
    assert (row.state, row.rule) == ("expired", "restart")
    assert [shown.data for shown in await second.pictures.on_air()] == [b"first"]
    await second.close()
