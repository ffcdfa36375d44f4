"""Without the link's key nobody gets to the playground, and its page loads nothing from other hosts."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from streamer.playground.guard import COOKIE, KeyGuard

KEY = "the-key-of-the-tests"


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def browser() -> httpx.AsyncClient:
    app = KeyGuard(Starlette(routes=[Route("/", hello)]), KEY)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def test_the_link_lets_in_and_takes_the_key_out_of_the_address() -> None:
    async with browser() as visitor:
        answer = await visitor.get("/", params={"key": KEY})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert "SameSite=strict" in cookie
        assert "HttpOnly" in cookie
        page = await visitor.get("/")
        assert page.text == "hello"
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("query", ["", "?key=wrong", "?key=", f"?key={KEY}&key=wrong", "?key=%ff"])
async def test_without_the_key_the_answer_names_the_link(query: str) -> None:
    async with browser() as visitor:
        answer = await visitor.get(f"/{query}")
        assert answer.status_code == 403
        assert "open the link" in answer.text


@pytest.mark.parametrize("cookie", [f"{COOKIE}=wrong", f"other={KEY}", f"{COOKIE}", "\x00;=;", f"{COOKIE}=\xff"])
async def test_another_cookie_does_not_let_in(cookie: str) -> None:
    async with browser() as visitor:
        answer = await visitor.get("/", headers=[(b"cookie", cookie.encode("latin-1"))])
        assert answer.status_code == 403
