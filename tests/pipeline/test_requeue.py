"""What still waited at a restart is queued again: in order, once, and past the same moderators as before."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamer.moderation.rules import blocklist, cooldown
from streamer.pipeline.requeue import FRESH_S, requeue
from streamer.types import Actor, Ended, Hold, Redemption, Role, Trigger
from tests.support.examples import REQUEST
from tests.support.show import Room, held, opened


@asynccontextmanager
async def restarted(home: Path, **options: Any) -> AsyncIterator[Room]:
    """Start the program again on what the last one left."""
    async with opened(home, **options) as room:
        await requeue(room.channel, await room.store.recover(FRESH_S))
        yield room


async def waiting(room: Room, *texts: str) -> list[str]:
    """Let the first picture be drawn and never finish, and others wait."""
    ids = [await room.say(f"!bg {text}", text) for text in texts]
    await room.until(lambda: room.status().drawing is not None)
    return ids


async def aged(home: Path, seconds: float) -> None:
    """Move what is stored into the past; a negative number is a clock that was set back since."""
    async with opened(home) as room:
        await room.store.database.write("UPDATE requests SET asked_at = ?", (time.time() - seconds,))


async def test_what_was_being_drawn_and_what_waited_is_drawn_in_its_old_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        ids = await waiting(room, "ann", "ben", "cat")
        before = room.easel.drawn[0]
    async with restarted(tmp_path) as room:
        for _ in ids:
            await room.draw_next()
        assert [one.id for one in room.easel.drawn] == ids
        assert [await room.state(request_id) for request_id in ids] == ["shown"] * 3
        again = room.easel.drawn[0]
        same = replace(before, at=again.at, expires_at=again.expires_at)
        assert again == same, "the same picture: words, seed, size, caption, role"


async def test_everything_about_a_request_outlives_the_restart(tmp_path: Path) -> None:
    paid = Trigger(
        "p1", "twitch", "!meme cat | one | two", Actor("77", "Лисица", Role.VIP, "foxy"), 0.0, True, True,
        Redemption("p1", "reward"),
    )  # fmt: skip
    async with opened(tmp_path) as room:
        await waiting(room, "ann")
        await room.order("!style noir")
        await room.admit.submit(replace(paid, at=room.now))
        (before,) = room.status().pending
    async with restarted(tmp_path) as room:
        await room.draw_next()
        await room.until(lambda: len(room.easel.drawn) > 1 or room.status().pending == ())
        again = next(one for one in (*room.easel.drawn, *room.status().pending) if one.id == "p1")
        assert again == replace(before, at=again.at, expires_at=again.expires_at, hold=again.hold)
        assert (again.prompt, again.redemption) == ("cat, noir", Redemption("p1", "reward"))
        assert again.hold is not None, "a first message is held for a moderator, as before"


async def test_a_picture_that_was_held_is_drawn_again_and_held_again(tmp_path: Path) -> None:
    async with opened(tmp_path, mode="on") as room:
        request_id = await held(room, "!bg harbour", "ann")
        await room.admit.submit(room.trigger("!bg harbour", "ben"))
    async with restarted(tmp_path, mode="off") as room:
        await room.draw_next()
        (picture,) = room.status().held
        assert picture.request.id == request_id
        assert len(picture.requests) == 2
        assert room.on_air() is None


@pytest.mark.parametrize(("age_s", "state"), [(0.9, "queued"), (1.1, "expired"), (-0.1, "queued"), (-1.1, "expired")])
async def test_only_what_is_fresh_waits_again_whatever_the_clock_did(tmp_path: Path, age_s: float, state: str) -> None:
    async with opened(tmp_path) as room:
        _, request_id = await waiting(room, "ann", "ben")
    await aged(tmp_path, age_s * FRESH_S)
    async with restarted(tmp_path) as room:
        await room.until(lambda: room.status().drawing is not None or state == "expired")
        assert await room.state(request_id) == state


async def test_what_waits_again_has_all_its_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await waiting(room, "ann", "ben")
    await aged(tmp_path, FRESH_S - 10)
    async with restarted(tmp_path) as room:
        assert {one.expires_at - room.now for one in room.status().pending} == {30.0}


async def test_a_request_is_queued_again_once_and_not_after_a_second_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        ids = await waiting(room, "ann", "ben")
    async with restarted(tmp_path):
        pass
    async with restarted(tmp_path) as room:
        rows = [await room.store.requests.get(request_id) for request_id in ids]
        assert [(str(row.state), row.rule) for row in rows if row] == [("expired", "restart")] * 2
        assert room.status().pending == ()


async def test_a_trigger_that_comes_again_after_the_restart_is_a_duplicate(tmp_path: Path) -> None:
    shown, queued = (Trigger(name, "http", f"!bg {name}", Actor(name, name, Role.VIEWER), 0.0) for name in ("a", "b"))
    async with opened(tmp_path) as room:
        await room.admit.submit(replace(shown, at=room.now))
        await room.draw_next()
        await room.admit.submit(replace(queued, at=room.now))
    async with restarted(tmp_path) as room:
        for trigger in (shown, queued):
            assert (await room.admit.submit(replace(trigger, at=room.now))).outcome == "duplicate"
        await room.draw_next()
        assert [one.id for one in room.easel.drawn] == ["b"]


async def test_a_recording_that_plays_again_is_no_duplicate(tmp_path: Path) -> None:
    line = Trigger("replay-1", "replay", "!bg a", Actor("a", "a", Role.VIEWER), 0.0)
    for _ in range(2):
        async with restarted(tmp_path) as room:
            assert (await room.admit.submit(replace(line, at=room.now))).outcome == "queued"
            await room.draw_next()


async def test_while_requests_are_paused_they_wait_and_after_a_panic_they_are_gone(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        _, request_id = await waiting(room, "ann", "ben")
        await room.order("!pause")
    async with restarted(tmp_path) as room:
        assert len(room.status().pending) == 2
        await room.channel.timekeeper.tick(room.now)
        room.now += 600
        await room.channel.timekeeper.tick(room.now)
        assert await room.state(request_id) == "queued"
    async with opened(tmp_path) as room:
        await room.store.database.write("UPDATE requests SET restarts = 0", ())
        (tmp_path / "panic").touch()
    async with restarted(tmp_path) as room:
        assert await room.state(request_id) == "cancelled"


async def test_who_was_banned_or_listed_meanwhile_is_refused_and_no_turn_is_counted_twice(tmp_path: Path) -> None:
    limits = cooldown.create(cooldown.Options(user_s=30, everyone_s=60, burst=1))
    rules = (blocklist.create(blocklist.Options(users=("ben",))), limits)
    async with opened(tmp_path) as room:
        ids = await waiting(room, "ann", "ben", "cat", "dan")
        await room.show.bans.ban(Actor("cat", "cat", Role.VIEWER), None, "", "mod")
    async with restarted(tmp_path, more_rules=rules) as room:
        assert [one.actor.name for one in (*room.easel.drawn, *room.status().pending)] == ["ann", "dan"]
        await room.show.publisher.notified()
        ends = {event.request.id: event.rule for event in room.notes.events if isinstance(event, Ended)}
        assert ends == {ids[1]: "ban", ids[2]: "ban"}


async def test_an_edit_is_made_of_the_background_that_came_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.say("!bg summer", "zoe")
        await room.draw_next()
        await room.say("!edit winter", "ann")
        await room.until(lambda: room.status().drawing is not None)
    async with restarted(tmp_path) as room:
        await room.draw_next()
        assert room.easel.drawn[0].reference == b"summer"


async def test_a_request_whose_command_is_gone_ends_with_a_reason(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        gone = replace(REQUEST, command="vanished", hold=Hold("r1", "approval", "why", ""))
        await room.store.requests.accept(gone)
    async with restarted(tmp_path) as room:
        row = await room.store.requests.get("r1")
        assert row is not None
        assert (str(row.state), "command is gone" in row.reason) == ("expired", True)


async def test_another_channels_requests_are_not_queued_here(tmp_path: Path) -> None:
    async with opened(tmp_path, name="first") as room:
        await waiting(room, "ann")
    async with restarted(tmp_path, name="second") as room:
        assert (room.status().pending, room.easel.drawn) == ((), [])
