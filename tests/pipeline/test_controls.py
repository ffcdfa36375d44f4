"""Controls change the show at once, whether or not the loops run; the whole way is tested with the pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.show import Room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A show without its loops."""
    room = Room(tmp_path)
    await room.store.open()
    yield room
    await room.store.close()


async def test_each_change_is_seen_at_once_and_counted(room: Room) -> None:
    before = room.show.publisher.version
    await room.controls.pause()
    assert room.status().paused
    assert room.show.publisher.version > before
    await room.controls.resume()
    assert not room.status().paused


async def test_a_panic_stays_until_a_resume_whatever_is_paused_meanwhile(room: Room) -> None:
    await room.controls.panic()
    await room.controls.pause()
    assert (room.status().paused, room.status().panicked) == (True, True)
    await room.controls.resume()
    assert not room.status().paused


async def test_what_is_not_there_cannot_be_undone_shown_or_cancelled(room: Room) -> None:
    assert not await room.controls.undo("background")
    assert not await room.controls.redo("background")
    assert not await room.controls.show_again("no such picture")
    assert not await room.controls.cancel("no such request")
