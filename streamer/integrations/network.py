"""Connections to other computers as the environment says, and to this computer always directly.

A variable that cannot be used is one warning that names it, and connections go on without it. httpx and websockets read
the same variables by themselves, but a wrong one raises from their constructors, each library understands NO_PROXY in
its own way, and what stands there may send a call to this computer through a proxy.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

import certifi
import httpx
from websockets.asyncio.client import connect

log = logging.getLogger(__name__)

PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
SECURE = {"https": True, "wss": True, "http": False, "ws": False}
ANY_HOST = "*"
CERTIFICATE_FILE, CERTIFICATE_FOLDERS, KEY_LOG = "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"
NO_PROXY = "NO_PROXY"
_BRACKETS = re.compile(r"^\[([^\]]+)\](/\d+)?$")
_HOST_NAME = re.compile(r"[\w.-]+")

Range = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Problem:
    """A variable of the environment that cannot be used, or a part of it: why, and what to write instead."""

    variable: str
    detail: str
    fix: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.detail}; {self.fix}"


@dataclass(frozen=True, slots=True)
class DirectHost:
    """A host that NO_PROXY names, with everything beneath it; only at ``port`` unless that is None."""

    name: str
    port: int | None


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """What the environment says about connections to other computers, as far as it can be used.

    ``proxies`` maps http, https and all to the address of a proxy; ``certificates`` are a file and folders.
    """

    proxies: Mapping[str, str]
    hosts: tuple[DirectHost, ...]
    ranges: tuple[Range, ...]
    certificates: tuple[str | None, str | None]
    problems: tuple[Problem, ...]

    def proxy_for(self, url: str) -> str | None:
        """Return the address of the proxy for a URL, None for a direct connection."""
        address = urlsplit(url)
        host, secure = (address.hostname or "").rstrip("."), SECURE.get(address.scheme, False)
        proxy = self.proxies.get("https" if secure else "http") or self.proxies.get("all")
        if proxy is None or is_this_computer(host) or self._direct(host, address.port or (443 if secure else 80)):
            return None
        return proxy

    def _direct(self, host: str, port: int) -> bool:
        address = _address(host)
        if address is not None and any(address in block for block in self.ranges):
            return True
        return any(
            direct.name == ANY_HOST
            or ((host == direct.name or host.endswith(f".{direct.name}")) and direct.port in (None, port))
            for direct in self.hosts
        )


def is_this_computer(host: str) -> bool:
    """Tell whether a host name or address means the computer that the program runs on."""
    address = _address(host)
    if address is None:
        name = host.rstrip(".").lower()
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback or (mapped or address).is_unspecified


def is_inside(host: str) -> bool:
    """Tell whether a host name or address means this computer or, written as an address, one of a local network."""
    address = _address(host)
    return is_this_computer(host) or (address is not None and not address.is_global)


def lan_address(listening: str) -> str | None:
    """Return the address by which other computers reach a server that listens everywhere; None without a network.

    Nothing is sent: the system only tells from where it would send. ``listening`` is 0.0.0.0 or ::.
    """
    far = [(socket.AF_INET, "192.0.2.1")] + [(socket.AF_INET6, "2001:db8::1")] * (":" in listening)
    for family, host in far:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
            return str(probe.getsockname()[0])
    return None


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def read_settings(environ: Mapping[str, str], proxies: Mapping[str, str]) -> NetworkSettings:
    """Examine the variables; ``proxies`` are those of ``urllib.request.getproxies``, which knows the system's too."""
    problems: list[Problem] = []
    usable = {}
    for scheme in ("http", "https", "all"):
        if value := proxies.get(scheme, "").strip():
            proxy = value if "://" in value else f"http://{value}"
            if problem := _proxy_problem(proxy):
                problems.append(Problem(_variable_of(scheme, environ), *problem))
            else:
                usable[scheme] = proxy
    hosts, ranges = _direct_hosts(proxies.get("no", ""), problems)
    certificates = _certificate_file(environ, problems), _certificate_folders(environ, problems)
    _check_key_log(environ, problems)
    return NetworkSettings(usable, hosts, ranges, certificates, tuple(problems))


