"""The registry of pages: what each page is, and the first paint of every finished picture."""

from __future__ import annotations

import asyncio

import pytest

from streamer.overlay import wire
from streamer.overlay.hub import Hub
from streamer.overlay.page_registry import ClientInfo
from tests.support.cleared_frames import opened
from tests.support.overlay_updates import LAYERS, frame, preview


@pytest.fixture
def hub() -> Hub:
    return opened(Hub(LAYERS, wall=lambda: 1000.0))


def test_pages_are_listed_with_what_they_run_in(hub: Hub) -> None:
    page = hub.join(frozenset({"meme"}), ClientInfo(obs="31.0.2", engine="Chrome 127"))
    hub.join()
    hub.pages.update_visibility(page, visible=False, active=False)
    first, second = hub.pages.describe()
    assert (first.layers, first.obs, first.engine, first.visible, first.active) == (
        ("meme",), "31.0.2", "Chrome 127", False, False,
    )  # fmt: skip
    assert second.layers is None
    assert hub.pages.count == 2
    hub.pages.remove(page)
    hub.pages.remove(page)
    hub.pages.update_visibility(page, visible=True, active=True)
    assert hub.pages.count == 1


def test_a_page_shows_what_is_in_flight_and_how_fast_it_answers(hub: Hub) -> None:
    page = hub.join()
    hub.publish(frame("a"))
    page.take(5.0)
    assert hub.pages.describe()[0].in_flight == 1
    hub.pages.painted(page, wire.Painted(seq=1, request_id="a", layer="background"), 5.025)
    assert (hub.pages.describe()[0].in_flight, hub.pages.describe()[0].ack_ms) == (0, 25.0)


async def test_the_paint_of_a_preview_is_not_told(hub: Hub) -> None:
    page = hub.join()
    paints = hub.pages.paints()
    first = asyncio.ensure_future(anext(paints))
    await asyncio.sleep(0)
    hub.publish(preview("a"))
    page.take(0.0)
    hub.pages.painted(page, wire.Painted(seq=1, request_id="a", layer="background"), 1.0)
    hub.publish(frame("a"))
    page.take(1.0)
    hub.pages.painted(page, wire.Painted(seq=2, request_id="forged", layer="background"), 2.0)
    assert (await first).seq == 2
    assert (await first).request_id == "a"
    await paints.aclose()  # type: ignore[attr-defined]


async def test_paints_tell_the_first_page_only_and_not_what_was_skipped(hub: Hub) -> None:
    pages = [hub.join(), hub.join()]
    paints = hub.pages.paints()
    first = asyncio.ensure_future(anext(paints))
    await asyncio.sleep(0)
    hub.publish(frame("a"))
    hub.publish(frame("m", "meme"))
    for page in pages:
        while page.take(0.0) is not None:
            pass
    hub.pages.painted(pages[0], wire.Painted(seq=1, request_id="a", layer="background", shown=False), 1.0)
    hub.pages.painted(pages[1], wire.Painted(seq=1, request_id="forged", layer="meme"), 1.5)
    hub.pages.painted(pages[1], wire.Painted(seq=1, request_id="a", layer="background"), 2.0)
    hub.pages.painted(pages[1], wire.Painted(seq=1, request_id="a", layer="background"), 2.5)
    hub.pages.painted(pages[0], wire.Painted(seq=99, request_id="forged", layer="background"), 2.6)
    hub.pages.painted(pages[0], wire.Painted(seq=2, request_id="m", layer="meme"), 3.0)
    hub.pages.painted(pages[1], wire.Painted(seq=2, request_id="m", layer="meme"), 4.0)
    assert [((await first).request_id), (await anext(paints)).at] == ["a", 3.0]
    waiting = asyncio.ensure_future(anext(paints))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await paints.aclose()  # type: ignore[attr-defined]
    assert hub.pages._readers == []
