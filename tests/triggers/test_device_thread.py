"""Presses on their way from a thread to the loop: in order, bounded, and the thread learns that nobody listens."""

from __future__ import annotations

import threading

import pytest

from streamer.triggers._device_thread import WAITING, Tell, presses


async def test_what_the_thread_tells_comes_in_order_and_ends_with_it() -> None:
    def watch(tell: Tell, closed: threading.Event) -> None:
        for name in ("a", "b", None):
            tell(name)

    heard = [press async for press in presses("pad", watch)]
    assert [(press.source, press.name) for press in heard] == [("pad", "a"), ("pad", "b")]
    assert heard[0].id != heard[1].id
    assert heard[0].at <= heard[1].at


async def test_the_thread_is_named_and_told_when_nobody_listens_any_more() -> None:
    left = threading.Event()

    def watch(tell: Tell, closed: threading.Event) -> None:
        tell(threading.current_thread().name)
        assert closed.wait(20)
        left.set()

    heard = presses("pad", watch)
    assert (await anext(heard)).name == "pad"
    await heard.aclose()
    assert left.wait(20)


async def test_a_flood_drops_the_oldest_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def watch(tell: Tell, closed: threading.Event) -> None:
        for number in range(WAITING + 3):
            tell(str(number))
        tell(None)

    heard = [press.name async for press in presses("pad", watch)]
    assert len(heard) <= WAITING + 3
    assert heard[-1] == str(WAITING + 2)
    assert heard == sorted(heard, key=int)


def test_a_thread_that_outlives_the_loop_harms_nothing() -> None:
    import asyncio

    told = threading.Event()

    def watch(tell: Tell, closed: threading.Event) -> None:
        tell("a")
        closed.wait(20)
        tell("late")
        told.set()

    async def listen() -> str:
        heard = presses("pad", watch)
        name = (await anext(heard)).name
        await heard.aclose()
        return name

    assert asyncio.run(listen()) == "a"
    assert told.wait(20)
