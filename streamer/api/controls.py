"""Routes that control the whole show: its status, panic, pause, and the GPU."""

from __future__ import annotations

from fastapi import APIRouter, Response

from streamer import __version__
from streamer.api import schemas
from streamer.api.dependencies import MODERATOR, OPERATOR, Context
from streamer.pipeline.status import status as show_status

router = APIRouter(prefix="/api/v1", tags=["desk"])


@router.get("/overlay", dependencies=[OPERATOR])
async def overlay(context: Context) -> dict[str, str]:
    """Return the address for the OBS browser source; its fragment is the overlay's token."""
    return {"url": context.overlay_url}


@router.get("/status", dependencies=[MODERATOR])
async def status(context: Context) -> schemas.StatusOut:
    """Return the state of every part, the waiting requests and what is on air."""
    show = context.channel.show
    return schemas.status(show_status(show), __version__, show.shown_actor)


@router.post("/panic", dependencies=[MODERATOR], status_code=204, response_class=Response)
async def panic(context: Context) -> None:
    """Blank every layer, empty the queue and close the intake, in one step."""
    await context.channel.controls.panic()


@router.post("/pause", dependencies=[MODERATOR], status_code=204, response_class=Response)
async def pause(context: Context) -> None:
    """Take no new requests and start no new picture; what is on air stays."""
    await context.channel.controls.pause()


@router.post("/resume", dependencies=[MODERATOR], status_code=204, response_class=Response)
async def resume(context: Context) -> None:
    """Open the intake again, after a pause or a panic."""
    await context.channel.controls.resume()


@router.post("/generator/free", dependencies=[MODERATOR], status_code=204, response_class=Response)
async def free(context: Context) -> None:
    """Release the GPU: the model is unloaded, requests wait, and the overlay says so."""
    await context.channel.controls.release_gpu()


@router.post("/generator/warm", dependencies=[MODERATOR], status_code=204, response_class=Response)
async def warm(context: Context) -> None:
    """Load the model again and draw the requests that waited."""
    await context.channel.controls.reclaim_gpu()
