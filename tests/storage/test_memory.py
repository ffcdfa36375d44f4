"""The store in memory: the same repositories, and every call is done when it returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from streamer.storage.memory import memory_store
from streamer.storage.privacy import FORGETTING
from streamer.types import RequestState
from tests.support.examples import REQUEST


def finished(call: Coroutine[Any, Any, Any]) -> object:
    """Run a coroutine that never waits, without an event loop."""
    with pytest.raises(StopIteration) as end:
        call.send(None)
    return end.value.value


def test_what_is_written_is_read_back_without_an_event_loop(tmp_path: Path) -> None:
    store = memory_store(tmp_path)

    async def evening() -> RequestState | None:
        await store.open()
        await store.requests.accept(REQUEST)
        await store.requests.end(["r1"], RequestState.SHOWN)
        row = await store.requests.get("r1")
        await store.close()
        return None if row is None else row.state

    assert finished(evening()) is RequestState.SHOWN


def test_work_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    store = memory_store(tmp_path)

    def half(db: sqlite3.Connection) -> None:
        store.settings.put(db, FORGETTING, "[]")
        raise OSError("half way")

    with pytest.raises(OSError, match="half way"):
        store.database.erase(half)

    async def kept() -> dict[str, str]:
        return await store.settings.starting_with(FORGETTING)

    assert finished(kept()) == {}


def test_two_stores_share_nothing_and_no_file_is_made(tmp_path: Path) -> None:
    first, second = memory_store(tmp_path), memory_store(tmp_path)

    async def written_to_the_first() -> str | None:
        await first.settings.set("intake", "panic")
        return await second.settings.get("intake")

    assert finished(written_to_the_first()) is None
    assert list(tmp_path.iterdir()) == []
