"""Routes about the pictures that were on air."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from streamer.api import schemas
from streamer.api.dependencies import MODERATOR, Context

router = APIRouter(prefix="/api/v1/pictures", tags=["pictures"], dependencies=[MODERATOR])


@router.get("")
async def pictures(context: Context, limit: Annotated[int, Query(ge=1, le=500)] = 60) -> list[schemas.PictureOut]:
    """List the newest pictures that were on air."""
    return [schemas.PictureOut.model_validate(row) for row in await context.store.pictures.newest(limit)]


@router.get("/{picture_id}")
async def picture(picture_id: str, context: Context) -> schemas.PictureOut:
    """Describe one picture."""
    if (row := await context.store.pictures.get(picture_id)) is None:
        raise HTTPException(404, f"there is no picture '{picture_id}'")
    return schemas.PictureOut.model_validate(row)


@router.get("/{picture_id}/image")
async def image(picture_id: str, context: Context) -> Response:
    """Return the bytes of one picture."""
    if (frame := await context.store.pictures.frame(picture_id)) is None:
        raise HTTPException(404, f"there is no picture '{picture_id}'")
    return Response(frame.data, media_type=frame.media_type, headers={"cache-control": "private, max-age=86400"})
