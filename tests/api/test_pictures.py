"""The history of pictures over HTTP."""

from __future__ import annotations

from tests.support.real_program import Remote


async def test_a_line_becomes_a_picture_that_can_be_fetched(program: Remote) -> None:
    request_id = await program.shown("!bg stormy harbour")
    assert (await program.client.get("/api/v1/stage")).json()["background"] == request_id
    image = await program.client.get(f"/api/v1/pictures/{request_id}/image")
    assert image.headers["content-type"] == "image/jpeg"
    assert image.content[:2] == b"\xff\xd8"
    listed = (await program.client.get("/api/v1/pictures?limit=1")).json()
    assert (listed[0]["id"], listed[0]["text"], listed[0]["width"]) == (request_id, "stormy harbour", 640)
