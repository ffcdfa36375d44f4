"""Routes about held pictures and people: approve, deny, cut, ban, forget, and the audit."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Iterable, Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, HTTPException, Query, Response, params
from pydantic import BaseModel, ConfigDict, Field

from streamer.api import schemas
from streamer.api.auth import TokenRole, TokenTable, needs
from streamer.pipeline.status import ControlApi

PANEL = "panel"


class BanIn(BaseModel):
    """Whom to keep out: an id or a name; without minutes for good."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    who: Annotated[str, Field(min_length=1, max_length=64)]
    minutes: Annotated[float | None, Field(gt=0, le=1_000_000)] = None


class Audit(Protocol):
    """What the audit route reads; Records offers it."""

    def audit(self, since: float) -> Awaitable[Iterable[dict[str, object]]]: ...


def router(desk: ControlApi, audit: Audit, tokens: TokenTable) -> APIRouter:
    """Build every route of this file."""
    routes = APIRouter()
    moderator: list[params.Depends] = [Depends(needs(tokens, TokenRole.MODERATOR))]
    _held(routes, desk, moderator)
    _people(routes, desk, moderator)

    @routes.get("/api/v1/audit", dependencies=[Depends(needs(tokens, TokenRole.OPERATOR))], tags=["audit"])
    async def export(since: Annotated[float, Query(ge=0)] = 0.0) -> Response:
        """Return requests, verdicts and times on air since a moment (seconds since the epoch) as JSON lines."""
        rows = await audit.audit(since)
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return Response(lines, media_type="application/x-ndjson", headers={"cache-control": "no-store"})

    return routes


def _held(routes: APIRouter, desk: ControlApi, moderator: Sequence[params.Depends]) -> None:
    def gone(request_id: str) -> HTTPException:
        return HTTPException(409, f"no such picture of '{request_id}' is held any more")

    @routes.get("/api/v1/held/{request_id}/image", dependencies=moderator, tags=["held"])
    async def image(request_id: str) -> Response:
        """Return the bytes of a held picture."""
        held = next((one for one in desk.state().held if one.request.id == request_id), None)
        if held is None:
            raise HTTPException(404, f"no picture of '{request_id}' is held")
        return Response(held.frame.data, media_type=held.frame.media_type, headers={"cache-control": "no-store"})

    @routes.post("/api/v1/requests/{request_id}/approve", dependencies=moderator, status_code=204, tags=["held"])
    async def approve(request_id: str, verdict: Annotated[str | None, Query(max_length=64)] = None) -> Response:
        """Put a held picture on air; ``verdict`` names the very picture that was looked at."""
        if not await desk.approve(request_id, PANEL, verdict):
            raise gone(request_id)
        return Response(status_code=204)

    @routes.post("/api/v1/requests/{request_id}/deny", dependencies=moderator, status_code=204, tags=["held"])
    async def deny(request_id: str) -> Response:
        """Refuse a held picture."""
        if not await desk.deny(request_id, PANEL):
            raise gone(request_id)
        return Response(status_code=204)

    @routes.post("/api/v1/cut", dependencies=moderator, tags=["held"])
    async def cut() -> dict[str, int]:
        """Stop every picture that would go on air by itself in a moment."""
        return {"stopped": desk.cut()}


def _people(routes: APIRouter, desk: ControlApi, moderator: Sequence[params.Depends]) -> None:
    @routes.get("/api/v1/bans", dependencies=moderator, tags=["people"])
    async def bans() -> list[schemas.BanOut]:
        """List who is out now."""
        return schemas.bans(desk.state().bans, time.time())

    @routes.post("/api/v1/bans", dependencies=moderator, status_code=204, tags=["people"])
    async def ban(body: BanIn) -> Response:
        """Keep somebody out and take back what they asked for."""
        if await desk.ban(body.who, PANEL, body.minutes) is None:
            raise HTTPException(409, f"'{body.who}' is a moderator; that is for the platform to change")
        return Response(status_code=204)

    @routes.delete("/api/v1/bans/{who}", dependencies=moderator, status_code=204, tags=["people"])
    async def unban(who: str) -> Response:
        """Let somebody in again."""
        if not await desk.unban(who):
            raise HTTPException(404, f"nobody called '{who}' is out")
        return Response(status_code=204)

    @routes.delete("/api/v1/people/{user_id}", dependencies=moderator, tags=["people"])
    async def forget(user_id: str) -> dict[str, int]:
        """Remove everything that is kept about somebody, at once."""
        return {"requests": await desk.forget(user_id)}
