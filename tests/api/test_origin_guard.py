"""The guard: what a foreign page sends is refused on both transports, and what belongs here passes."""

from __future__ import annotations

import asyncio

import pytest

from streamer.api.origin_guard import OriginGuard, allowed, canonical_host, canonical_url, objection

ALLOW = allowed(8710, ["gpu-box.local"], "https://pictures.example")

PASS = [
    {"host": ["127.0.0.1:8710"]},
    {"host": ["LOCALHOST:8710"], "origin": ["http://localhost:8710"]},
    {"host": ["[::1]:8710"], "sec-fetch-site": ["same-origin"]},
    {"host": ["gpu-box.local:8710"], "origin": ["http://gpu-box.local:8710"], "sec-fetch-site": ["none"]},
    {"host": ["pictures.example"], "origin": ["https://pictures.example"]},
    {"host": ["Pictures.Example:443"], "origin": ["HTTPS://pictures.EXAMPLE:443"]},
    {"host": ["pictures.example."], "origin": ["https://pictures.example."]},
    {"host": ["localhost.:8710"], "origin": ["http://localhost.:8710"]},
    {"host": ["[0:0:0:0:0:0:0:1]:8710"], "origin": ["http://[::1]:8710"]},
    {"host": ["[::FFFF:127.0.0.1]:8710"]},
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
    {"host": ["localhost..:8710"]},
    {"host": ["pictures.example:80"]},
    {"host": ["pictures.example:8710"]},
    {"host": ["pictures.example"], "origin": ["http://pictures.example"]},
    {"host": ["[::1%25lo]:8710"]},
    {"host": ["[::1]:8710/x"]},
    {"host": ["127.0.0.1:8710\n"]},
    {"host": ["192.168.1.5:8710"]},
    {"host": ["127.0.0.1:008710x"]},
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


LAN = ("192.168.1.5", 8710)


def test_the_address_at_which_a_connection_arrived_is_ours() -> None:
    headers = {"host": ["192.168.1.5:8710"], "origin": ["http://192.168.1.5:8710"], "sec-fetch-site": ["same-origin"]}
    assert objection("websocket", "GET", headers, ALLOW, LAN) is None
    mapped = {"host": ["192.168.1.5:8710"], "origin": ["http://192.168.1.5:8710"]}
    assert objection("http", "POST", mapped, ALLOW, ("::ffff:192.168.1.5", 8710)) is None
    for host, origin in (
        ("192.168.1.6:8710", "http://192.168.1.6:8710"), ("192.168.1.5:8710", "http://evil.example"),
        ("evil.example:8710", "http://evil.example:8710"), ("192.168.1.5", "http://192.168.1.5"),
        ("192.168.1.5:8710", "https://192.168.1.5:8710"),
    ):  # fmt: skip
        assert objection("http", "POST", {"host": [host], "origin": [origin]}, ALLOW, LAN) is not None


def test_a_server_on_port_80_has_a_name_without_port() -> None:
    allow = allowed(80, ["gpu-box.local"], None)
    assert objection("http", "POST", {"host": ["gpu-box.local"], "origin": ["http://gpu-box.local"]}, allow) is None
    assert objection("http", "POST", {"host": ["gpu-box.local:80"], "origin": ["http://gpu-box.local"]}, allow) is None


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://pictures.example", "https://pictures.example"),
        ("HTTPS://Pictures.Example.:443/", "https://pictures.example"),
        ("http://pictures.example:443", "http://pictures.example:443"),
        (
            "http://bücher.example:80/строй ка/",
            "http://xn--bcher-kva.example/%D1%81%D1%82%D1%80%D0%BE%D0%B9%20%D0%BA%D0%B0",
        ),
        ("https://[2001:DB8:0::1]:8443/streamer/", "https://[2001:db8::1]:8443/streamer"),
    ],
)
def test_a_public_address_has_one_form(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


@pytest.mark.parametrize(
    "url", ["pictures.example", "ftp://a", "https://", "https://a/?b", "https://a/#b", "https://u@a", "https://a b",
            "https://a/overlay", "https://a/api/x", "https://a:port"],
)  # fmt: skip
def test_what_is_no_public_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        canonical_url(url)


@pytest.mark.parametrize("name", ["", "a b", "http://gpu-box.local", "gpu-box.local:8710", "a/b", "u@a", "a#b"])
def test_what_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no host name; write it like gpu-box\.local"):
        canonical_host(name)


async def path_seen(path: str) -> str:
    """Send a request for a path through the guard of https://pictures.example/live show, and return what is served."""
    seen: list[str] = []

    async def app(scope: dict[str, str], receive: object, send: object) -> None:
        seen.append(scope["path"])

    async def send(message: dict[str, object]) -> None:
        seen.extend(value.decode() for name, value in message.get("headers", []) if name == b"location")  # type: ignore[attr-defined]

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"pictures.example")]}
    allow = allowed(8710, [], "https://pictures.example/live show/")
    await OriginGuard(app, allow)(scope, None, send)  # type: ignore[arg-type]
    return seen[0]


async def test_the_path_of_the_public_address_is_taken_off_where_the_proxy_left_it() -> None:
    assert await path_seen("/live show/") == "/"
    assert await path_seen("/live show/api/v1/status") == "/api/v1/status"
    assert await path_seen("/api/v1/status") == "/api/v1/status"
    assert await path_seen("/live shows/x") == "/live shows/x"
    assert await path_seen("/live show") == "/live%20show/"


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
