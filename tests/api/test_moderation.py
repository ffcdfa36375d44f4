"""Held pictures and people over HTTP, in the running program."""

from __future__ import annotations

import json

from tests.support.real_program import Remote


async def test_a_ban_over_http_keeps_out_and_is_lifted(program: Remote) -> None:
    banned = await program.client.post("/api/v1/bans", json={"who": "Troll", "minutes": 5})
    assert (banned.status_code, banned.json()) == (
        200,
        {
            "who": "Troll", "name": "Troll", "login": "", "seen": False,
            "text": "troll is banned for 5 min, but nobody called so has written here yet",
        },
    )  # fmt: skip
    actor = {"id": "t1", "name": "troll", "role": "viewer"}
    receipt = (await program.client.post("/api/v1/triggers", json={"text": "!bg harbour", "actor": actor})).json()
    assert (receipt["rule"], receipt["reason"]) == ("ban", "you can ask again in 5 min")
    (listed,) = (await program.client.get("/api/v1/bans")).json()
    assert listed["name"] == "troll"
    assert (await program.client.delete("/api/v1/bans/troll")).status_code == 204
    assert (await program.client.delete("/api/v1/bans/troll")).status_code == 404


async def test_a_viewer_is_banned_over_http_by_login_and_the_answer_names_them(program: Remote) -> None:
    actor = {"id": "http-77", "name": "Лисица", "login": "foxy", "role": "viewer"}
    await program.client.post("/api/v1/triggers", json={"text": "hello", "actor": actor})
    banned = (await program.client.post("/api/v1/bans", json={"who": "@Foxy"})).json()
    assert banned == {
        "who": "http-77", "name": "Лисица", "login": "foxy", "seen": True, "text": "Лисица (foxy) is banned",
    }  # fmt: skip
    assert (await program.client.delete("/api/v1/bans/лисица")).status_code == 204
    twin = {**actor, "id": "http-78", "login": "vixen"}
    await program.client.post("/api/v1/triggers", json={"text": "hello", "actor": twin})
    for answer in (
        await program.client.post("/api/v1/bans", json={"who": "Лисица"}),
        await program.client.delete("/api/v1/people/Лисица"),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (
            409,
            "several people are called Лисица: Лисица (foxy), Лисица (vixen); say which one",
        )


async def test_what_is_not_held_cannot_be_approved_denied_or_seen(program: Remote) -> None:
    for verb in ("approve", "deny"):
        answer = await program.client.post(f"/api/v1/requests/nothing/{verb}")
        assert (answer.status_code, "held" in answer.json()["detail"]) == (409, True)
    assert (await program.client.get("/api/v1/held/nothing/image")).status_code == 404
    assert (await program.client.post("/api/v1/cut")).json() == {"stopped": 0}


async def test_the_audit_tells_of_a_picture_and_forgetting_its_viewer_empties_it(program: Remote) -> None:
    actor = {"id": "forget-7", "name": "Forgetta", "role": "moderator"}
    receipt = (await program.client.post("/api/v1/triggers", json={"text": "!bg lighthouse", "actor": actor})).json()
    request_id = receipt["id"]
    assert (await program.ended(request_id))["state"] == "shown"

    async def rows() -> list[dict[str, object]]:
        lines = (await program.client.get("/api/v1/audit")).text.splitlines()
        return [row for row in map(json.loads, lines) if row["request_id"] == request_id]

    found = {str(row["what"]): row for row in await rows()}
    assert found["request"]["actor_name"] == "Forgetta"
    assert found["on_air"]["verdict_id"] == found["verdict"]["verdict_id"]
    forgotten = await program.client.delete("/api/v1/people/forget-7")
    assert forgotten.json() == {"requests": 1, "text": "Forgetta is forgotten"}
    assert await rows() == []