def _proxy_problem(proxy: str) -> tuple[str, str] | None:
    """Say what is wrong with the address of a proxy, and the fix; a password in it is not repeated."""
    shown = re.sub(r"//.*@", "//...@", proxy)
    example = "write it like http://proxy.example:3128 or socks5h://127.0.0.1:1080, or unset it"
    try:
        parts = urlsplit(proxy)
        sound = bool(parts.hostname and httpx.URL(proxy).host and parts.port != 0) and not re.search(r"\s", proxy)
    except (ValueError, httpx.InvalidURL):
        sound = False
    if not sound:
        return f"{shown!r} is not the address of a proxy, so connections go without it", example
    if parts.scheme.lower() not in PROXY_SCHEMES:
        detail = f"{shown!r} names an unknown kind of proxy, so connections go without it"
        return detail, example if "socks" not in parts.scheme else f"write socks5h:{shown.partition(':')[2]}"
    return None


def _variable_of(scheme: str, environ: Mapping[str, str]) -> str:
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    return next((name for name in names if environ.get(name)), f"the system's {scheme} proxy")


def _direct_hosts(listed: str, problems: list[Problem]) -> tuple[tuple[DirectHost, ...], tuple[Range, ...]]:
    """Read NO_PROXY: names, addresses and ranges, IPv6 with or without brackets."""
    hosts: list[DirectHost] = []
    ranges: list[Range] = []
    unknown = []
    for entry in filter(None, re.split(r"[,\s]+", listed)):
        if (block := _range(entry)) is not None:
            ranges.append(block)
        elif (host := _direct_host(entry)) is not None:
            hosts.append(host)
        else:
            unknown.append(entry)
    if unknown:
        detail = f"{', '.join(unknown)} is neither a name nor an address nor a range, so it is left out"
        problems.append(Problem(NO_PROXY, detail, "write names, addresses or ranges like 10.0.0.0/8 or fe80::/10"))
    return tuple(hosts), tuple(ranges)


def _range(entry: str) -> Range | None:
    try:
        return ipaddress.ip_network(_BRACKETS.sub(r"\1\2", entry), strict=False)
    except ValueError:
        return None


def _direct_host(entry: str) -> DirectHost | None:
    if entry == ANY_HOST:
        return DirectHost(ANY_HOST, None)
    host, _, port = entry.rpartition("://")[2].rpartition(":")
    if not host:
        host, port = port, ""
    host = host.strip("[]").removeprefix("*").strip(".").lower()
    if (port and not port.isdecimal()) or not (_HOST_NAME.fullmatch(host) or _address(host)):
        return None
    return DirectHost(host, int(port) if port else None)


def _certificate_file(environ: Mapping[str, str], problems: list[Problem]) -> str | None:
    if not (path := environ.get(CERTIFICATE_FILE)):
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError as error:
        why = "has no certificates in PEM format" if isinstance(error, ssl.SSLError) else error.strerror
        detail = f"{path}: {why}, so the usual certificates are used"
        problems.append(Problem(CERTIFICATE_FILE, detail, "name a readable file of certificates, or unset it"))
        return None
    return path


def _certificate_folders(environ: Mapping[str, str], problems: list[Problem]) -> str | None:
    folders = list(filter(None, environ.get(CERTIFICATE_FOLDERS, "").split(os.pathsep)))
    usable = [folder for folder in folders if os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)]
    if bad := [folder for folder in folders if folder not in usable]:
        otherwise = "the others are used" if usable else "the usual certificates are used"
        detail = f"{', '.join(bad)}: no folder that can be read, so {otherwise}"
        problems.append(Problem(CERTIFICATE_FOLDERS, detail, "name a readable folder of certificates, or unset it"))
    return os.pathsep.join(usable) or None


def _check_key_log(environ: Mapping[str, str], problems: list[Problem]) -> None:
    """Report a key log that Python's own TLS contexts, in the generator process, would fail at."""
    path = environ.get(KEY_LOG)
    if path and not os.access(path if os.path.exists(path) else os.path.dirname(path) or ".", os.W_OK):
        problems.append(Problem(KEY_LOG, f"{path} cannot be written, so nothing is", "name another file, or unset it"))


