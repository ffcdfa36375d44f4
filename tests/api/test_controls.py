"""Panic, pause and the GPU over HTTP."""

from __future__ import annotations

from tests.support.real_program import Remote


async def test_panic_closes_and_resume_opens(program: Remote) -> None:
    await program.shown("!bg one")
    await program.client.post("/api/v1/panic")
    status = await program.status()
    assert (status["paused"], status["on_air"]["background"], status["pending"]) == (True, None, [])
    assert (await program.say("!bg two"))["rule"] == "panic"
    await program.client.post("/api/v1/resume")
    assert (await program.say("!bg two"))["outcome"] == "queued"


async def test_the_gpu_can_be_given_away_and_taken_back(program: Remote) -> None:
    assert (await program.client.post("/api/v1/generator/free")).status_code == 204
    await program.until(lambda status: status["generator"]["state"] == "parked")
    assert (await program.client.get("/readyz")).status_code == 503
    held = await program.say("!bg held", role="viewer")
    assert held["outcome"] == "queued"
    assert (await program.client.post("/api/v1/generator/warm")).status_code == 204
    assert (await program.ended(held["id"]))["state"] == "shown"
