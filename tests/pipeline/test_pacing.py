"""A picture is safe for a while, for a shorter one when many wait, and only while it is on air or comes there."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from streamer.pipeline.pacing import AirTime
from streamer.types import Retraction, Role
from tests.support.show import Room, held, opened

AT_LEAST_S = 1000.0


@pytest.mark.parametrize(("waiting", "seconds"), [(0, 6.0), (1, 6.0), (2, 4.0), (3, 3.0), (5, 2.0), (50, 2.0)])
def test_the_time_on_air_falls_from_the_usual_one_to_the_least_while_more_wait(waiting: int, seconds: float) -> None:
    assert AirTime(6.0, 2.0).among(waiting) == seconds


def test_the_time_on_air_stays_as_it_is_when_the_least_is_no_less() -> None:
    assert [AirTime(3.0, 5.0).among(waiting) for waiting in (1, 9)] == [3.0, 3.0]
    assert AirTime().among(3) == 0.0


async def test_a_layer_is_kept_from_the_moment_on_which_its_picture_is_shown(tmp_path: Path) -> None:
    async with opened(tmp_path, AT_LEAST_S) as room:
        await room.say("!bg harbour")
        assert room.show.pacing.free_at("background", 1) == -math.inf
        await room.draw_next()
        assert room.show.pacing.free_at("background", 1) == room.now + AT_LEAST_S
        assert room.show.pacing.free_at("meme", 1) == -math.inf


def command(line: str) -> Callable[[Room, str], Awaitable[object]]:
    return lambda room, request_id: room.order(line)


async def panic_and_resume(room: Room, request_id: str) -> None:
    await room.order("!panic")
    await room.order("!resume")


TAKEN_DOWN: dict[str, Callable[[Room, str], Awaitable[object]]] = {
    "clear": command("!clear"),
    "undo": command("!undo"),
    "panic": panic_and_resume,
    "ban": command("!ban ann"),
    "deleted message": lambda room, request_id: room.controls.retract(Retraction("test", request_id, None, room.now)),
    "forgotten": lambda room, request_id: room.moderator.forget("ann"),
}


@pytest.mark.parametrize("take_down", TAKEN_DOWN.values(), ids=TAKEN_DOWN)
async def test_after_a_picture_was_taken_down_the_next_one_comes_at_once(
    tmp_path: Path, take_down: Callable[[Room, str], Awaitable[object]]
) -> None:
    async with opened(tmp_path, AT_LEAST_S) as room:
        await room.say("!bg first", "zoe", Role.BROADCASTER)
        await room.draw_next()
        room.controls.skip()
        request_id = await room.say("!bg harbour", "ann")
        await room.draw_next()
        assert room.on_air() == b"harbour"
        await take_down(room, request_id)
        await room.say("!bg forest", "ben")
        await room.draw_next()
        assert room.on_air() == b"forest"


async def cut(room: Room, request_id: str) -> None:
    await room.order("!cut")


async def deny(room: Room, request_id: str) -> None:
    assert await room.moderator.deny(request_id, "mod")


@pytest.mark.parametrize("stop", [cut, deny])
async def test_after_a_picture_was_stopped_on_its_way_the_next_one_is_drawn_at_once(
    tmp_path: Path, stop: Callable[[Room, str], Awaitable[object]]
) -> None:
    async with opened(tmp_path, 20.0, delay_s=10) as room:
        request_id = await held(room, "!bg harbour", "ann")
        await room.say("!bg forest", "ben")
        for _ in range(20):
            await asyncio.sleep(0)
        assert room.status().drawing is None, "ben waits until ann's picture has been seen"
        await stop(room, request_id)
        await room.draw_next()
        assert [one.request.actor.name for one in room.status().held] == ["ben"]


async def test_a_delayed_picture_that_has_to_wait_for_a_moderator_does_not_keep_its_layer(tmp_path: Path) -> None:
    async with opened(tmp_path, 20.0, delay_s=10) as room:
        await held(room, "!bg harbour", "ann")
        await room.say("!bg forest", "ben")
        await room.order("!pause")
        room.now += 10
        await room.until(lambda: not room.status().held[0].auto_release)
        await room.order("!resume")
        await room.draw_next()
        assert room.easel.drawn[-1].actor.name == "ben"


async def test_after_next_a_picture_may_be_replaced_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path, AT_LEAST_S) as room:
        await room.say("!bg harbour")
        await room.draw_next()
        room.controls.skip()
        assert room.show.pacing.kept() == {}


async def test_a_picture_that_is_shown_again_is_seen_for_a_while(tmp_path: Path) -> None:
    async with opened(tmp_path, AT_LEAST_S) as room:
        first = await room.say("!bg harbour")
        await room.draw_next()
        await room.say("!bg forest", "me", Role.BROADCASTER)
        await room.draw_next()
        assert await room.controls.show_again(first)
        assert room.show.pacing.kept() == {"background": room.now}
