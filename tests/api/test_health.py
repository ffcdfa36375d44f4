"""The open routes: alive, ready, and metrics without a word about viewers."""

from __future__ import annotations

import httpx

from tests.support.real_program import Remote


async def test_health_and_readiness_need_no_token(program: Remote) -> None:
    async with httpx.AsyncClient(base_url=program.url) as stranger:
        assert (await stranger.get("/healthz")).json()["program"] == "streamer"
        ready = await stranger.get("/readyz")
    assert (ready.status_code, ready.json()["generator"]) == (200, "ready")


async def test_metrics_count_without_naming_anybody(program: Remote) -> None:
    await program.shown("!bg a very private wish", name="secretviewer")
    text = (await program.client.get("/metrics")).text
    assert 'streamer_requests_total{state="shown"}' in text
    assert 'streamer_step_seconds_count{step="draw"}' in text
    assert "streamer_overlay_pages" in text
    assert "secretviewer" not in text
    assert "private" not in text
