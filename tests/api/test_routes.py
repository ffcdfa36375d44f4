"""The HTTP face: what each token may do, what each route does, and what a wrong call is told."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.running import OPERATOR, Remote, client

ROUTES = [
    ("GET", "/api/v1/status"), ("GET", "/api/v1/stage"), ("GET", "/api/v1/requests"), ("GET", "/api/v1/requests/x"),
    ("DELETE", "/api/v1/requests/x"), ("GET", "/api/v1/pictures"), ("GET", "/api/v1/pictures/x"),
    ("GET", "/api/v1/pictures/x/image"), ("POST", "/api/v1/panic"), ("POST", "/api/v1/pause"),
    ("POST", "/api/v1/resume"), ("POST", "/api/v1/generator/free"), ("POST", "/api/v1/generator/warm"),
    ("POST", "/api/v1/stage/background/clear"), ("POST", "/api/v1/stage/background/undo"),
    ("POST", "/api/v1/stage/background/redo"), ("POST", "/api/v1/stage/background/show?picture=x"),
    ("POST", "/api/v1/triggers"), ("GET", "/api/v1/overlay"), ("GET", "/trigger/x"), ("POST", "/trigger/x"),
    ("GET", "/api/v1/named_triggers"), ("GET", "/api/v1/held/x/image"), ("POST", "/api/v1/requests/x/approve"),
    ("POST", "/api/v1/requests/x/deny"), ("POST", "/api/v1/cut"), ("GET", "/api/v1/bans"), ("POST", "/api/v1/bans"),
    ("DELETE", "/api/v1/bans/x"), ("DELETE", "/api/v1/people/x"), ("GET", "/api/v1/audit"),
]  # fmt: skip


def standing(program: Remote, name: str) -> str:
    return (program.home / "secrets" / name).read_text()


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("token", ["", "wrong", "overlay"])
async def test_no_route_opens_without_a_fitting_token(program: Remote, method: str, path: str, token: str) -> None:
    header = standing(program, "overlay") if token == "overlay" else token
    async with httpx.AsyncClient(base_url=program.url) as stranger:
        headers = {"authorization": f"Bearer {header}"} if header else {}
        answer = await stranger.request(method, path, headers=headers)
    assert answer.status_code in (401, 403)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_every_route_of_the_document_is_in_the_table_above(program: Remote) -> None:
    paths = (await program.client.get("/api/openapi.json")).json()["paths"]
    known = {path.split("?")[0].replace("/x", "/{}").replace("background", "{}") for _, path in ROUTES}
    open_ones = {"/healthz", "/readyz", "/metrics"}
    written = {"/".join("{}" if part.startswith("{") else part for part in path.split("/")) for path in paths}
    assert written - open_ones == known


async def test_a_trigger_token_may_ask_and_nothing_else(program: Remote) -> None:
    headers = {"authorization": f"Bearer {standing(program, 'trigger')}"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as deck:
        assert (await deck.post("/api/v1/triggers", json={"text": "hello"})).json()["outcome"] == "ignored"
        assert (await deck.post("/api/v1/panic")).status_code == 403


async def test_a_trigger_token_decides_about_nobody(program: Remote) -> None:
    headers = {"authorization": f"Bearer {standing(program, 'trigger')}"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as deck:
        for line in ("!ok", "!no", "!ban ann", "!unban ann"):
            assert (await deck.post("/api/v1/triggers", json={"text": line})).json()["rule"] == "role"


@pytest.mark.parametrize("token", ["nobody", OPERATOR])
async def test_a_body_longer_than_any_line_is_not_read(program: Remote, token: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"[" * 60_000

    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as stranger:
        answer = await stranger.post("/api/v1/triggers", content=endless())
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_name_is_cleaned_and_an_id_is_printable(program: Remote) -> None:
    actor = {"id": "q", "name": "a\x00\x1b[31m\u202e red", "role": "viewer"}
    receipt = (await program.client.post("/api/v1/triggers", json={"text": "!bg one", "actor": actor})).json()
    assert (await program.ended(receipt["id"]))["actor_name"] == "a[31m red"
    for key in ("a/b", "a b", "a\nb", "a\u202eb"):
        answer = await program.client.post("/api/v1/triggers", json={"text": "!bg one", "id": key})
        assert (answer.status_code, answer.json()["detail"][:2]) == (422, "id")


async def test_a_line_becomes_a_picture_that_can_be_fetched(program: Remote) -> None:
    request_id = await program.shown("!bg stormy harbour")
    assert (await program.client.get("/api/v1/stage")).json()["background"] == request_id
    image = await program.client.get(f"/api/v1/pictures/{request_id}/image")
    assert image.headers["content-type"] == "image/jpeg"
    assert image.content[:2] == b"\xff\xd8"
    listed = (await program.client.get("/api/v1/pictures?limit=1")).json()
    assert (listed[0]["id"], listed[0]["text"], listed[0]["width"]) == (request_id, "stormy harbour", 640)


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


async def test_panic_closes_and_resume_opens(program: Remote) -> None:
    await program.shown("!bg one")
    await program.client.post("/api/v1/panic")
    status = await program.status()
    assert (status["paused"], status["on_air"]["background"], status["pending"]) == (True, None, [])
    assert (await program.say("!bg two"))["rule"] == "panic"
    await program.client.post("/api/v1/resume")
    assert (await program.say("!bg two"))["outcome"] == "queued"


async def test_a_waiting_request_can_be_removed(program: Remote) -> None:
    shown = await program.shown("!meme one | a", role="viewer", name="ann")
    waiting = await program.say("!meme two | b", role="viewer", name="ben")
    assert [one["id"] for one in (await program.status())["pending"]] == [waiting["id"]]
    assert (await program.client.delete(f"/api/v1/requests/{waiting['id']}")).status_code == 204
    assert (await program.ended(waiting["id"]))["state"] == "cancelled"
    assert (await program.client.delete(f"/api/v1/requests/{shown}")).status_code == 409


async def test_a_named_trigger_runs_its_line(program: Remote) -> None:
    token = standing(program, "trigger")
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
        token = standing(program, "trigger")
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
    address = f"/trigger/clear?token={standing(program, 'trigger')}"
    async with httpx.AsyncClient(base_url=program.url) as browser:
        answer = await browser.get(address, headers=headers)
        assert (answer.status_code, answer.headers["cache-control"]) == (403, "no-store")
        assert (await program.status())["on_air"]["background"] is not None
        meant = await browser.get(address, headers={"sec-fetch-site": "none"})
    assert (meant.status_code, meant.headers["referrer-policy"]) == (200, "no-referrer")
    assert (await program.status())["on_air"]["background"] is None


async def test_the_gpu_can_be_given_away_and_taken_back(program: Remote) -> None:
    assert (await program.client.post("/api/v1/generator/free")).status_code == 204
    await program.until(lambda status: status["generator"]["state"] == "parked")
    assert (await program.client.get("/readyz")).status_code == 503
    held = await program.say("!bg held", role="viewer")
    assert held["outcome"] == "queued"
    assert (await program.client.post("/api/v1/generator/warm")).status_code == 204
    assert (await program.ended(held["id"]))["state"] == "shown"


async def test_what_is_listed_for_decks_and_shortcuts_works_when_pasted(program: Remote) -> None:
    listed = {one["name"]: one for one in (await program.client.get("/api/v1/named_triggers")).json()}
    assert {"harbour", "panic", "free"} <= set(listed)
    async with httpx.AsyncClient() as deck:
        assert (await deck.get(listed["next"]["address"])).json()["outcome"] == "done"
    if shutil.which("curl"):
        shell = await asyncio.create_subprocess_shell(listed["next"]["shortcut"], stdout=subprocess.PIPE)
        out, _ = await shell.communicate()
        assert json.loads(out)["outcome"] in ("done", "duplicate")


async def test_nothing_a_stranger_sends_makes_a_server_error(program: Remote) -> None:
    odd = ["/", "/api", "/api/v1", "/api/v1/requests/%2e%2e%2f", "/api/v1/pictures/..%2f..%2fsecrets%2foperator/image",
           "/panel/../../config.yaml", "/panel/%2e%2e/index.html", "/trigger/%00", "/overlay/static/x/../../secret",
           "/api/v1/requests?limit=0", "/api/v1/requests?limit=a", "/api/v1/requests?state=%27%20OR%201"]  # fmt: skip
    async with client(program.url) as operator:
        for method, path in itertools.product(("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"), odd):
            answer = await operator.request(method, path)
            assert answer.status_code < 500, (method, path)
            assert b"Traceback" not in answer.content
            assert "operator-token" not in answer.text


async def test_a_foreign_page_is_refused_before_the_token_is_looked_at(program: Remote) -> None:
    answer = await program.client.post("/api/v1/panic", headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    answer = await program.client.get("/api/v1/status", headers={"host": "evil.example"})
    assert answer.status_code == 403
    assert not (await program.status())["paused"]


async def test_many_callers_at_once_are_all_answered(program: Remote) -> None:
    receipts = await asyncio.gather(*(program.say(f"!bg {n}", name=f"v{n}", role="viewer") for n in range(40)))
    rows = await asyncio.gather(
        *(program.ended(receipt["id"]) for receipt in receipts if receipt["outcome"] != "refused")
    )
    assert rows
    assert {row["state"] for row in rows} <= {"shown", "expired"}
