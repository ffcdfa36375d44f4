"""An event is waited for, but not for ever."""

from __future__ import annotations

import asyncio

import pytest

from streamer.integrations.waiting import wait_for_event


async def test_it_returns_when_the_event_is_set() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    async with asyncio.timeout(5):
        await wait_for_event(event, None)


async def test_it_returns_when_the_time_is_up() -> None:
    event = asyncio.Event()
    async with asyncio.timeout(5):
        await wait_for_event(event, 0.01)
    assert not event.is_set()


async def test_a_cancellation_that_comes_with_the_event_is_not_lost() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_for_event(event, 5))
    await asyncio.sleep(0)
    event.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
