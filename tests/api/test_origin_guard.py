"""The guard: what a foreign page sends is refused on both transports, and what belongs here passes."""

from __future__ import annotations

import asyncio

import pytest

from streamer.api.origin_guard import OriginGuard, allowed, objection

ALLOW = allowed(8710, ["gpu-box.local"], "https://pictures.example")

PASS = [
    {"host": ["127.0.0.1:8710"]},
    {"host": ["LOCALHOST:8710"], "origin": ["http://localhost:8710"]},
    {"host": ["[::1]:8710"], "sec-fetch-site": ["same-origin"]},
    {"host": ["gpu-box.local:8710"], "origin": ["http://gpu-box.local:8710"], "sec-fetch-site": ["none"]},
    {"host": ["pictures.example"], "origin": ["https://pictures.example"]},
]
REFUSE = [
    {},
    {"host": []},
    {"host": ["127.0.0.1:8710", "127.0.0.1:8710"]},
    {"host": ["evil.example:8710"]},
    {"host": ["127.0.0.1"]},
    {"host": ["127.0.0.1:9000"]},
    {"host": ["127.0.0.1:8710.evil.example"]},
    {"host": ["127.0.0.1:8710@evil.example"]},
    {"host": ["0.0.0.0:8710"]},
    {"host": ["127.1:8710"]},
    {"host": ["localhost.:8710"]},
    {"host": ["127.0.0.1:8710"], "origin": ["null"]},
    {"host": ["127.0.0.1:8710"], "origin": [""]},
    {"host": ["127.0.0.1:8710"], "origin": ["file://"]},
    {"host": ["127.0.0.1:8710"], "origin": ["http://absolute"]},
    {"host": ["127.0.0.1:8710"], "origin": ["https://127.0.0.1:8710"]},
    {"host": ["127.0.0.1:8710"], "origin": ["http://127.0.0.1:3000"]},
    {"host": ["127.0.0.1:8710"], "origin": ["http://127.0.0.1:8710.evil.example"]},
    {"host": ["127.0.0.1:8710"], "origin": ["http://evil.example"], "cookie": ["a=b"]},
    {"host": ["127.0.0.1:8710"], "origin": ["http://127.0.0.1:8710", "http://evil.example"]},
    {"host": ["127.0.0.1:8710"], "sec-fetch-site": ["cross-site"]},
    {"host": ["127.0.0.1:8710"], "sec-fetch-site": ["same-site"]},
]


@pytest.mark.parametrize("headers", PASS)
@pytest.mark.parametrize("transport", ["http", "websocket"])
def test_what_belongs_here_passes(headers: dict[str, list[str]], transport: str) -> None:
    assert objection(transport, "POST", headers, ALLOW) is None


@pytest.mark.parametrize("headers", REFUSE)
@pytest.mark.parametrize("transport", ["http", "websocket"])
def test_what_a_foreign_page_sends_is_refused(headers: dict[str, list[str]], transport: str) -> None:
    assert objection(transport, "POST", headers, ALLOW) is not None


def test_a_link_from_another_site_may_open_the_page() -> None:
    headers = {"host": ["127.0.0.1:8710"], "sec-fetch-site": ["cross-site"]}
    assert objection("http", "GET", headers, ALLOW) is None


async def answers(scope: dict[str, object]) -> list[dict[str, object]]:
    """Send one request through a guard that stands before an application which must not be reached."""
    sent: list[dict[str, object]] = []

    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError("the guard let it through")

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await asyncio.wait_for(OriginGuard(app, ALLOW)(scope, receive, send), 5)  # type: ignore[arg-type]
    return sent


async def test_a_refused_request_gets_a_problem_document() -> None:
    start, body = await answers({"type": "http", "method": "POST", "headers": [(b"host", b"evil.example")]})
    assert start["status"] == 403
    assert b"allowed_hosts" in body["body"]  # type: ignore[operator]


async def test_a_refused_socket_is_closed_before_it_opens() -> None:
    (message,) = await answers({"type": "websocket", "headers": [(b"host", b"evil.example")]})
    assert message["type"] == "websocket.close"
    assert message["code"] == 4403
