"""Routes about private pictures: drawn for the operator who asks, and on air only when that operator says so."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response, WebSocket, WebSocketDisconnect

from streamer.api import draft_schemas as schemas
from streamer.api.auth import TokenRole
from streamer.api.connection_guard import LONGEST_UPLOAD, vouch
from streamer.api.dependencies import OPERATOR, ApiContext, Context
from streamer.api.sockets import BAD_TOKEN, first_token, read_until_closed
from streamer.api.uploads import uploaded_picture
from streamer.commands.draft_order import DraftOrder, draft_request
from streamer.errors import ConfigError
from streamer.pipeline.drafts import Draft, DraftState
from streamer.types import Actor, Frame, ImageRequest, Preview, Refusal, Role, Trigger

ASKER = Actor("api", "api", Role.BROADCASTER)
"""An operator's token stands for the streamer."""

CHECKED_EVERY_S = 1.0
"""How soon a socket closes whose token is revoked."""

router = APIRouter(prefix="/api/v1", tags=["drafts"], dependencies=[OPERATOR])
sockets = APIRouter()


@router.get("/draft_options")
async def options(context: Context) -> schemas.DraftOptionsOut:
    """Return what can be chosen for a private picture: commands, styles, and the limits of the model."""
    show = context.channel.show
    return schemas.draft_options(show.commands, show.generator.abilities)


@router.post("/drafts", max_body_size=LONGEST_UPLOAD)
async def ask(body: schemas.DraftIn, context: Context) -> schemas.DraftOut:
    """Draw a picture for the caller alone; it waits until nobody else's picture may be drawn."""
    draft_id = f"draft-{body.id or uuid.uuid4()}"
    if (known := context.channel.show.drafts.get(draft_id)) is not None:
        return schemas.draft(known)
    reference = None if body.image is None else await asyncio.to_thread(_uploaded, body.image)
    order = replace(body.order(), reference=reference)
    return schemas.draft(context.channel.private.ask(_requested(draft_id, order, context)))


@router.get("/drafts/{draft_id}")
async def draft(
    draft_id: str, context: Context, wait_s: Annotated[float, Query(ge=0, le=60)] = 0.0
) -> schemas.DraftOut:
    """Return what is known about a private picture, after it is finished or at most ``wait_s`` seconds later."""
    with suppress(TimeoutError):
        await asyncio.wait_for(context.channel.show.drafts.ended(draft_id), wait_s)
    return schemas.draft(_known(draft_id, context))


@router.get("/drafts/{draft_id}/image")
async def image(draft_id: str, context: Context) -> Response:
    """Return the bytes of a private picture that is drawn."""
    return _picture(_drawn(draft_id, context)[1])


@router.get("/drafts/{draft_id}/preview")
async def preview(draft_id: str, context: Context) -> Response:
    """Return the bytes of the newest preview of a private picture that is being drawn."""
    found = _known(draft_id, context).preview
    if found is None or not found.data:
        raise HTTPException(409, f"there is no preview of the draft '{draft_id}' now")
    return _picture(found)


@router.post("/drafts/{draft_id}/air")
async def put_on_air(draft_id: str, context: Context) -> schemas.AiringOut:
    """Put a private picture on air as the caller's own request: rules, judges and approval decide as ever."""
    return schemas.airing(await context.channel.private.put_on_air(*_drawn(draft_id, context)))


@router.delete("/drafts/{draft_id}", status_code=204, response_class=Response)
async def discard(draft_id: str, context: Context) -> None:
    """Cancel a private picture that waits or is being drawn, and forget it."""
    context.channel.private.discard(_known(draft_id, context).request.id)


def _uploaded(image: str) -> bytes:
    try:
        return uploaded_picture(image)
    except ConfigError as error:
        raise HTTPException(422, str(error)) from None


def _requested(draft_id: str, order: DraftOrder, context: ApiContext) -> ImageRequest:
    """Return the request for a private picture; 422 for what cannot be drawn."""
    show = context.channel.show
    trigger = Trigger(draft_id, "http", "", ASKER, time.monotonic())
    try:
        request = draft_request(show.commands, show.generator.abilities, order, trigger)
    except ConfigError as error:
        raise HTTPException(422, str(error)) from None
    if isinstance(request, Refusal):
        raise HTTPException(422, f"text: {request.reason}")
    return request


def _known(draft_id: str, context: ApiContext) -> Draft:
    found = context.channel.show.drafts.get(draft_id)
    if found is None or found.of_tenant:
        raise _unknown(draft_id)
    return found


def _unknown(draft_id: str) -> HTTPException:
    return HTTPException(404, f"there is no draft '{draft_id}'; only the newest are kept, and no restart keeps any")


def _drawn(draft_id: str, context: ApiContext) -> tuple[Draft, Frame]:
    found = _known(draft_id, context)
    if found.state is not DraftState.DRAWN or found.frame is None:
        why = f": {found.reason}" if found.reason else ""
        raise HTTPException(409, f"the draft '{draft_id}' has no picture, it is {found.state}{why}")
    return found, found.frame


def _picture(picture: Frame | Preview) -> Response:
    return Response(picture.data, media_type=picture.media_type, headers={"cache-control": "no-store"})


@sockets.websocket("/ws/drafts")
async def socket(page: WebSocket, context: Context) -> None:
    """Send what changes about private pictures, previews included, to a client that shows an operator's token."""
    await page.accept()
    with suppress(WebSocketDisconnect):
        token = await first_token(page)
        if context.tokens.opens(token, TokenRole.OPERATOR):
            vouch(page, TokenRole.OPERATOR)
            await _send_changes(page, context, token)
        else:
            await page.close(BAD_TOKEN, 'send {"token": ...} with an operator\'s token first')


async def _send_changes(page: WebSocket, context: ApiContext, token: str) -> None:
    """Say that the client is heard, then send each draft as it is after its changes, until the client leaves."""
    drafts, reader = context.channel.show.drafts, asyncio.create_task(read_until_closed(page), name="drafts-reader")
    sent = drafts.version
    try:
        await page.send_json({"type": "hello"})
        while not reader.done():
            if not context.tokens.opens(token, TokenRole.OPERATOR):
                await page.close(BAD_TOKEN, "this token has been revoked")
                return
            changed = asyncio.create_task(drafts.changed.wait())
            for draft in drafts.changed_since(sent):
                sent = draft.version
                await page.send_text(schemas.draft_message(draft).model_dump_json())
            await asyncio.wait({reader, changed}, timeout=CHECKED_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
    finally:
        reader.cancel()
