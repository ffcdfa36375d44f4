"""The routes of /api/v1 and /trigger: what a moderator, a deck or a script may ask of the running program."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, params

from streamer import __version__
from streamer.api import schemas
from streamer.api.auth import TokenRole, TokenTable, bearer, needs, unmeant
from streamer.pipeline.status import ControlApi
from streamer.types import Frame, KeyPress, Trigger


class History(Protocol):
    """What the routes read of the past; Store offers it."""

    def requests(self, limit: int, state: str | None = None) -> Awaitable[Sequence[object]]: ...

    def request(self, request_id: str) -> Awaitable[object | None]: ...

    def pictures(self, limit: int) -> Awaitable[Sequence[object]]: ...

    def picture(self, picture_id: str) -> Awaitable[object | None]: ...

    def frame(self, picture_id: str) -> Awaitable[Frame | None]: ...


# The address of a press carries its key: no cache, no history of another page's, may keep it.
UNSEEN = {"cache-control": "no-store", "referrer-policy": "no-referrer"}

Limit = Annotated[int, Query(ge=1, le=500)]


def router(
    desk: ControlApi,
    history: History,
    tokens: TokenTable,
    layers: Sequence[str],
    named: Collection[str],
    overlay_url: str,
) -> APIRouter:
    """Build every route; ``named`` are the names that /trigger/{name} knows."""
    routes = APIRouter()
    moderator: list[params.Depends] = [Depends(needs(tokens, TokenRole.MODERATOR))]

    @routes.get("/api/v1/overlay", dependencies=[Depends(needs(tokens, TokenRole.OPERATOR))], tags=["desk"])
    async def overlay() -> dict[str, str]:
        """Return the address for the OBS browser source; its fragment is the overlay's token."""
        return {"url": overlay_url}

    _triggers(routes, desk, tokens, named, overlay_url.partition("/overlay")[0])
    _stage(routes, desk, layers, moderator)
    _generator(routes, desk, moderator)
    _requests(routes, desk, history, moderator)
    _pictures(routes, history, moderator)
    return routes


def _triggers(routes: APIRouter, desk: ControlApi, tokens: TokenTable, named: Collection[str], base_url: str) -> None:
    @routes.post("/api/v1/triggers", dependencies=[Depends(needs(tokens, TokenRole.TRIGGER))], tags=["triggers"])
    async def submit(body: schemas.TriggerIn, request: Request) -> schemas.ReceiptOut:
        """Do exactly what a chat line does."""
        decides = tokens.opens(bearer(request), TokenRole.MODERATOR)
        try:
            actor = body.actor.actor(vouched=decides)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        trigger = Trigger(body.id or f"http-{uuid.uuid4()}", "http", body.text, actor, time.monotonic())
        return schemas.receipt(await desk.submit(trigger, decides=decides))

    @routes.get("/api/v1/named_triggers", dependencies=[Depends(needs(tokens, TokenRole.OPERATOR))], tags=["triggers"])
    async def buttons() -> list[schemas.ButtonOut]:
        """List what can be pressed, each with an address for decks and a line for desktop shortcuts."""
        token = tokens.standing[TokenRole.TRIGGER]
        return [schemas.button(name, f"{base_url}/trigger/{name}", token) for name in named]

    # Two decorators, not api_route with two methods: each operation needs an id of its own in the OpenAPI document.
    @routes.get("/trigger/{name}", tags=["triggers"])
    @routes.post("/trigger/{name}", tags=["triggers"])
    async def press(name: str, request: Request, response: Response, token: str = "") -> schemas.ReceiptOut:
        """Press a named trigger: for decks and pads, which can often do no more than open an address."""
        response.headers.update(UNSEEN)
        if why := unmeant(request.headers):
            raise HTTPException(403, why, UNSEEN)
        if not tokens.opens(token or bearer(request), TokenRole.TRIGGER):
            raise HTTPException(401, "add ?token=... with a token for 'trigger'")
        if name not in named:
            fix = "add it under named_triggers in config.yaml"
            raise HTTPException(404, f"there is no trigger '{name}'; known: {', '.join(sorted(named))}; {fix}")
        return schemas.receipt(await desk.press(KeyPress(f"deck-{uuid.uuid4()}", "deck", name, time.monotonic())))


