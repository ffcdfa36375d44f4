"""Whose turn it is to be drawn, and who preempts whom; the whole way is tested with the pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.errors import ContentRefused
from streamer.moderation.bans import StrikeOptions, Strikes
from streamer.pipeline.draw import may_draw, preempt
from streamer.types import Frame, RequestState, Role
from tests.support.show import Room, opened


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """A show without its loops."""
    room = Room(tmp_path, at_least_s=5)
    await room.store.open()
    yield room
    await room.store.close()


def shown(room: Room, request_id: str) -> None:
    """Put a picture on the background."""
    frame = Frame(request_id, "background", "image/jpeg", b"", 1, 1)
    room.stage.show(frame, None, room.now, room.now)


async def test_a_viewers_picture_waits_until_its_layer_is_free_and_the_streamers_does_not(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    await room.say("!bg forest", "me", Role.BROADCASTER)
    shown(room, "before")
    room.show.pacing.keep("background", "before", room.now)
    drawable = {request.actor.name: may_draw(room.show, request) for request in room.status().pending}
    assert drawable == {"ann": False, "me": True}
    first = room.channel.draw.next()
    assert first is not None
    assert first.actor.name == "me"
    assert room.channel.draw.next() is None
    room.now += 5
    second = room.channel.draw.next()
    assert second is not None
    assert second.actor.name == "ann"


async def test_nothing_is_drawn_while_requests_are_switched_off(room: Room) -> None:
    await room.say("!bg forest", "me", Role.BROADCASTER)
    (queued,) = room.status().pending
    await room.controls.panic()
    assert not may_draw(room.show, queued)


async def test_the_streamers_request_preempts_a_viewers_drawing_and_not_in_game_mode(room: Room) -> None:
    await room.say("!bg harbour", "ann")
    drawn = room.channel.draw.next()
    assert drawn is not None
    with room.show.active.of(drawn):
        await room.controls.release_gpu()
        await room.say("!bg forest", "me", Role.BROADCASTER)
        assert room.easel.cancelled == []
        await room.controls.reclaim_gpu()
        (own,) = room.status().pending
        preempt(room.show, own)
        assert room.easel.cancelled == [drawn.id]


async def test_what_the_generator_will_not_draw_is_a_refusal_that_counts_against_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path, same_s=60) as room:
        room.show.strikes = Strikes(StrikeOptions(limit=1), room.show.bans)
        request_id = await room.say("!bg harbour", "ann")
        await room.until(lambda: room.easel.drawn)
        room.easel.fault = ContentRefused("the picture server refused to draw this")
        room.easel.go.release()
        await room.until(lambda: room.status().drawing is None)
        row = await room.store.requests.get(request_id)
        assert row is not None
        assert (row.state, row.rule, row.reason) == (
            RequestState.REFUSED, "generator", "the picture server refused to draw this",
        )  # fmt: skip
        assert not room.status().bans
        again = await room.admit.submit(room.trigger("!bg harbour", "tom"))
        assert (again.outcome, again.rule) == ("refused", "generator")
        assert len(room.easel.drawn) == 1, "the same words are not tried again at once"
