"""Liveness, readiness and metrics: open to whoever may reach the address."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from streamer import __version__
from streamer.pipeline.status import ControlApi


def router(desk: ControlApi, exposition: Callable[[], bytes]) -> APIRouter:
    """Build /healthz, /readyz and /metrics."""
    routes = APIRouter(tags=["probes"])

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Answer: the event loop is alive."""
        return {"program": "streamer", "version": __version__}

    @routes.get("/readyz")
    async def readyz() -> Response:
        """Answer 200 when a request would be drawn now, else 503 with the reason."""
        generator = desk.state().generator
        content = {"ready": generator.draws, "generator": str(generator.state), "detail": generator.detail}
        return JSONResponse(content, 200 if generator.draws else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        """Answer in the Prometheus text format."""
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
