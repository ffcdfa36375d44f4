"""The way out: pages at once, outputs soon, and every request one end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.overlay.hub import Hub
from streamer.overlay.layer_options import LayerOptions
from streamer.pipeline.metrics import Metrics
from streamer.pipeline.publisher import Publisher
from streamer.pipeline.stage import Stage
from streamer.storage.store import Store, StoreOptions
from streamer.types import Clear, Ended, Event, Frame, Refusal, RequestState, Toast
from tests.support.cleared_frames import cleared, opened
from tests.support.examples import REQUEST, frame


class Notebook:
    def __init__(self) -> None:
        self.events: list[Event] = []

    async def publish(self, event: Event) -> None:
        self.events.append(event)


class Desk:
    """An Air with everything behind it."""

    def __init__(self, home: Path) -> None:
        self.hub = Hub({"background": LayerOptions(use="background"), "meme": LayerOptions(use="popup")})
        self.stage, self.store, self.metrics = Stage(("background", "meme")), Store.at(home, StoreOptions()), Metrics()
        self.notes = Notebook()
        opened(self.hub)
        self.air = Publisher(self.hub, self.stage, self.store, self.metrics, [self.notes])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    await made.store.open()
    yield made
    await made.store.close()


async def test_an_event_reaches_the_pages_at_once_and_the_outputs_soon(desk: Desk) -> None:
    page = desk.hub.join()
    desk.air.publish(cleared(frame("r1")))
    assert page.take(0.0) is not None
    assert desk.notes.events == []
    telling = asyncio.create_task(desk.air.run())
    while not desk.notes.events:
        await asyncio.sleep(0)
    telling.cancel()
    assert desk.notes.events == [cleared(frame("r1"))]


async def test_a_slow_output_keeps_no_other_waiting_and_both_are_waited_for(desk: Desk) -> None:
    class Slow(Notebook):
        go = asyncio.Event()

        async def publish(self, event: Event) -> None:
            await self.go.wait()
            await super().publish(event)

    slow = Slow()
    air = Publisher(desk.hub, desk.stage, desk.store, desk.metrics, [slow, desk.notes])
    telling = asyncio.create_task(air.run())
    air.notify(Toast("r1", "hello"))
    told = asyncio.create_task(air.notified())
    while not desk.notes.events:
        await asyncio.sleep(0)
    assert (slow.events, told.done()) == ([], False)
    slow.go.set()
    await told
    telling.cancel()
    assert slow.events == desk.notes.events


async def test_what_stays_on_air_is_noted_for_a_restart_and_a_popup_is_not(desk: Desk) -> None:
    await desk.store.requests.accept(REQUEST)
    await desk.store.pictures.keep(REQUEST, frame("r1"), "v1")
    await desk.store.pictures.clear_on_air("background")
    desk.air.show(desk.stage.show(cleared(frame("r1")), None, 1.0, 1.0))
    desk.air.show(desk.stage.show(cleared(Frame("r1", "meme", "image/jpeg", b"", 1, 1)), 8.0, 1.0, 1.0))
    assert [kept.layer for kept in await desk.store.pictures.on_air()] == ["background"]
    desk.air.show([Clear("background")])
    assert await desk.store.pictures.on_air() == []


async def test_an_end_is_stored_counted_and_told(desk: Desk) -> None:
    await desk.store.requests.accept(REQUEST)
    desk.air.end([REQUEST], RequestState.EXPIRED, "queue", "waited too long")
    row = await desk.store.requests.get("r1")
    assert row is not None
    assert (row.state, row.reason) == ("expired", "waited too long")
    assert desk.metrics.registry.get_sample_value("streamer_requests_total", {"state": "expired"}) == 1
    telling = asyncio.create_task(desk.air.run())
    while not desk.notes.events:
        await asyncio.sleep(0)
    telling.cancel()
    assert desk.notes.events == [
        Refusal("r1", "queue", "waited too long"),
        Ended(REQUEST, RequestState.EXPIRED, "queue", "waited too long"),
    ]


async def test_each_change_has_a_new_version(desk: Desk) -> None:
    before = desk.air.version
    desk.air.publish(Toast("t", "hello"))
    desk.air.mark_dirty()
    assert desk.air.version == before + 2
