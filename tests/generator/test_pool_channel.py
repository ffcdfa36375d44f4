"""A picture on a slot that is lost, hangs or crashes: what comes all the same, and what takes no second slot along."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.errors import BackendDied, BackendError, BackendLost, ContentRefused, Unsupported
from streamer.generator.pool import Pool
from streamer.generator.pool_channel import PoolChannel, draw_once
from streamer.interfaces import Abilities, Health, HealthState
from streamer.types import Frame, Lane, Preview, RequestKind
from tests.support.easy_slot import EasySlot
from tests.support.generation import AT_ONCE, all_ready, draw_leased, processes, request, running_pool

LOST = BackendLost("the connection was lost")


async def turn() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
async def test_a_picture_whose_process_is_killed_is_drawn_by_the_other_one(tmp_path: Path) -> None:
    slots = processes(tmp_path)
    async with running_pool(slots) as pool:
        await all_ready(pool)
        async with PoolChannel(pool).lease(Lane.CHAT) as lease:
            assert lease is not None
            items = lease.draw(request("endless", steps=50))
            await anext(items)
            assert slots[0].pid is not None
            os.kill(slots[0].pid, signal.SIGKILL)
            *again, frame = [item async for item in items]
        assert isinstance(frame, Frame)
        assert [item.step for item in again if isinstance(item, Preview)][-1] == 50, "drawn again to its last step"
        assert (slots[0].restarts, slots[1].restarts) == ({"killed": 1}, {})


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
async def test_a_picture_that_gets_every_process_killed_takes_two_and_then_none(tmp_path: Path) -> None:
    async with running_pool(processes(tmp_path, 3)) as pool:
        await all_ready(pool)
        channel = PoolChannel(pool)
        with pytest.raises(BackendLost):
            await draw_leased(channel, request("kill"))
        assert pool.restarts == {"killed": 2}
        with pytest.raises(ContentRefused):
            await draw_leased(channel, request("kill", seed=2))
        assert pool.restarts == {"killed": 2}


@pytest.mark.parametrize(("prompt", "cause"), [("segfault", "crash"), ("hang", "hang"), ("lose the GPU", "gpu")])
async def test_a_picture_that_ended_a_slot_itself_is_given_to_no_other(tmp_path: Path, prompt: str, cause: str) -> None:
    async with running_pool(processes(tmp_path, options=AT_ONCE.model_copy(update={"step_timeout_s": 1.0}))) as pool:
        await all_ready(pool)
        channel = PoolChannel(pool)
        drawing = asyncio.create_task(draw_leased(channel, request(prompt)))
        assert isinstance((await draw_leased(channel, request("meanwhile")))[-1], Frame)
        with pytest.raises(BackendDied):
            await drawing
        assert pool.restarts == {cause: 1}
        with pytest.raises(BackendDied):
            await draw_leased(channel, request(prompt, seed=2))
        with pytest.raises(ContentRefused):
            await draw_leased(channel, request(prompt, seed=3))
        assert pool.restarts == {cause: 2}


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
async def test_the_only_process_of_this_computer_fails_the_picture_at_once_as_ever(tmp_path: Path) -> None:
    async with running_pool(processes(tmp_path, 1)) as pool:
        with pytest.raises(BackendDied, match="killed from outside"):
            await draw_leased(PoolChannel(pool), request("kill"))
        assert isinstance((await draw_leased(PoolChannel(pool), request("fine")))[-1], Frame)


async def test_the_only_slot_elsewhere_draws_the_picture_when_it_is_found_again() -> None:
    slot = EasySlot()
    async with running_pool([slot]) as pool:
        drawing = asyncio.create_task(draw_leased(PoolChannel(pool), request("a")))
        await turn()
        slot.finish(LOST, then=HealthState.COLD)
        await turn()
        assert slot.drawn == ["a"]
        slot.become(HealthState.READY)
        await turn()
        assert slot.drawn == ["a", "a"]
        slot.finish()
        assert isinstance((await drawing)[-1], Frame)


async def test_a_lost_picture_goes_before_everybody_who_waits() -> None:
    one, two = EasySlot("one"), EasySlot("two")
    async with running_pool([one, two]) as pool:
        lost, other, waiting = (
            asyncio.create_task(draw_leased(PoolChannel(pool), request(prompt))) for prompt in ("lost", "b", "c")
        )
        await turn()
        one.finish(LOST, then=HealthState.COLD)
        await turn()
        two.finish()
        await turn()
        assert two.drawn == ["b", "lost"]
        two.finish()
        await turn()
        two.finish()
        await asyncio.gather(lost, other, waiting)


async def test_a_picture_that_finds_no_second_slot_in_time_has_failed() -> None:
    slot = EasySlot()
    async with running_pool([slot], deadline_s=0.05) as pool:
        drawing = asyncio.create_task(draw_leased(PoolChannel(pool), request("a")))
        await turn()
        slot.finish(LOST, then=HealthState.COLD)
        with pytest.raises(BackendError, match="could draw it in time"):
            await drawing


@pytest.mark.parametrize("lost", [False, True])
async def test_a_cancelled_picture_ends_at_once_also_while_it_waits_for_another_slot(lost: bool) -> None:
    slot = EasySlot()
    async with running_pool([slot]) as pool:
        channel = PoolChannel(pool)
        drawing = asyncio.create_task(draw_leased(channel, request("a")))
        await turn()
        if lost:
            slot.finish(LOST, then=HealthState.COLD)
            await turn()
        channel.cancel("another one")
        PoolChannel(pool).cancel("a-1")
        await turn()
        assert not drawing.done()
        channel.cancel("a-1")
        with pytest.raises(BackendError, match="stopped"):
            await drawing
        slot.become(HealthState.READY)
        await turn()
        assert slot.drawn == ["a"]


async def test_a_picture_that_a_slot_cannot_draw_goes_to_one_that_can() -> None:
    painter, model = EasySlot("painter"), EasySlot("model")
    painter.abilities = Abilities(edits=False)
    edit = replace(request("edit"), kind=RequestKind.EDIT)
    async with running_pool([painter, model]) as pool:
        drawing = asyncio.create_task(draw_leased(PoolChannel(pool), edit))
        await turn()
        assert (painter.drawn, model.drawn) == ([], ["edit"])
        model.finish()
        await drawing
        model.abilities = painter.abilities
        with pytest.raises(Unsupported, match="cannot be changed"):
            await draw_leased(PoolChannel(pool), edit)


async def test_one_picture_for_the_command_line_tells_each_state_and_how_long_it_took() -> None:
    slot, seen = EasySlot(), list[Health]()
    slot.state = HealthState.WARMING

    def note(health: Health) -> None:
        seen.append(health)
        slot.state = HealthState.READY
        slot.go.release()

    frame, seconds = await draw_once(Pool([slot]), request("a"), note)
    assert (frame.data, [health.state for health in seen]) == (b"easy", [HealthState.WARMING])
    assert seconds > 0
    slot.state = HealthState.FAILED
    with pytest.raises(BackendError, match="drawing"):
        await draw_once(Pool([slot]), request("a"), seen.append)
