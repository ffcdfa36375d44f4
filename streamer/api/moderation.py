"""Routes about held pictures and about people: approve, deny, cut, ban, forget, and the audit."""

from __future__ import annotations

import json
import time
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from streamer.api import schemas
from streamer.api.dependencies import MODERATOR, OPERATOR, Context

MODERATOR_NAME = "panel"
"""The name under which the audit records what was decided over HTTP."""

router = APIRouter(prefix="/api/v1")


@router.get("/held/{request_id}/image", dependencies=[MODERATOR], tags=["held"])
async def image(request_id: str, context: Context) -> Response:
    """Return the bytes of a held picture."""
    held = next((held for held in context.channel.show.approvals.all() if held.request.id == request_id), None)
    if held is None:
        raise HTTPException(404, f"no picture is held for the request '{request_id}'")
    return Response(held.frame.data, media_type=held.frame.media_type, headers={"cache-control": "no-store"})


@router.post(
    "/requests/{request_id}/approve", dependencies=[MODERATOR], status_code=204, response_class=Response, tags=["held"]
)
async def approve(
    request_id: str, context: Context, verdict: Annotated[str | None, Query(max_length=64)] = None
) -> None:
    """Put a held picture on air; ``verdict`` names the very picture that the moderator saw."""
    if not await context.channel.moderator.approve(request_id, MODERATOR_NAME, verdict):
        raise _not_held(request_id)


@router.post(
    "/requests/{request_id}/deny", dependencies=[MODERATOR], status_code=204, response_class=Response, tags=["held"]
)
async def deny(request_id: str, context: Context) -> None:
    """Refuse a held picture."""
    if not await context.channel.moderator.deny(request_id, MODERATOR_NAME):
        raise _not_held(request_id)


def _not_held(request_id: str) -> HTTPException:
    return HTTPException(409, f"this picture of the request '{request_id}' is no longer held")


@router.post("/cut", dependencies=[MODERATOR], tags=["held"])
async def cut(context: Context) -> dict[str, int]:
    """Stop every picture that would go on air by itself in a moment."""
    return {"stopped": context.channel.moderator.cut()}


@router.get("/bans", dependencies=[MODERATOR], tags=["people"])
async def bans(context: Context) -> list[schemas.BanOut]:
    """List who is banned now."""
    return schemas.bans(context.channel.show.bans.all(), time.time())


@router.post("/bans", dependencies=[MODERATOR], tags=["people"])
async def ban(body: schemas.BanIn, context: Context) -> schemas.PersonOut:
    """Ban somebody, by id, login or shown name, and withdraw their requests and pictures."""
    decision = await context.channel.moderator.ban(body.who, MODERATOR_NAME, body.minutes)
    if not decision.done:
        raise HTTPException(409, decision.text)
    return schemas.person(decision, body.who)


@router.delete("/bans/{who}", dependencies=[MODERATOR], status_code=204, response_class=Response, tags=["people"])
async def unban(who: str, context: Context) -> None:
    """Lift the ban of somebody, by id, login or shown name."""
    decision = await context.channel.moderator.unban(who)
    if not decision.done:
        raise HTTPException(409 if len(decision.people) > 1 else 404, decision.text)


@router.delete("/people/{who}", dependencies=[MODERATOR], tags=["people"])
async def forget(who: str, context: Context) -> schemas.ForgottenOut:
    """Delete everything that is kept about somebody, by id, login or shown name, at once."""
    forgotten = await context.channel.moderator.forget(who)
    if not forgotten.decision.done:
        raise HTTPException(409, forgotten.decision.text)
    return schemas.ForgottenOut(requests=forgotten.requests, text=forgotten.decision.text)


@router.get("/audit", dependencies=[OPERATOR], tags=["audit"])
async def export(context: Context, since: Annotated[float, Query(ge=0)] = 0.0) -> Response:
    """Return requests, verdicts and times on air since a moment (seconds since the epoch) as JSON lines."""
    rows = await context.store.audit.entries(since)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return Response(lines, media_type="application/x-ndjson", headers={"cache-control": "no-store"})
