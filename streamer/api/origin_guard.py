"""Refuses requests of other web pages to a server on this machine, which the framework's own middleware lets pass.

It compares Host and Origin as exact strings, for HTTP and WebSocket alike. That stops DNS rebinding, cross-site
requests, ``null`` origins and alias tricks (Gradio CVE-2024-1727, -47084, -47165, CVE-2025-5320).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.api.problem_details import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Allowed:
    """The names under which clients may call this server: ``hosts`` as in the Host header, ``origins`` with scheme."""

    hosts: frozenset[str]
    origins: frozenset[str]


def allowed(port: int, names: Iterable[str], public_url: str | None) -> Allowed:
    """Build the allow-list from the port, further host names and the public address."""
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", *names)}
    origins = {f"http://{host}" for host in hosts}
    if public_url:
        scheme, _, rest = public_url.rstrip("/").partition("://")
        hosts.add(rest)
        origins.add(f"{scheme}://{rest}")
    return Allowed(frozenset(hosts), frozenset(origins))


def objection(scope_type: str, method: str, headers: Mapping[str, list[str]], allow: Allowed) -> str | None:
    """Return what is wrong with the headers of a request, or None."""
    hosts, origins, site = headers.get("host", []), headers.get("origin", []), headers.get("sec-fetch-site", [])
    if len(hosts) != 1 or hosts[0].lower() not in allow.hosts:
        return "this server does not accept that host name; add it to server.allowed_hosts if it should"
    if len(origins) > 1 or (origins and origins[0].lower() not in allow.origins):
        return "pages from another origin may not call this server"
    changes = scope_type == "websocket" or method not in SAFE_METHODS
    if changes and any(value not in SAME_SITE for value in site):
        return "pages from another site may not call this server"
    return None


class OriginGuard:
    """Middleware in front of the whole application: it answers 403 where objection() returns a reason."""

    def __init__(self, app: ASGIApp, allow: Allowed) -> None:
        self._app, self._allow = app, allow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        reason = objection(scope["type"], scope.get("method", "GET"), _by_name(scope), self._allow)
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": reason[:120]})
        else:
            await problem(403, "Forbidden", reason)(scope, receive, send)


def _by_name(scope: Scope) -> dict[str, list[str]]:
    by_name: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        by_name.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return by_name
