"""Answers end their drawing when nobody waits any more, and streams say that they are alive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from streamer.api.v1 import events, faults
from streamer.api.v1.answers import Asking, EventStream, stream_of, unless_gone, with_pauses
from streamer.api.v1.faults import Fault
from streamer.api.v1.links import Links
from streamer.api.v1.options import PictureApiOptions
from streamer.api.v1.picture_api import DrawnPictures, EncodedPicture, PictureApi
from streamer.api.v1.schemas import Ask, OutputFormat
from streamer.api.v1.tenants import Limits, Tenant, Tenants
from streamer.storage.store import Store, StoreOptions
from streamer.types import Preview

DRAWN = DrawnPictures((EncodedPicture("image/jpeg", b"picture"),), 0.5, 0.25)


class Told(Asking):
    """A request whose items the test decides."""

    __slots__ = ("given",)

    def items(self) -> AsyncIterator[Preview | DrawnPictures]:
        given: AsyncIterator[Preview | DrawnPictures] = self.given  # type: ignore[attr-defined]
        return given


def asking(given: AsyncIterator[Any], partial_images: int = 2) -> Asking:
    options = PictureApiOptions()
    store = Store.at(Path("nowhere"), StoreOptions())
    api = PictureApi(options, Tenants(options), None, store.tenants, tuple, Links(60))  # type: ignore[arg-type]
    ask = Ask("a fox", 1, 64, 48, None, False, OutputFormat.JPEG, None, True, partial_images)
    tenant = Tenant("shop", Limits(10, 0, 1, 0.5, True))
    told = Told(api, tenant, ask, "", "image_generation", "http://here")
    object.__setattr__(told, "given", given)
    return told


def preview(step: int, data: bytes = b"small") -> Preview:
    return Preview("r", "", step, 4, "image/jpeg", data, 8, 8)


def contents(sent: list[bytes]) -> list[dict[str, Any]]:
    """Return the contents of the events; comments have none."""
    return [json.loads(one.split(b"data: ")[1]) for one in sent if one.startswith(b"event:")]


async def test_a_stream_sends_so_many_partial_images_and_the_picture() -> None:
    async def items() -> AsyncIterator[Preview | DrawnPictures]:
        for step in range(1, 5):
            yield preview(step, b"" if step == 1 else b"small")
        yield DRAWN

    sent = [event async for event in stream_of(asking(items()))]
    found = contents(sent)
    assert [one["type"].rpartition(".")[2] for one in found] == ["partial_image", "partial_image", "completed"]
    assert [one["partial_image_index"] for one in found[:2]] == [0, 1]
    assert (found[-1]["gpu_seconds"], found[-1]["cost"], found[-1]["usage"]["total_tokens"]) == (0.5, 0.25, 0)


async def test_an_error_before_the_first_item_is_raised_and_a_later_one_is_an_event() -> None:
    async def at_once() -> AsyncIterator[Preview]:
        raise faults.refused("no")
        yield preview(1)

    async def later() -> AsyncIterator[Preview]:
        yield preview(1)
        raise faults.refused("no")

    with pytest.raises(Fault):
        await anext(stream_of(asking(at_once())))
    found = contents([event async for event in stream_of(asking(later()))])
    assert (found[-1]["type"], found[-1]["error"]["code"]) == ("error", "moderation_blocked")


async def test_a_stream_says_that_it_is_alive_while_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "EVERY_S", 0.0)
    ready = asyncio.Event()

    async def items() -> AsyncIterator[DrawnPictures]:
        await ready.wait()
        yield DRAWN

    stream = stream_of(asking(items()))
    assert [await anext(stream) for _ in range(3)] == [events.COMMENT] * 3
    ready.set()
    assert contents([event async for event in stream])[-1]["type"] == "image_generation.completed"


async def test_closing_what_pauses_closes_what_it_reads() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    items = with_pauses(endless(), 0.0)
    assert await anext(items) == 1
    assert await anext(items) is None
    await items.aclose()
    assert closed.is_set()


def request_that(*messages: str) -> Request:
    """Make a request whose client sends these messages and then nothing."""
    left = iter(messages)

    async def receive() -> dict[str, str]:
        for message in left:
            return {"type": message}
        await asyncio.Event().wait()
        raise AssertionError

    return Request({"type": "http"}, receive)


async def test_work_is_cancelled_when_the_client_leaves() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(Fault) as caught:
        await unless_gone(request_that("http.request", "http.disconnect"), work)
    assert caught.value.status_code == 499
    assert cancelled.is_set()


async def test_the_result_of_work_and_its_error_come_through() -> None:
    async def result() -> int:
        return 7

    async def error() -> int:
        raise faults.busy("later")

    assert await unless_gone(request_that(), result) == 7
    with pytest.raises(Fault, match="later"):
        await unless_gone(request_that(), error)


async def test_a_stream_that_the_client_leaves_is_closed() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b": more\n\n"
                await asyncio.sleep(0)
        finally:
            closed.set()

    stream = endless()
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    response = EventStream(await anext(stream), stream, {"x-extra": "kept"})
    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    await response(scope, request_that("http.disconnect").receive, send)
    assert closed.is_set()
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-extra"] == "kept"