def _stage(routes: APIRouter, desk: ControlApi, layers: Sequence[str], moderator: Sequence[params.Depends]) -> None:
    def known(layer: str) -> str:
        if layer not in layers:
            raise HTTPException(404, f"there is no layer '{layer}'; known: {', '.join(layers)}")
        return layer

    def done(happened: bool, otherwise: str) -> Response:
        if not happened:
            raise HTTPException(409, otherwise)
        return Response(status_code=204)

    @routes.get("/api/v1/status", dependencies=moderator, tags=["desk"])
    async def status() -> schemas.StatusOut:
        """Tell how every part is doing, what waits and what is on air."""
        return schemas.status(desk.state(), __version__)

    @routes.get("/api/v1/stage", dependencies=moderator, tags=["stage"])
    async def stage() -> Mapping[str, str | None]:
        """Name the picture on each layer."""
        return desk.state().on_air

    @routes.post("/api/v1/stage/{layer}/clear", dependencies=moderator, status_code=204, tags=["stage"])
    async def clear(layer: str) -> Response:
        """Take the layer's picture off the air, and refuse what was asked for before."""
        await desk.clear(known(layer))
        return Response(status_code=204)

    @routes.post("/api/v1/stage/{layer}/undo", dependencies=moderator, status_code=204, tags=["stage"])
    async def undo(layer: str) -> Response:
        """Go back to the picture before."""
        return done(await desk.undo(known(layer)), "there is nothing to undo on this layer")

    @routes.post("/api/v1/stage/{layer}/redo", dependencies=moderator, status_code=204, tags=["stage"])
    async def redo(layer: str) -> Response:
        """Take the last undo back."""
        return done(await desk.redo(known(layer)), "there is nothing to redo on this layer")

    @routes.post("/api/v1/stage/{layer}/show", dependencies=moderator, status_code=204, tags=["stage"])
    async def show(layer: str, picture: str) -> Response:
        """Show a picture of the history again."""
        known(layer)
        return done(await desk.show(picture), f"there is no picture '{picture}' in the history")

    @routes.post("/api/v1/panic", dependencies=moderator, status_code=204, tags=["desk"])
    async def panic() -> Response:
        """Blank every layer, empty the queue and close the intake, in one step."""
        await desk.panic()
        return Response(status_code=204)

    @routes.post("/api/v1/pause", dependencies=moderator, status_code=204, tags=["desk"])
    async def pause() -> Response:
        """Take no new requests and start no new picture; what is on air stays."""
        await desk.pause()
        return Response(status_code=204)

    @routes.post("/api/v1/resume", dependencies=moderator, status_code=204, tags=["desk"])
    async def resume() -> Response:
        """Open the intake again, after a pause or a panic."""
        await desk.resume()
        return Response(status_code=204)


def _generator(routes: APIRouter, desk: ControlApi, moderator: Sequence[params.Depends]) -> None:
    @routes.post("/api/v1/generator/free", dependencies=moderator, status_code=204, tags=["desk"])
    async def free() -> Response:
        """Give the GPU away: the model is unloaded, requests wait, the overlay says so."""
        await desk.free()
        return Response(status_code=204)

    @routes.post("/api/v1/generator/warm", dependencies=moderator, status_code=204, tags=["desk"])
    async def warm() -> Response:
        """Load the model again, and draw what has waited."""
        await desk.warm()
        return Response(status_code=204)


def _requests(routes: APIRouter, desk: ControlApi, history: History, moderator: Sequence[params.Depends]) -> None:
    @routes.get("/api/v1/requests", dependencies=moderator, tags=["requests"])
    async def requests(limit: Limit = 100, state: str | None = None) -> list[schemas.StoredRequestOut]:
        """List the newest requests."""
        return [schemas.StoredRequestOut.model_validate(row) for row in await history.requests(limit, state)]

    @routes.get("/api/v1/requests/{request_id}", dependencies=moderator, tags=["requests"])
    async def request(request_id: str) -> schemas.StoredRequestOut:
        """Tell where one request stands."""
        if (row := await history.request(request_id)) is None:
            raise HTTPException(404, f"there is no request '{request_id}'")
        return schemas.StoredRequestOut.model_validate(row)

    @routes.delete("/api/v1/requests/{request_id}", dependencies=moderator, status_code=204, tags=["requests"])
    async def cancel(request_id: str) -> Response:
        """Cancel a request that waits or is being drawn."""
        if not await desk.cancel(request_id):
            raise HTTPException(409, f"the request '{request_id}' is not waiting any more")
        return Response(status_code=204)


def _pictures(routes: APIRouter, history: History, moderator: Sequence[params.Depends]) -> None:
    @routes.get("/api/v1/pictures", dependencies=moderator, tags=["pictures"])
    async def pictures(limit: Limit = 60) -> list[schemas.PictureOut]:
        """List the newest pictures that were on air."""
        return [schemas.PictureOut.model_validate(row) for row in await history.pictures(limit)]

    @routes.get("/api/v1/pictures/{picture_id}", dependencies=moderator, tags=["pictures"])
    async def picture(picture_id: str) -> schemas.PictureOut:
        """Describe one picture."""
        if (row := await history.picture(picture_id)) is None:
            raise HTTPException(404, f"there is no picture '{picture_id}'")
        return schemas.PictureOut.model_validate(row)

    @routes.get("/api/v1/pictures/{picture_id}/image", dependencies=moderator, tags=["pictures"])
    async def image(picture_id: str) -> Response:
        """Return the bytes of one picture."""
        if (frame := await history.frame(picture_id)) is None:
            raise HTTPException(404, f"there is no picture '{picture_id}'")
        return Response(frame.data, media_type=frame.media_type, headers={"cache-control": "private, max-age=86400"})
