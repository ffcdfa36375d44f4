"""The pictures on air, changed over HTTP."""

from __future__ import annotations

from tests.support.real_program import Remote


async def test_undo_and_redo_over_http(program: Remote) -> None:
    first = await program.shown("!bg one")
    second = await program.shown("!bg two")
    for verb, expected in (("undo", first), ("redo", second)):
        assert (await program.client.post(f"/api/v1/stage/background/{verb}")).status_code == 204
        assert (await program.client.get("/api/v1/stage")).json()["background"] == expected
    assert (await program.client.post("/api/v1/stage/background/redo")).status_code == 409


async def test_clear_takes_the_picture_off_the_air_and_show_brings_it_back(program: Remote) -> None:
    request_id = await program.shown("!bg one")
    await program.client.post("/api/v1/stage/background/clear")
    assert (await program.status())["on_air"]["background"] is None
    answer = await program.client.post(f"/api/v1/stage/background/show?picture={request_id}")
    assert answer.status_code == 204
    assert (await program.status())["on_air"]["background"] == request_id


async def test_an_unknown_layer_lists_the_known_ones(program: Remote) -> None:
    answer = await program.client.post("/api/v1/stage/nowhere/clear")
    assert answer.status_code == 404
    assert "background, meme" in answer.json()["detail"]
