"""The open routes: alive, ready, and metrics without a word about viewers."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from streamer.api.auth import TokenRole, digest
from tests.support.embedded import build, place
from tests.support.real_program import CONFIG, Remote

EXPOSED = ("server: {host: 0.0.0.0, expose: true}", "server: {public_url: 'https://pictures.example'}")


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


@pytest.mark.parametrize("server", EXPOSED)
async def test_metrics_need_a_token_where_other_computers_reach_the_program(tmp_path: Path, server: str) -> None:
    app = build(place(tmp_path, f"{CONFIG}{server}\n"))
    app.tokens.replace_issued({digest("watcher"): TokenRole.METRICS})
    await app.store.open()
    try:
        caller = httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://127.0.0.1:8710")
        async with caller:
            assert (await caller.get("/metrics")).status_code == 401
            overlay = {"authorization": f"Bearer {app.tokens.standing[TokenRole.OVERLAY]}"}
            assert (await caller.get("/metrics", headers=overlay)).status_code == 403
            answer = await caller.get("/metrics", headers={"authorization": "Bearer watcher"})
            assert "streamer_build_info" in answer.text
            assert (await caller.get("/api/v1/status", headers={"authorization": "Bearer watcher"})).status_code == 403
            assert (await caller.get("/healthz")).status_code == 200
    finally:
        await app.store.close()
