"""What a line or a key does over HTTP, and what a wrong call is told."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator

import httpx
import pytest

from streamer.api.triggers import unintended
from tests.support.real_program import OPERATOR, Remote, standing_token


@pytest.mark.parametrize(("token", "status"), [("nobody", 411), (OPERATOR, 413)])
async def test_a_body_longer_than_any_line_is_not_read(program: Remote, token: str, status: int) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"[" * 60_000

    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as stranger:
        answer = await stranger.post("/api/v1/triggers", content=endless())
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_name_is_cleaned_and_an_id_is_printable(program: Remote) -> None:
    actor = {"id": "q", "name": "a\x00\x1b[31m\u202e red", "role": "viewer"}
    receipt = (await program.client.post("/api/v1/triggers", json={"text": "!bg one", "actor": actor})).json()
    assert (await program.ended(receipt["id"]))["actor_name"] == "a[31m red"
    for key in ("a/b", "a b", "a\nb", "a\u202eb"):
        answer = await program.client.post("/api/v1/triggers", json={"text": "!bg one", "id": key})
        assert (answer.status_code, answer.json()["detail"][:2]) == (422, "id")


async def test_a_line_sent_twice_with_one_id_is_drawn_once(program: Remote) -> None:
    first = await program.say("!bg harbour", id="retry-1")
    again = await program.say("!bg harbour", id="retry-1")
    assert (first["outcome"], again["outcome"]) == ("queued", "duplicate")


async def test_a_refusal_says_which_rule_and_why(program: Remote) -> None:
    receipt = await program.say("!bg " + "x" * 101, role="viewer")
    assert (receipt["outcome"], receipt["rule"]) == ("refused", "length")
    receipt = await program.say("!clear", role="viewer")
    assert (receipt["outcome"], receipt["rule"]) == ("refused", "role")


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": 5}, "text"),
        ({"text": "x" * 3000}, "text"),
        ({"text": "!bg a", "actor": {"role": "emperor"}}, "actor.role"),
        ({"text": "!bg a", "size": "4096x4096"}, "size"),
        ([], "body"),
    ],
)
async def test_a_wrong_body_is_told_which_field(program: Remote, body: object, names: str) -> None:
    answer = await program.client.post("/api/v1/triggers", json=body)
    assert answer.status_code == 422
    assert names in answer.json()["detail"]


async def test_a_body_that_is_no_json_is_a_problem_document_too(program: Remote) -> None:
    answer = await program.client.post("/api/v1/triggers", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_named_trigger_runs_its_line(program: Remote) -> None:
    token = standing_token(program, "trigger")
    async with httpx.AsyncClient(base_url=program.url) as deck:
        answer = await deck.get(f"/trigger/harbour?token={token}")
        assert answer.json()["outcome"] == "queued"
        assert (await program.ended(answer.json()["id"]))["text"] == "stormy harbour"
        unknown = await deck.get(f"/trigger/nothing?token={token}")
    assert unknown.status_code == 404
    assert "harbour, next, panic" in unknown.json()["detail"]


async def test_an_order_can_be_pressed_without_being_configured(program: Remote) -> None:
    await program.shown("!bg one")
    async with httpx.AsyncClient(base_url=program.url) as deck:
        token = standing_token(program, "trigger")
        answer = await deck.post("/trigger/clear", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["outcome"]) == (200, "done")
    assert (await program.status())["on_air"]["background"] is None


@pytest.mark.parametrize(
    "headers",
    [{"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"},
     {"sec-fetch-site": "cross-site"}],
)  # fmt: skip
async def test_a_press_that_nobody_meant_does_nothing(program: Remote, headers: dict[str, str]) -> None:
    await program.shown("!bg one")
    address = f"/trigger/clear?token={standing_token(program, 'trigger')}"
    async with httpx.AsyncClient(base_url=program.url) as browser:
        answer = await browser.get(address, headers=headers)
        assert (answer.status_code, answer.headers["cache-control"]) == (403, "no-store")
        assert (await program.status())["on_air"]["background"] is not None
        meant = await browser.get(address, headers={"sec-fetch-site": "none"})
    assert (meant.status_code, meant.headers["referrer-policy"]) == (200, "no-referrer")
    assert (await program.status())["on_air"]["background"] is None


async def test_what_is_listed_for_decks_and_shortcuts_works_when_pasted(program: Remote) -> None:
    listed = {one["name"]: one for one in (await program.client.get("/api/v1/named_triggers")).json()}
    assert {"harbour", "panic", "free"} <= set(listed)
    async with httpx.AsyncClient() as deck:
        assert (await deck.get(listed["next"]["address"])).json()["outcome"] == "done"
    if shutil.which("curl"):
        shell = await asyncio.create_subprocess_shell(listed["next"]["shortcut"], stdout=subprocess.PIPE)
        out, _ = await shell.communicate()
        assert json.loads(out)["outcome"] in ("done", "duplicate")


async def test_many_callers_at_once_are_all_answered(program: Remote) -> None:
    receipts = await asyncio.gather(*(program.say(f"!bg {n}", name=f"v{n}", role="viewer") for n in range(40)))
    rows = await asyncio.gather(
        *(program.ended(receipt["id"]) for receipt in receipts if receipt["outcome"] != "refused")
    )
    assert rows
    assert {row["state"] for row in rows} <= {"shown", "expired"}


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, ""),
        ({"sec-fetch-site": "none"}, ""),
        ({"sec-fetch-site": "same-origin"}, ""),
        ({"sec-fetch-site": "cross-site"}, "another page"),
        ({"sec-fetch-site": "same-site"}, "another page"),
        ({"sec-purpose": "prefetch"}, "prefetched"),
        ({"purpose": "Prefetch"}, "prefetched"),
        ({"x-purpose": "preview"}, "prefetched"),
    ],
)
def test_what_a_browser_asks_by_itself_is_not_meant(headers: dict[str, str], why: str) -> None:
    assert why in unintended(headers)
    assert bool(why) == bool(unintended(headers))
