"""The outbox of an output: in order, bounded, and what is owed arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from streamer.pipeline.outbox import OUTBOX, Outbox
from streamer.types import Ended, Event, Forgotten, Redemption, RequestState, Retraction, Toast
from tests.support.examples import REQUEST, frame

PAID = replace(REQUEST, redemption=Redemption("redemption-1", "ours"))


class Notebook:
    def __init__(self) -> None:
        self.events: list[Event] = []

    async def publish(self, event: Event) -> None:
        if event == Toast("bad", ""):
            raise RuntimeError("a bug")
        self.events.append(event)


async def told(events: Iterable[Event]) -> list[Event]:
    """Put events in while nobody takes any, then let the output have what is left."""
    notes = Notebook()
    outbox = Outbox(notes)
    for event in events:
        outbox.put(event)
    running = asyncio.create_task(outbox.run())
    await outbox.flushed()
    running.cancel()
    return notes.events


def toasts(count: int) -> list[Event]:
    return [Toast(str(number), "hello") for number in range(count)]


async def test_an_output_that_cannot_follow_misses_the_oldest_and_memory_stays_bounded() -> None:
    assert await told(toasts(OUTBOX + 10)) == toasts(OUTBOX + 10)[10:]


@pytest.mark.parametrize(
    "owed", [Forgotten("ann", ("r1",)), Retraction("test", "r2", None, 1.0), Ended(PAID, RequestState.SHOWN)]
)
async def test_what_points_or_a_wish_hang_on_is_never_dropped_and_comes_in_its_turn(owed: Event) -> None:
    assert await told([owed, *toasts(OUTBOX + 10), owed]) == [owed, *toasts(OUTBOX + 10)[10:], owed]


async def test_a_paid_picture_comes_before_its_end() -> None:
    events: list[Event] = [frame("r1"), Ended(PAID, RequestState.SHOWN)]
    assert await told(events) == events


async def test_an_end_that_nobody_paid_for_may_be_dropped() -> None:
    assert Ended(REQUEST, RequestState.SHOWN) not in await told([Ended(REQUEST, RequestState.SHOWN), *toasts(OUTBOX)])


async def test_a_bug_of_an_output_is_logged_and_the_next_event_comes(caplog: pytest.LogCaptureFixture) -> None:
    assert await told([Toast("bad", ""), Toast("good", "")]) == [Toast("good", "")]
    assert "an output failed on Toast" in caplog.text


async def test_what_an_output_fails_on_is_its_fault_until_it_succeeds() -> None:
    outbox = Outbox(Notebook())
    running = asyncio.create_task(outbox.run())
    assert outbox.fault() is None
    outbox.put(Toast("bad", ""))
    outbox.put(Forgotten("ann", ()))
    await outbox.flushed()
    fault = outbox.fault()
    assert fault is not None
    assert (fault.name, fault.state) == ("test_outbox", "failed")
    assert "failed on Toast: RuntimeError: a bug" in fault.detail
    outbox.put(Toast("good", ""))
    await outbox.flushed()
    assert outbox.fault() is None
    running.cancel()


async def test_an_output_that_misses_events_is_too_slow_until_it_has_caught_up() -> None:
    outbox = Outbox(Notebook())
    for event in toasts(OUTBOX + 3):
        outbox.put(event)
    fault = outbox.fault()
    assert fault is not None
    assert (fault.state, fault.detail) == ("limited", "too slow: it missed 3 events")
    running = asyncio.create_task(outbox.run())
    await outbox.flushed()
    await asyncio.sleep(0)
    assert outbox.fault() is None
    running.cancel()
