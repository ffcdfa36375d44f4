"""Several slots behind one generator: who gets which, when, and who gets it next."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from streamer.generator.pool import Pool
from streamer.generator.pool_channel import PoolChannel
from streamer.interfaces import Health, HealthState
from streamer.types import Frame, Lane
from tests.support.easy_slot import EasySlot
from tests.support.generation import draw_leased, request, running_pool


async def turn() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def asks(channel: PoolChannel, prompt: str, lane: Lane = Lane.CHAT) -> asyncio.Task[object]:
    return asyncio.create_task(draw_leased(channel, request(prompt), lane), name=prompt)


async def test_each_picture_gets_the_first_slot_that_is_free() -> None:
    first, second = EasySlot("one"), EasySlot("two")
    async with running_pool([first, second]) as pool:
        drawing = [asks(PoolChannel(pool), prompt) for prompt in ("a", "b", "c")]
        await turn()
        assert (first.drawn, second.drawn) == (["a"], ["b"])
        second.finish()
        await turn()
        assert (first.drawn, second.drawn) == (["a"], ["b", "c"])
        first.finish()
        second.finish()
        frames = [items[-1] for items in await asyncio.gather(*drawing)]  # type: ignore[index]
        assert [frame.data for frame in frames if isinstance(frame, Frame)] == [b"one", b"two", b"two"]


async def test_a_slot_that_becomes_ready_later_is_taken_then() -> None:
    slot = EasySlot()
    slot.state = HealthState.WARMING
    async with running_pool([slot]) as pool:
        drawing = asks(PoolChannel(pool), "a")
        await turn()
        assert slot.drawn == []
        slot.become(HealthState.READY)
        await turn()
        assert slot.drawn == ["a"]
        slot.finish()
        await drawing


async def test_the_slot_is_free_for_others_as_soon_as_the_frame_is_there() -> None:
    slot = EasySlot()
    async with running_pool([slot]) as pool, PoolChannel(pool).lease(Lane.CHAT) as lease:
        assert lease is not None
        slot.go.release()
        slot.become(HealthState.READY)
        items = [item async for item in lease.draw(request("a"))]
        slot.become(HealthState.READY)
        other = asks(PoolChannel(pool), "b")
        await turn()
        assert (len(items), slot.drawn) == (2, ["a", "b"]), "while the first channel judges its picture"
        slot.finish()
        await other


async def test_a_key_is_drawn_before_other_channels_chat_and_one_channels_keys_do_not_take_all() -> None:
    slot = EasySlot()
    async with running_pool([slot]) as pool:
        busy, fan, chats = PoolChannel(pool), PoolChannel(pool), [PoolChannel(pool) for _ in range(3)]
        drawing = [asks(busy, "running"), *(asks(chat, f"chat {number}") for number, chat in enumerate(chats))]
        await turn()
        drawing += [asks(fan, "key 1", Lane.BROADCASTER), asks(fan, "key 2", Lane.BROADCASTER)]
        for _ in drawing:
            await turn()
            slot.finish()
        await asyncio.gather(*drawing)
        assert slot.drawn[:2] == ["running", "key 1"]
        assert slot.drawn.index("key 2") > slot.drawn.index("chat 0"), "its second key within two seconds"


async def test_a_flood_of_one_channel_costs_the_others_one_picture_each() -> None:
    slot = EasySlot()
    async with running_pool([slot]) as pool:
        flood, others = PoolChannel(pool), [PoolChannel(pool) for _ in range(3)]
        drawing = [asks(flood, f"flood {number}") for number in range(20)]
        await turn()
        drawing += [asks(other, f"other {number}") for number, other in enumerate(others)]
        for _ in drawing:
            await turn()
            slot.finish()
        await asyncio.gather(*drawing)
        assert {name.split()[0] for name in slot.drawn[1:5]} >= {"other"}
        assert max(slot.drawn.index(f"other {number}") for number in range(3)) <= 5


async def test_whoever_gives_up_waiting_gets_no_slot_and_keeps_none() -> None:
    slot, work = EasySlot(), asyncio.Event()
    async with running_pool([slot]) as pool:
        drawing, channel = asks(PoolChannel(pool), "a"), PoolChannel(pool)
        await turn()
        leaves = asks(PoolChannel(pool), "left")
        waits = asyncio.create_task(channel.lease(Lane.CHAT, work).__aenter__())
        await turn()
        work.set()
        leaves.cancel()
        assert await waits is None
        slot.finish()
        await drawing
        await turn()
        assert (slot.drawn, slot.free) == (["a"], True)
        last = asks(PoolChannel(pool), "b")
        await turn()
        slot.finish()
        await last


async def test_a_slot_that_was_granted_to_somebody_who_is_cancelled_at_that_moment_is_not_lost() -> None:
    slot = EasySlot()
    async with running_pool([slot]) as pool:
        slot.state = HealthState.WARMING
        leaves = asks(PoolChannel(pool), "left")
        await turn()
        slot.state = HealthState.READY
        pool._grant()
        leaves.cancel()
        await asyncio.gather(leaves, return_exceptions=True)
        stays = asks(PoolChannel(pool), "stays")
        await turn()
        assert slot.drawn == ["stays"]
        slot.finish()
        await stays


async def test_a_lease_that_draws_nothing_gives_its_slot_back() -> None:
    slot = EasySlot()
    async with running_pool([slot]) as pool:
        channel = PoolChannel(pool)
        for _ in range(3):
            async with channel.lease(Lane.CHAT) as lease:
                assert lease is not None
                assert lease.active == slot.active


async def test_several_channels_hold_as_many_leases_as_there_are_slots() -> None:
    async with running_pool([EasySlot("one"), EasySlot("two")]) as pool, AsyncExitStack() as stack:
        for _ in range(2):
            assert await stack.enter_async_context(PoolChannel(pool).lease(Lane.CHAT)) is not None
        work = asyncio.Event()
        work.set()
        async with PoolChannel(pool).lease(Lane.CHAT, work) as third:
            assert third is None


async def test_a_standby_draws_only_while_nothing_else_can() -> None:
    main, standby = EasySlot("main"), EasySlot("standby", standby=True)
    async with running_pool([standby, main]) as pool:
        first, second = asks(PoolChannel(pool), "a"), asks(PoolChannel(pool), "b")
        await turn()
        assert (main.drawn, standby.drawn) == (["a"], [])
        main.finish(then=HealthState.COLD)
        await turn()
        assert standby.drawn == ["b"]
        standby.finish()
        await asyncio.gather(first, second)


async def test_game_mode_frees_this_computer_alone_and_says_whether_pictures_stop() -> None:
    here, there = EasySlot("here", here=True), EasySlot("there")
    async with running_pool([here, there]) as pool:
        assert PoolChannel(pool).release_gpu() is False
        assert (here.state, there.state) == (HealthState.PARKED, HealthState.READY)
        PoolChannel(pool).reclaim_gpu()
        there.become(HealthState.COLD)
        assert PoolChannel(pool).release_gpu() is True


@pytest.mark.parametrize("count", [1, 2])
async def test_what_the_pool_says_of_itself_is_what_its_slots_say(count: int) -> None:
    slots = [EasySlot(f"pc{number}") for number in range(count)]
    slots[0].restarts = {"crash": 1, "hang": 2}
    slots[-1].restarts = {"crash": 3}
    pool = Pool(slots)
    channel = PoolChannel(pool)
    assert channel.restarts == pool.restarts == ({"crash": 3} if count == 1 else {"crash": 4, "hang": 2})
    assert channel.health() == pool.health() == Health("generator", HealthState.READY, pool.health().detail)
    assert channel.active == pool.active
    assert channel.abilities == pool.abilities
