"""Only time in which the show could draw counts as waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from streamer.interfaces import Health, HealthState
from streamer.pipeline.patience import LONGEST_STOP_S, stop_limit
from streamer.types import Notice, NoticeKind, Role
from tests.support.show import Easel, Room, opened

LONG_S = 600.0


class Lazy(Easel):
    """A generator that can be not ready."""

    state = HealthState.READY

    def health(self) -> Health:
        return Health("generator", self.state)


async def order(room: Room, line: str) -> None:
    await room.order(line)


async def notice(room: Room, kind: NoticeKind, text: str = "") -> None:
    await room.admit.observe(Notice("test", kind, room.now, text=text))


async def turn(room: Room, state: HealthState) -> None:
    assert isinstance(room.easel, Lazy)
    room.easel.state = state
    (room.easel.here.set if state is HealthState.READY else room.easel.here.clear)()


Change = Callable[[Room], Awaitable[None]]
STOPS: dict[str, tuple[Change, Change]] = {
    "paused": (lambda room: order(room, "!pause"), lambda room: order(room, "!resume")),
    "Shield Mode": (lambda room: notice(room, NoticeKind.SHIELD_ON), lambda room: notice(room, NoticeKind.SHIELD_OFF)),
    "quiet scene": (
        lambda room: notice(room, NoticeKind.SCENE, "Break"), lambda room: notice(room, NoticeKind.SCENE, "Other")
    ),
    "game mode": (lambda room: room.controls.release_gpu(), lambda room: room.controls.reclaim_gpu()),
    "generator restarts": (
        lambda room: turn(room, HealthState.COLD), lambda room: turn(room, HealthState.READY)
    ),
}  # fmt: skip


@pytest.mark.parametrize(("stop", "go_on"), STOPS.values(), ids=STOPS)
async def test_a_stop_however_long_costs_nobody_their_picture(tmp_path: Path, stop: Change, go_on: Change) -> None:
    async with opened(tmp_path, generator=Lazy()) as room:
        room.show.raid_mode.alarm = lambda now: ""  # type: ignore[method-assign]
        await room.say("!bg blocker", "zoe")
        await room.until(lambda: room.easel.drawn)
        request_id = await room.say("!bg harbour", "ann")
        await stop(room)
        room.easel.go.release()
        await room.until(lambda: room.status().drawing is None)
        await room.channel.timekeeper.tick(room.now)
        room.now += LONG_S
        await room.channel.timekeeper.tick(room.now)
        assert await room.state(request_id) == "queued"
        await go_on(room)
        await room.draw_next()
        assert room.on_air() == b"harbour"


async def test_what_is_left_of_the_time_counts_on_after_a_pause(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.say("!bg blocker", "zoe")
        await room.until(lambda: room.easel.drawn)
        request_id = await room.say("!bg harbour", "ann")
        room.now += 20
        await room.order("!pause")
        await room.channel.timekeeper.tick(room.now)
        room.now += LONG_S
        await room.order("!resume")
        await room.channel.timekeeper.tick(room.now)
        room.now += 9.9
        await room.channel.timekeeper.tick(room.now)
        assert await room.state(request_id) == "queued"
        room.now += 0.2
        await room.channel.timekeeper.tick(room.now)
        assert await room.state(request_id) == "expired"


async def test_nobody_waits_for_the_end_of_a_stop_that_never_ends(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.say("!bg blocker", "zoe")
        await room.until(lambda: room.easel.drawn)
        request_id = await room.say("!bg harbour", "ann")
        await room.order("!pause")
        await room.channel.timekeeper.tick(room.now)
        room.now += LONGEST_STOP_S
        await room.channel.timekeeper.tick(room.now)
        row = await room.store.requests.get(request_id)
        assert row is not None
        assert (str(row.state), row.rule, row.reason) == (
            "expired", "waited", "your picture waited too long, nothing could be drawn",
        )  # fmt: skip


async def test_a_pause_does_not_stop_the_streamers_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as room:
        await room.order("!pause")
        limit_s = stop_limit(room.show)
        await room.say("!bg mine", "me", Role.BROADCASTER)
        await room.until(lambda: room.easel.drawn)
        assert limit_s(room.easel.drawn[0]) is None
