"""What is due happens at its moment, and the next moment is known; the whole way is tested with the pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.types import Notice, NoticeKind, Toast
from tests.support.show import Room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A show without its loops."""
    room = Room(tmp_path)
    await room.store.open()
    yield room
    await room.store.close()


async def test_without_anything_to_wait_for_there_is_no_moment(room: Room) -> None:
    assert room.channel.timekeeper.wakeup(room.now) is None


async def test_a_queued_request_is_due_when_it_expires(room: Room) -> None:
    request_id = await room.say("!bg harbour")
    (queued,) = room.status().pending
    assert room.channel.timekeeper.wakeup(room.now) == queued.expires_at
    await room.channel.timekeeper.tick(queued.expires_at)
    assert room.status().pending == ()
    assert await room.state(request_id) == "expired"


async def test_raid_mode_is_announced_once_when_it_begins_and_once_when_it_ends(room: Room) -> None:
    seen: list[str] = []
    room.show.publisher.subscribe(lambda event: seen.append(event.text) if isinstance(event, Toast) else None)
    room.automations.clear()
    await room.admit.observe(Notice("test", NoticeKind.RAID, room.now, count=300))
    for _ in range(2):
        await room.channel.timekeeper.tick(room.now)
    over_at = room.channel.timekeeper.wakeup(room.now)
    assert over_at is not None
    for _ in range(2):
        await room.channel.timekeeper.tick(over_at)
    assert seen == ["raid mode: a raid of 300", "raid mode is over"]
