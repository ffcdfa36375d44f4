"""Routes about the pictures on air, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, HTTPException, Response

from streamer.api.dependencies import MODERATOR, Context
from streamer.pipeline.status import on_air

router = APIRouter(prefix="/api/v1/stage", tags=["stage"], dependencies=[MODERATOR])


@router.get("")
async def stage(context: Context) -> Mapping[str, str | None]:
    """Name the picture on each layer."""
    return on_air(context.channel.show)


@router.post("/{layer}/clear", status_code=204, response_class=Response)
async def clear(layer: str, context: Context) -> None:
    """Take the layer's picture off the air and refuse the requests that are open for it."""
    await context.channel.controls.clear(_known(layer, context))


@router.post("/{layer}/undo", status_code=204, response_class=Response)
async def undo(layer: str, context: Context) -> None:
    """Go back to the picture before."""
    if not await context.channel.controls.undo(_known(layer, context)):
        raise HTTPException(409, "there is nothing to undo on this layer")


@router.post("/{layer}/redo", status_code=204, response_class=Response)
async def redo(layer: str, context: Context) -> None:
    """Reverse the last undo."""
    if not await context.channel.controls.redo(_known(layer, context)):
        raise HTTPException(409, "there is nothing to redo on this layer")


@router.post("/{layer}/show", status_code=204, response_class=Response)
async def show(layer: str, picture: str, context: Context) -> None:
    """Show a picture of the history again."""
    _known(layer, context)
    if not await context.channel.controls.show_again(picture):
        raise HTTPException(409, f"there is no picture '{picture}' in the history")


def _known(layer: str, context: Context) -> str:
    if layer not in context.channel.show.hub.layers:
        raise HTTPException(404, f"there is no layer '{layer}'; known: {', '.join(context.channel.show.hub.layers)}")
    return layer
