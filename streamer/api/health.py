"""Liveness and readiness for anybody, and metrics for whoever watches the program."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from streamer import __version__
from streamer.api.dependencies import METRICS, Context
from streamer.pipeline.exposition import exposition

router = APIRouter(tags=["probes"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answer 200: the event loop is alive."""
    return {"program": "streamer", "version": __version__}


@router.get("/readyz")
async def readyz(context: Context) -> Response:
    """Answer 200 when a request would be drawn now, else 503 with the reason."""
    generator = context.channel.show.generator.health()
    content = {"ready": generator.draws, "generator": str(generator.state), "detail": generator.detail}
    return JSONResponse(content, 200 if generator.draws else 503)


@router.get("/metrics", dependencies=[METRICS])
async def metrics(context: Context) -> Response:
    """Answer in the Prometheus text format; a token is needed where other computers reach the program."""
    text = exposition(context.channel.show, await context.gpus.usage())
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
