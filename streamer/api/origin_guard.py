"""Refuses requests of other web pages to a server on this machine, which the framework's own middleware lets pass.

It compares Host and Origin with a list, for HTTP and WebSocket alike, as RFC 9110 and 3986 say: capitals, a default
port, a final dot and the ways to write an IPv6 address make no difference. That stops DNS rebinding, cross-site
requests, ``null`` origins and alias tricks (Gradio CVE-2024-1727, -47084, -47165, CVE-2025-5320).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import httpx
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.api.problem_details import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE = frozenset({"same-origin", "none"})
DEFAULT_PORTS = {"http": 80, "https": 443}
OWN_PATHS = frozenset({"api", "overlay", "panel", "shared", "trigger", "v1", "ws"})
"""What our own addresses begin with; a public address with such a path could not be told from them."""
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>\d{0,5}))?")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a page comes from: scheme, canonical host and port."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """The sites under which clients may call this server, and the path of the public one, like /streamer."""

    sites: frozenset[Site]
    path: str = ""


def canonical_host(name: str) -> str:
    """Return a host name or an address as it is compared: lower case, without brackets, final dot or umlauts.

    Raises ValueError for what is neither.
    """
    given = name.strip()
    try:
        address = ipaddress.ip_address(given.strip("[]"))
    except ValueError:
        return _canonical_name(given)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).compressed


def _canonical_name(name: str) -> str:
    problem = f"{name!r} is no host name; write it like gpu-box.local, without http:// and port"
    try:
        host = httpx.URL(f"http://{name}").raw_host.decode().removesuffix(".")
    except httpx.InvalidURL as error:
        raise ValueError(problem) from error
    if re.search(r"[:/?#@]", name) or not _AUTHORITY.fullmatch(host):
        raise ValueError(problem)
    return host


def canonical_url(url: str) -> str:
    """Return a public address as it is printed and compared, without a final slash.

    Raises ValueError for what is no address of a web page, and for a path that begins like one of our own.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("is no address like https://pictures.example or https://example.org/streamer")
    host, path = canonical_host(parts.hostname), quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    if path.split("/")[1:2] and path.split("/")[1] in OWN_PATHS:
        raise ValueError(f"has the path {path}, which the program uses itself; choose another, like /streamer")
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{path}"


def allowed(port: int, names: Iterable[str], public_url: str | None) -> Allowed:
    """Build the allow-list from the port, further host names and the public address."""
    sites = {Site("http", canonical_host(name), port) for name in ("127.0.0.1", "localhost", "::1", *names)}
    if not public_url:
        return Allowed(frozenset(sites))
    public = urlsplit(canonical_url(public_url))
    host = canonical_host(public.hostname or "")
    sites.add(Site(public.scheme, host, public.port or DEFAULT_PORTS[public.scheme]))
    return Allowed(frozenset(sites), public.path)


def _authority(value: str) -> tuple[str, int | None] | None:
    """Split the value of a Host header into canonical host and port; None when it is malformed."""
    if (match := _AUTHORITY.fullmatch(value)) is None:
        return None
    try:
        host = canonical_host(match["v6"]) if match["v6"] else match["name"].lower().removesuffix(".")
    except ValueError:
        return None
    return host, int(match["port"]) if match["port"] else None


def _origin(value: str) -> Site | None:
    scheme, separator, rest = value.partition("://")
    scheme = scheme.lower()
    authority = _authority(rest) if separator else None
    if authority is None or scheme not in DEFAULT_PORTS:
        return None
    return Site(scheme, authority[0], authority[1] or DEFAULT_PORTS[scheme])


def _sites_of(host: str, allow: Allowed, reached_at: tuple[str, int] | None) -> frozenset[Site]:
    """Return the sites that a Host header may mean here; none when it is not ours."""
    if (given := _authority(host)) is None:
        return frozenset()
    name, port = given
    meant = {site for site in allow.sites if site.host == name and (port or DEFAULT_PORTS[site.scheme]) == site.port}
    # The very address at which the connection arrived: no foreign name leads there, so it cannot be rebound.
    if reached_at is not None and (canonical_host(reached_at[0]), reached_at[1]) == (
        name,
        port or DEFAULT_PORTS["http"],
    ):
        meant.add(Site("http", name, reached_at[1]))
    return frozenset(meant)


def objection(
    scope_type: str, method: str, headers: Mapping[str, list[str]], allow: Allowed,
    reached_at: tuple[str, int] | None = None,
) -> str | None:  # fmt: skip
    """Return what is wrong with the headers of a request, or None; ``reached_at`` is our end of the connection."""
    hosts, origins, site = headers.get("host", []), headers.get("origin", []), headers.get("sec-fetch-site", [])
    meant = _sites_of(hosts[0], allow, reached_at) if len(hosts) == 1 else frozenset()
    if not meant:
        return "this server does not accept that host name; add it to server.allowed_hosts if it should"
    if len(origins) > 1 or (origins and _origin(origins[0]) not in allow.sites | meant):
        return "pages from another origin may not call this server"
    changes = scope_type == "websocket" or method not in SAFE_METHODS
    if changes and any(value not in SAME_SITE for value in site):
        return "pages from another site may not call this server"
    return None


class OriginGuard:
    """Middleware in front of the whole application: it answers 403 where objection() returns a reason.

    It also takes the path of the public address off, which a reverse proxy may or may not have done.
    """

    def __init__(self, app: ASGIApp, allow: Allowed) -> None:
        self._app, self._allow = app, allow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        method = scope.get("method", "GET")
        reason = objection(scope["type"], method, _by_name(scope), self._allow, _reached_at(scope))
        if reason is None:
            await self._pass_on(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": reason[:120]})
        else:
            await problem(403, "Forbidden", reason)(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = unquote(self._allow.path)
        path = scope.get("path", "")
        if prefix and path == prefix and scope["type"] == "http":
            # The pages name their parts beside themselves, so they need the slash.
            await RedirectResponse(f"{self._allow.path}/")(scope, receive, send)
            return
        if prefix and path.startswith(f"{prefix}/"):
            scope = {**scope, "path": path[len(prefix) :]}
            scope.pop("raw_path", None)
        await self._app(scope, receive, send)


def _reached_at(scope: Scope) -> tuple[str, int] | None:
    server = scope.get("server")
    return (server[0].partition("%")[0], server[1]) if server and server[1] is not None else None


def _by_name(scope: Scope) -> dict[str, list[str]]:
    by_name: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        by_name.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return by_name
