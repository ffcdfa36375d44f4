"""Who may call which route, and what a stranger is told."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import httpx
import pytest
from fastapi import HTTPException, Request

from streamer.api.auth import TokenRole, TokenTable
from streamer.api.dependencies import METRICS, require
from tests.support.real_program import Remote, client, standing_token

ROUTES = [
    ("GET", "/api/v1/status"), ("GET", "/api/v1/stage"), ("GET", "/api/v1/requests"), ("GET", "/api/v1/requests/x"),
    ("DELETE", "/api/v1/requests/x"), ("GET", "/api/v1/pictures"), ("GET", "/api/v1/pictures/x"),
    ("GET", "/api/v1/pictures/x/image"), ("POST", "/api/v1/panic"), ("POST", "/api/v1/pause"),
    ("POST", "/api/v1/resume"), ("POST", "/api/v1/generator/free"), ("POST", "/api/v1/generator/warm"),
    ("POST", "/api/v1/stage/background/clear"), ("POST", "/api/v1/stage/background/undo"),
    ("POST", "/api/v1/stage/background/redo"), ("POST", "/api/v1/stage/background/show?picture=x"),
    ("POST", "/api/v1/triggers"), ("GET", "/api/v1/overlay"), ("GET", "/trigger/x"), ("POST", "/trigger/x"),
    ("GET", "/api/v1/models"),
    ("GET", "/api/v1/named_triggers"), ("GET", "/api/v1/held/x/image"), ("POST", "/api/v1/requests/x/approve"),
    ("POST", "/api/v1/requests/x/deny"), ("POST", "/api/v1/cut"), ("GET", "/api/v1/bans"), ("POST", "/api/v1/bans"),
    ("DELETE", "/api/v1/bans/x"), ("DELETE", "/api/v1/people/x"), ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/draft_options"), ("POST", "/api/v1/drafts"), ("GET", "/api/v1/drafts/x"),
    ("DELETE", "/api/v1/drafts/x"), ("GET", "/api/v1/drafts/x/image"), ("GET", "/api/v1/drafts/x/preview"),
    ("POST", "/api/v1/drafts/x/air"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("token", ["", "wrong", "overlay"])
async def test_no_route_opens_without_a_fitting_token(program: Remote, method: str, path: str, token: str) -> None:
    header = standing_token(program, "overlay") if token == "overlay" else token
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
    paths = {path for path in paths if not path.startswith("/v1/")}  # tests/api/v1/test_routes.py
    written = {"/".join("{}" if part.startswith("{") else part for part in path.split("/")) for path in paths}
    assert written - open_ones == known


async def test_a_trigger_token_may_ask_and_nothing_else(program: Remote) -> None:
    headers = {"authorization": f"Bearer {standing_token(program, 'trigger')}"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as deck:
        assert (await deck.post("/api/v1/triggers", json={"text": "hello"})).json()["outcome"] == "ignored"
        assert (await deck.post("/api/v1/panic")).status_code == 403


async def test_a_trigger_token_decides_about_nobody(program: Remote) -> None:
    headers = {"authorization": f"Bearer {standing_token(program, 'trigger')}"}
    async with httpx.AsyncClient(base_url=program.url, headers=headers) as deck:
        for line in ("!ok", "!no", "!ban ann", "!unban ann"):
            assert (await deck.post("/api/v1/triggers", json={"text": line})).json()["rule"] == "role"


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


TOKENS = TokenTable({TokenRole.OPERATOR: "op", TokenRole.TRIGGER: "tr"})


def request(authorization: str) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", authorization.encode())]})


def test_a_good_token_passes_and_others_are_told_what_is_missing() -> None:
    check = require(TokenRole.MODERATOR).dependency
    assert check is not None
    context = SimpleNamespace(tokens=TOKENS)
    check(request("Bearer op"), context)
    with pytest.raises(HTTPException, match="401"):
        check(request("Bearer guess"), context)
    with pytest.raises(HTTPException) as refused:
        check(request("Bearer tr"), context)
    assert (refused.value.status_code, "'moderator'" in refused.value.detail) == (403, True)


def test_the_metrics_are_open_until_other_computers_reach_the_program() -> None:
    check = METRICS.dependency
    assert check is not None
    check(request(""), SimpleNamespace(tokens=TOKENS, exposed=False))
    check(request("Bearer op"), SimpleNamespace(tokens=TOKENS, exposed=True))
    for stranger in ("", "Bearer guess", "Bearer tr"):
        with pytest.raises(HTTPException, match=r"401|403"):
            check(request(stranger), SimpleNamespace(tokens=TOKENS, exposed=True))
