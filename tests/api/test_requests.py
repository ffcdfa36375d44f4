"""The history of requests over HTTP."""

from __future__ import annotations

from tests.support.real_program import Remote


async def test_a_waiting_request_can_be_removed(program: Remote) -> None:
    shown = await program.shown("!meme one | a", role="viewer", name="ann")
    waiting = await program.say("!meme two | b", role="viewer", name="ben")
    assert [one["id"] for one in (await program.status())["pending"]] == [waiting["id"]]
    assert (await program.client.delete(f"/api/v1/requests/{waiting['id']}")).status_code == 204
    assert (await program.ended(waiting["id"]))["state"] == "cancelled"
    assert (await program.client.delete(f"/api/v1/requests/{shown}")).status_code == 409