def settings() -> NetworkSettings:
    """Return what the environment says now; each problem is logged once, when it is first met."""
    certificate_variables = (CERTIFICATE_FILE, CERTIFICATE_FOLDERS, KEY_LOG)
    variables = [(name, os.environ[name]) for name in (*os.environ,) if name.lower().endswith("_proxy")]
    variables += [(name, os.environ[name]) for name in certificate_variables if name in os.environ]
    return _examined(tuple(variables), tuple(getproxies().items()))


@lru_cache(maxsize=8)
def _examined(variables: tuple[tuple[str, str], ...], proxies: tuple[tuple[str, str], ...]) -> NetworkSettings:
    found = read_settings(dict(variables), dict(proxies))
    for problem in found.problems:
        log.warning("environment: %s", problem)
    return found


def proxy_for(url: str) -> str | None:
    """Return the address of the proxy through which a URL is reached now, None for a direct connection."""
    host = urlsplit(url).hostname or ""
    # The system's own exceptions count where its settings do; in the environment NO_PROXY has been read already.
    if not getproxies_environment() and not is_this_computer(host) and proxy_bypass(host):
        return None
    return settings().proxy_for(url)


@lru_cache(maxsize=8)
def _tls(certificates: tuple[str | None, str | None]) -> ssl.SSLContext:
    """Trust what the environment names, and otherwise the certificates of certifi and of the system."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    file, folders = certificates
    if file or folders:
        context.load_verify_locations(cafile=file, capath=folders)
    else:
        context.load_verify_locations(cafile=certifi.where())
        context.load_default_certs()
    return context


class _ByEnvironment(httpx.AsyncBaseTransport):
    """Sends each request by the way that the environment names for its address; connections are made when needed."""

    def __init__(self) -> None:
        self._ways: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = proxy_for(str(request.url))
        if (way := self._ways.get(proxy)) is None:
            tls = _tls(settings().certificates)
            way = self._ways[proxy] = httpx.AsyncHTTPTransport(verify=tls, trust_env=False, proxy=_proxy(proxy, tls))
        return await way.handle_async_request(request)

    async def aclose(self) -> None:
        for way in self._ways.values():
            await way.aclose()


def _proxy(address: str | None, tls: ssl.SSLContext) -> httpx.Proxy | None:
    if address is None:
        return None
    return httpx.Proxy(address, ssl_context=tls if address.startswith("https:") else None)


def http_client(timeout: float | httpx.Timeout, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """Make a client for other computers, and for services on this one, which it reaches directly."""
    return httpx.AsyncClient(transport=_ByEnvironment(), timeout=timeout, headers=headers)


def own_client(timeout: float | httpx.Timeout, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """Make a client for this program itself, which is never asked through a proxy, whatever its address is."""
    transport = httpx.AsyncHTTPTransport(verify=_tls((None, None)), trust_env=False)
    return httpx.AsyncClient(transport=transport, timeout=timeout, headers=headers)


def websocket(url: str, **options: Any) -> connect:
    """Prepare a WebSocket connection to a URL, with the options of ``websockets.connect``."""
    tls, proxy = _tls(settings().certificates), proxy_for(url)
    if SECURE.get(urlsplit(url).scheme):
        options.setdefault("ssl", tls)
    if proxy is not None and proxy.startswith("https:"):
        options["proxy_ssl"] = tls
    return connect(url, proxy=proxy, **options)


def usable_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for another process, without what libraries there would fail at."""
    unusable = {problem.variable for problem in settings().problems}
    kept = {name: value for name, value in environ.items() if name not in unusable}
    for name in (NO_PROXY, NO_PROXY.lower()):
        if name in environ:
            kept[name] = ",".join(_simple_entries(environ[name].split(",")))
    return kept


def _simple_entries(entries: Iterable[str]) -> Iterable[str]:
    """Leave out ranges, ports and brackets of IPv6, of which httpx makes an invalid address."""
    for entry in (_BRACKETS.sub(r"\1\2", entry.strip()) for entry in entries):
        if (_range(entry) or _direct_host(entry)) and (":" not in entry or _address(entry)):
            yield entry
