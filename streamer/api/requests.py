"""Routes about requests: the history, and cancelling one that is still open."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from streamer.api import schemas
from streamer.api.dependencies import MODERATOR, Context

router = APIRouter(prefix="/api/v1/requests", tags=["requests"], dependencies=[MODERATOR])


@router.get("")
async def requests(
    context: Context, limit: Annotated[int, Query(ge=1, le=500)] = 100, state: str | None = None
) -> list[schemas.StoredRequestOut]:
    """List the newest requests."""
    rows = await context.store.requests.newest(limit, state)
    return [schemas.StoredRequestOut.model_validate(row) for row in rows]


@router.get("/{request_id}")
async def request(request_id: str, context: Context) -> schemas.StoredRequestOut:
    """Return one request and its state."""
    if (row := await context.store.requests.get(request_id)) is None:
        raise HTTPException(404, f"there is no request '{request_id}'")
    return schemas.StoredRequestOut.model_validate(row)


@router.delete("/{request_id}", status_code=204, response_class=Response)
async def cancel(request_id: str, context: Context) -> None:
    """Cancel a request that waits or is being drawn."""
    if not await context.channel.controls.cancel(request_id):
        raise HTTPException(409, f"the request '{request_id}' is no longer queued")
