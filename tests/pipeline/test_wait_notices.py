"""Whoever waited in vain is named once on the overlay, and a crowd is named together."""

from __future__ import annotations

from pathlib import Path

from streamer.pipeline.wait_notices import EVERY_S
from streamer.types import Ended, Toast
from tests.support.show import Room, opened


def toasts(room: Room) -> list[str]:
    return [event.text for event in room.notes.events if isinstance(event, Toast) and event.text.startswith("no time")]


async def late(room: Room, *names: str) -> None:
    """Let requests wait until they expire."""
    for name in names:
        await room.say(f"!bg {name}", name)
    room.now += 30
    await room.channel.timekeeper.tick(room.now)
    await room.show.publisher.notified()


async def blocked(room: Room) -> None:
    await room.say("!bg blocker", "zoe")
    await room.until(lambda: room.easel.drawn)


async def test_everybody_who_waited_in_vain_is_named_once_and_ends_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await blocked(room)
        await late(room, "ann", "ben", "cat", "dan")
        await late(room, "eve")
        assert toasts(room) == ["no time was left for ann, ben and 2 more", "no time was left for eve"]
        ends = [event for event in room.notes.events if isinstance(event, Ended)]
        assert sorted(end.request.actor.name for end in ends) == ["ann", "ben", "cat", "dan", "eve"]
        assert {(end.state, end.rule, end.reason) for end in ends} == {
            ("expired", "waited", "your picture could not be drawn in time, too many came before it")
        }


async def test_who_expires_right_after_a_toast_is_named_in_the_next_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await blocked(room)
        await room.say("!bg ann", "ann")
        room.now += 1
        await room.say("!bg ben", "ben")
        room.now += 29
        await room.channel.timekeeper.tick(room.now)
        room.now += 1
        await room.channel.timekeeper.tick(room.now)
        assert room.channel.timekeeper.wakeup(room.now) == room.now + EVERY_S - 1
        room.now += EVERY_S
        await room.channel.timekeeper.tick(room.now)
        await room.show.publisher.notified()
        assert toasts(room) == ["no time was left for ann", "no time was left for ben"]


async def test_who_replaced_their_own_request_did_not_wait_in_vain(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await blocked(room)
        await room.say("!bg one", "ann")
        await room.say("!bg two", "ann")
        await room.channel.timekeeper.tick(room.now)
        await room.show.publisher.notified()
        assert toasts(room) == []


async def test_a_name_that_may_not_be_shown_is_not_shown(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await blocked(room)
        await room.say("!bg harbour", "forbiddenword")
        await late(room)
        assert toasts(room) == ["no time was left for a viewer"]
