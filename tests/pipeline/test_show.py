"""Two shows in one process, with one generator and one store between them: nothing of one leaks into the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from streamer.storage.store import Store, StoreOptions
from streamer.types import Role
from tests.support.show import Easel, Room, held, running

Pair = tuple[Room, Room]


@asynccontextmanager
async def two_shows(home: Path, **options: Any) -> AsyncIterator[Pair]:
    """Run two channels side by side."""
    store, easel = Store.at(home, StoreOptions()), Easel()
    await store.open()
    first, second = (Room(home, name=name, store=store, generator=easel, **options) for name in ("ann", "ben"))
    try:
        async with AsyncExitStack() as stack:
            for room in (first, second):
                await stack.enter_async_context(running(room))
            yield first, second
    finally:
        await store.close()


@pytest.fixture
async def shows(tmp_path: Path) -> AsyncIterator[Pair]:
    async with two_shows(tmp_path) as pair:
        yield pair


async def test_each_picture_goes_on_the_air_of_its_own_channel(shows: Pair) -> None:
    first, second = shows
    await first.say("!bg harbour")
    await first.draw_next()
    await second.say("!bg forest")
    await second.draw_next()
    assert (first.on_air(), second.on_air()) == (b"harbour", b"forest")
    await first.order("!clear")
    assert (first.on_air(), second.on_air()) == (None, b"forest")


async def test_a_panic_a_pause_and_a_style_stay_in_their_channel(shows: Pair) -> None:
    first, second = shows
    await second.say("!bg forest")
    await second.draw_next()
    await first.order("!style noir")
    await first.order("!pause")
    assert (first.status().paused, second.status().paused) == (True, False)
    await first.controls.panic()
    assert (first.status().panicked, second.status().panicked) == (True, False)
    assert second.on_air() == b"forest"
    assert (first.status().style, second.status().style) == ("noir", None)
    assert (await first.admit.submit(first.trigger("!bg pier"))).rule == "panic"
    await second.say("!bg pier", "cat")


async def test_a_ban_and_a_full_turn_count_in_their_channel_alone(shows: Pair) -> None:
    first, second = shows
    await first.order("!ban troll")
    assert (await first.admit.submit(first.trigger("!bg one", "troll"))).rule == "ban"
    await second.say("!bg one", "troll")
    assert [ban.name for ban in second.status().bans] == []
    assert not (await second.moderator.unban("troll")).done
    assert (await first.admit.submit(first.trigger("!bg two", "troll"))).rule == "ban"


async def test_queues_and_held_pictures_are_apart(tmp_path: Path) -> None:
    async with two_shows(tmp_path, mode="on") as (first, second):
        request_id = await held(first)
        assert [picture.request.id for picture in first.status().held] == [request_id]
        assert second.status().held == ()
        assert not await second.moderator.approve(request_id, "mod")
        assert await first.moderator.approve(request_id, "mod")
        assert (first.on_air(), second.on_air()) == (b"harbour", None)


async def test_after_a_restart_each_channel_has_its_own_picture_bans_and_panic(tmp_path: Path) -> None:
    async with two_shows(tmp_path) as (first, second):
        for room, text in ((first, "harbour"), (second, "forest")):
            await room.say(f"!bg {text}")
            await room.draw_next()
        await first.order("!ban troll")
        await second.controls.panic()
    async with two_shows(tmp_path) as (first, second):
        assert (first.on_air(), second.on_air()) == (b"harbour", None)
        assert ([ban.who for ban in first.status().bans], second.status().bans) == (["troll"], ())
        assert (first.status().panicked, second.status().panicked) == (False, True)


async def test_what_a_channel_publishes_reaches_its_own_outputs_alone(shows: Pair) -> None:
    first, second = shows
    await first.order("!queue", Role.MODERATOR)
    await first.until(lambda: any("nobody is waiting" in str(event) for event in first.notes.events))
    assert not any("nobody is waiting" in str(event) for event in second.notes.events)
