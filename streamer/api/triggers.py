"""Routes that do what a chat line or a key does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

from fastapi import APIRouter, HTTPException, Request, Response

from streamer.api import schemas
from streamer.api.auth import TokenRole, bearer
from streamer.api.dependencies import OPERATOR, TRIGGER, Context
from streamer.types import KeyPress, Trigger

# The address of a press holds a token: no cache and no referrer header may keep it.
UNSEEN = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")

router = APIRouter(tags=["triggers"])


@router.post("/api/v1/triggers", dependencies=[TRIGGER])
async def submit(body: schemas.TriggerIn, request: Request, context: Context) -> schemas.ReceiptOut:
    """Do exactly what a chat line does."""
    decides = context.tokens.opens(bearer(request.headers), TokenRole.MODERATOR)
    try:
        actor = body.actor.actor(vouched=decides)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    trigger = Trigger(body.id or f"http-{uuid.uuid4()}", "http", body.text, actor, time.monotonic())
    return schemas.receipt(await context.channel.admit.submit(trigger, decides=decides))


@router.get("/api/v1/named_triggers", dependencies=[OPERATOR])
async def buttons(context: Context) -> list[schemas.ButtonOut]:
    """List what can be pressed, each with an address for decks and a command for desktop shortcuts."""
    token = context.tokens.standing[TokenRole.TRIGGER]
    return [schemas.button(name, context.url, token) for name in context.channel.admit.named.names]


# Two decorators, not api_route with two methods: each operation needs its own id in the OpenAPI document.
@router.get("/trigger/{name:path}")
@router.post("/trigger/{name:path}")
async def press(
    name: str, request: Request, response: Response, context: Context, token: str = ""
) -> schemas.ReceiptOut:
    """Press a named trigger: for decks and pads, which can often only open an address."""
    response.headers.update(UNSEEN)
    if reason := unintended(request.headers):
        raise HTTPException(403, reason, UNSEEN)
    if not context.tokens.opens(token or bearer(request.headers), TokenRole.TRIGGER):
        raise HTTPException(401, "add ?token=... with a token that has the role 'trigger'")
    names = context.channel.admit.named.names
    if name not in names:
        fix = f"add it under named_triggers in {context.config_file}"
        raise HTTPException(404, f"there is no trigger '{name}'; known: {', '.join(sorted(names))}; {fix}")
    return schemas.receipt(
        await context.channel.admit.press(KeyPress(f"deck-{uuid.uuid4()}", "deck", name, time.monotonic()))
    )


def unintended(headers: Mapping[str, str]) -> str:
    """Say why nobody meant this GET: a browser prefetched it or another page asked for it; "" if it was meant."""
    purposes = " ".join(headers.get(name, "") for name in PREFETCH_HEADERS).lower()
    if any(word in purposes for word in ("prefetch", "prerender", "preview")):
        return "a browser prefetched this address; open it yourself to press the trigger"
    if headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        return "another page sent this request; open the address from a deck, a shortcut or the address bar"
    return ""
