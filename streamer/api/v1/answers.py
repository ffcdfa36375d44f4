"""Builds the answers below /v1: JSON, or a stream of events, and stops drawing when nobody waits any more."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from streamer.api.v1 import events, faults, schemas
from streamer.api.v1.faults import Fault
from streamer.api.v1.picture_api import DrawnPictures, PictureApi
from streamer.api.v1.schemas import Ask
from streamer.api.v1.tenants import Tenant
from streamer.types import Preview

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Asking:
    """One request of a tenant; ``event`` begins the names of its events, ``url`` leads to this server."""

    api: PictureApi
    tenant: Tenant
    ask: Ask
    key: str
    event: str
    url: str

    def items(self) -> AsyncIterator[Preview | DrawnPictures]:
        """Draw."""
        return self.api.drawn(self.ask, self.tenant, self.key)

    def headers(self, drawn: DrawnPictures | None = None) -> dict[str, str]:
        """Return the headers that tell a program how much it may still ask for, and that an answer was given before."""
        left = self.tenant.left_this_minute(self.api.now())
        found = {
            "x-ratelimit-limit-requests": str(self.tenant.limits.per_minute),
            "x-ratelimit-remaining-requests": str(left),
        }
        return found | {"idempotent-replayed": "true"} if drawn is not None and drawn.replayed else found


async def answer(request: Request, asking: Asking) -> Response:
    """Draw and answer, all at once or as a stream."""
    if asking.ask.stream:
        stream = stream_of(asking)
        # What is refused at once is an error of HTTP, and no event.
        first = await unless_gone(request, lambda: anext(stream))
        return EventStream(first, stream, asking.headers())
    drawn = await unless_gone(request, lambda: _last(asking.items()))
    return JSONResponse(_images(asking, drawn).model_dump(exclude_none=True), headers=asking.headers(drawn))


async def _last(items: AsyncIterator[Preview | DrawnPictures]) -> DrawnPictures:
    async with aclosing(items):  # type: ignore[type-var]
        async for item in items:
            if isinstance(item, DrawnPictures):
                return item
    raise faults.not_drawn("the drawing was stopped")


def _images(asking: Asking, drawn: DrawnPictures) -> schemas.ImagesOut:
    api, ask = asking.api, asking.ask
    if ask.as_url:
        names = [api.links.put(one.media_type, one.data, api.now()) for one in drawn.pictures]
        data = [schemas.ImageOut(url=f"{asking.url}/v1/images/files/{name}") for name in names]
    else:
        data = [schemas.ImageOut(b64_json=one.base64) for one in drawn.pictures]
    return schemas.ImagesOut(
        created=int(api.wall()), data=data, output_format=ask.output_format, size=ask.size,
        gpu_seconds=round(drawn.gpu_s, 4), cost=round(drawn.cost, 6), currency=api.options.currency,
    )  # fmt: skip


async def unless_gone(request: Request, work: Callable[[], Awaitable[Item]]) -> Item:
    """Do some work, and cancel it when the client closes the connection: then raise a Fault that nobody reads."""
    working, gone = asyncio.ensure_future(work()), asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Fault(499, "the client closed the connection", code="client_closed")
        return await working
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class EventStream(StreamingResponse):
    """Sends events, and closes their source however the connection ends."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None], headers: dict[str, str]) -> None:
        self._rest = rest
        super().__init__(self._from(first), media_type=events.MEDIA_TYPE, headers=headers | events.HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._rest):
            await super().__call__(scope, receive, send)

    async def _from(self, first: bytes) -> AsyncIterator[bytes]:
        yield first
        async for event in self._rest:
            yield event


async def stream_of(asking: Asking) -> AsyncGenerator[bytes, None]:
    """Yield the events of a picture: partial images, then the picture or an error; comments while nothing happens."""
    sent, begun = 0, False
    async with aclosing(with_pauses(asking.items(), events.EVERY_S)) as items:
        try:
            async for item in items:
                if not begun:
                    begun = True
                    yield events.COMMENT
                if isinstance(item, DrawnPictures):
                    yield events.event(_completed(asking, item))
                elif item is None:
                    yield events.COMMENT
                elif _is_wanted(item, asking.ask, sent):
                    yield events.event(_partial(asking, item, sent))
                    sent += 1
        except Fault as fault:
            if not begun:
                raise
            yield events.failure(fault.content())


def _is_wanted(preview: Preview, ask: Ask, sent: int) -> bool:
    """Tell whether a preview becomes the next partial image, ``sent`` of which were sent."""
    after = events.partial_steps(preview.steps, ask.partial_images)
    return bool(preview.data) and sent < len(after) and after[sent] <= preview.step < preview.steps


def _event(asking: Asking, name: str, data: str) -> dict[str, object]:
    ask = asking.ask
    return {
        "type": f"{asking.event}.{name}", "b64_json": data, "created_at": int(asking.api.wall()), "size": ask.size,
        "quality": "auto", "background": "opaque", "output_format": ask.output_format.value,
    }  # fmt: skip


def _partial(asking: Asking, preview: Preview, index: int) -> dict[str, object]:
    content = _event(asking, "partial_image", base64.b64encode(preview.data).decode())
    return content | {"partial_image_index": index, "output_format": preview.media_type.removeprefix("image/")}


def _completed(asking: Asking, drawn: DrawnPictures) -> dict[str, object]:
    costs = {
        "gpu_seconds": round(drawn.gpu_s, 4),
        "cost": round(drawn.cost, 6),
        "currency": asking.api.options.currency,
    }
    usage = schemas.UsageOut().model_dump()
    return _event(asking, "completed", drawn.pictures[0].base64) | {"usage": usage} | costs


async def with_pauses(items: AsyncIterator[Item], every_s: float) -> AsyncGenerator[Item | None, None]:
    """Yield the items, and None whenever none has come for some seconds; closing closes the items, too."""
    pending: asyncio.Task[Item] | None = None
    try:
        while True:
            pending = pending or asyncio.create_task(_next(items))
            done, _ = await asyncio.wait({pending}, timeout=every_s)
            if not done:
                yield None
                continue
            finished, pending = pending, None
            try:
                item = finished.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        if pending is not None:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
        if isinstance(items, AsyncGenerator):
            await items.aclose()


async def _next(items: AsyncIterator[Item]) -> Item:
    return await anext(items)
