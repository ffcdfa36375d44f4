"""Presses on their way from a thread to the loop: in order, bounded, and the thread learns that nobody listens."""

from __future__ import annotations

import threading

import pytest

from streamer.triggers._device_thread import MAX_QUEUED, ReportPress, device_presses


async def test_presses_arrive_in_order_and_end_with_the_thread() -> None:
    def watch(report: ReportPress, closed: threading.Event) -> None:
        for name in ("a", "b", None):
            report(name)

    presses = [press async for press in device_presses("pad", watch)]
    assert [(press.source, press.name) for press in presses] == [("pad", "a"), ("pad", "b")]
    assert presses[0].id != presses[1].id
    assert presses[0].at <= presses[1].at


async def test_the_thread_is_named_and_told_when_nobody_listens_any_more() -> None:
    left = threading.Event()

    def watch(report: ReportPress, closed: threading.Event) -> None:
        report(threading.current_thread().name)
        assert closed.wait(20)
        left.set()

    presses = device_presses("pad", watch)
    assert (await anext(presses)).name == "pad"
    await presses.aclose()
    assert left.wait(20)


async def test_a_flood_drops_the_oldest_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def watch(report: ReportPress, closed: threading.Event) -> None:
        for number in range(MAX_QUEUED + 3):
            report(str(number))
        report(None)

    presses = [press.name async for press in device_presses("pad", watch)]
    assert len(presses) <= MAX_QUEUED + 3
    assert presses[-1] == str(MAX_QUEUED + 2)
    assert presses == sorted(presses, key=int)


def test_a_thread_that_outlives_the_loop_harms_nothing() -> None:
    import asyncio

    reported = threading.Event()

    def watch(report: ReportPress, closed: threading.Event) -> None:
        report("a")
        closed.wait(20)
        report("late")
        reported.set()

    async def listen() -> str:
        presses = device_presses("pad", watch)
        name = (await anext(presses)).name
        await presses.aclose()
        return name

    assert asyncio.run(listen()) == "a"
    assert reported.wait(20)
