"""Other computers are reached as the environment says, this one directly, and a useless variable is one warning."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamer.integrations import network
from streamer.integrations.network import is_inside, is_this_computer, read_settings
from tests.support.irc_server import IrcServer
from tests.support.recording_proxy import RecordingProxy

PROXY = {"http": "http://proxy.test:3128", "https": "proxy.test:3129"}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
            monkeypatch.delenv(name)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingProxy]:
    with RecordingProxy() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        yield proxy


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]", "::ffff:127.0.0.1",
             "0.0.0.0", "::"],
)  # fmt: skip
def test_this_computer_has_many_names(host: str) -> None:
    assert is_this_computer(host)


@pytest.mark.parametrize("host", ["localhost.test", "128.0.0.1", "fe80::1%eth0", "192.168.1.5", "", "127.0.0.1.test"])
def test_other_computers_are_not_this_one(host: str) -> None:
    assert not is_this_computer(host)


@pytest.mark.parametrize(
    ("url", "listed", "proxy"),
    [
        ("http://far.test/a", "", "http://proxy.test:3128"),
        ("wss://far.test", "", "http://proxy.test:3129"),
        ("ws://far.test", "", "http://proxy.test:3128"),
        ("https://127.0.0.1", "", None),
        ("http://[::1]:8710", "other.test", None),
        ("http://localhost:11434", "other.test", None),
        ("http://far.test", "*", None),
        ("http://a.far.test", "far.test", None),
        ("http://a.far.test", ".far.test", None),
        ("http://a.far.test", "*.far.test", None),
        ("http://FAR.test.", "far.test", None),
        ("http://notfar.test", "far.test", "http://proxy.test:3128"),
        ("http://far.test:80", "far.test:80", None),
        ("http://far.test:81", "far.test:80", "http://proxy.test:3128"),
        ("http://10.1.2.3", "10.0.0.0/8", None),
        ("http://10.1.2.3", "10.1.2.4/8 other.test", None),
        ("http://11.1.2.3", "10.0.0.0/8", "http://proxy.test:3128"),
        ("http://[fe80::2]:80", "localhost,fe80::/10", None),
        ("http://[fe80::2]:80", "[fe80::]/10", None),
        ("http://[2001:db8::2]", "[2001:db8::2]", None),
        ("http://[2001:db8::2]:80", "[2001:db8::2]:80", None),
        ("http://[2001:db8::3]", "2001:db8::2", "http://proxy.test:3128"),
    ],
)
def test_no_proxy_means_names_addresses_and_ranges(url: str, listed: str, proxy: str | None) -> None:
    settings = read_settings({}, {**PROXY, "no": listed})
    assert (settings.proxy_for(url), settings.problems) == (proxy, ())


def test_all_proxy_serves_what_has_no_proxy_of_its_own() -> None:
    settings = read_settings({}, {"https": "http://one.test:1", "all": "socks5h://two.test:2"})
    assert settings.proxy_for("https://far.test") == "http://one.test:1"
    assert settings.proxy_for("http://far.test") == "socks5h://two.test:2"


@pytest.mark.parametrize(
    "value",
    ["socks://127.0.0.1:1080", "ftp://proxy.test", "http://", "http://[::1", "http://proxy.test:port", "://x",
     "http://proxy.test:0", "http://proxy.test:99999", "http://pro xy.test:1"],
)  # fmt: skip
def test_a_proxy_that_cannot_be_used_is_named_and_left_out(value: str) -> None:
    settings = read_settings({"ALL_PROXY": value}, {"all": value})
    assert [problem.variable for problem in settings.problems] == ["ALL_PROXY"]
    assert settings.proxy_for("http://far.test") is None


def test_the_fix_of_a_desktops_socks_address_is_the_address_itself() -> None:
    (problem,) = read_settings({"all_proxy": "socks://h:1/"}, {"all": "socks://h:1/"}).problems
    assert (problem.variable, problem.fix) == ("all_proxy", "write socks5h://h:1/")


def test_a_password_is_not_repeated() -> None:
    (problem,) = read_settings({}, {"http": "socks://ann:hunter2@h:1"}).problems
    assert "hunter2" not in str(problem)


def test_an_entry_that_means_nothing_is_named_and_the_others_count() -> None:
    settings = read_settings({}, {**PROXY, "no": "10.0.0.0/99,far.test,a b/c"})
    assert "10.0.0.0/99, b/c" in settings.problems[0].detail
    assert settings.proxy_for("http://far.test") is None


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"])
def test_a_missing_file_is_named_once_and_connections_are_made_without_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "missing" / "file"))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            network.websocket("wss://far.test")
            assert network.usable_environment({name: "x", "HOME": "y"}) == {"HOME": "y"}
    assert [record.message.split(":")[:2] for record in caplog.records] == [["environment", f" {name}"]]


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("nothing")
    (problem,) = read_settings({"SSL_CERT_FILE": str(tmp_path / "empty")}, {}).problems
    assert "no certificates in PEM format" in str(problem)


def test_a_readable_folder_counts_beside_a_missing_one(tmp_path: Path) -> None:
    settings = read_settings({"SSL_CERT_DIR": f"/missing{os.pathsep}{tmp_path}"}, {})
    assert settings.certificates == (None, str(tmp_path))
    assert len(settings.problems) == 1


def test_another_process_gets_what_its_libraries_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "far.test, fe80::/10,[::1],[2001:db8::1]:80,10.0.0.0/8"
    monkeypatch.setenv("NO_PROXY", listed)
    monkeypatch.setenv("ALL_PROXY", "socks://h:1")
    child = network.usable_environment(os.environ)
    assert child["NO_PROXY"] == "far.test,::1,10.0.0.0/8"
    assert "ALL_PROXY" not in child
    for name in ("NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTP_PROXY", "http://h:1")
    monkeypatch.setenv("NO_PROXY", child["NO_PROXY"])
    httpx.Client().close()


async def test_the_world_is_asked_through_the_proxy_and_this_computer_directly(
    proxy: RecordingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecordingProxy() as local:
        async with network.http_client(5) as client:
            assert (await client.get("http://far.test/where")).json() == {"answered_by": "the proxy"}
            await client.get(f"{local.url}/here")
            monkeypatch.setenv("NO_PROXY", "far.test")
            with pytest.raises(httpx.ConnectError):
                await client.get("http://far.test/where")
        async with network.own_client(5) as client:
            await client.get(f"{local.url}/own")
    assert local.asked == ["GET /here", "GET /own"]
    assert proxy.asked == ["GET http://far.test/where"]


async def test_a_websocket_goes_through_the_proxy_to_the_world_and_directly_to_this_computer(
    proxy: RecordingProxy,
) -> None:
    async with IrcServer() as server:
        port = int(server.url.rpartition(":")[2])
        proxy.tunnels_to = ("127.0.0.1", port)
        options: dict[str, Any] = {"open_timeout": 5, "ping_interval": None, "compression": None}
        async with network.websocket(f"ws://chat.test:{port}", **options):
            assert proxy.asked == [f"CONNECT chat.test:{port}"]
        async with network.websocket(server.url, **options):
            assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.4", "169.254.169.254", "[fe80::1]", "::1"]
)
def test_this_computer_and_addresses_of_a_local_network_are_inside(host: str) -> None:
    assert is_inside(host)


@pytest.mark.parametrize("host", ["8.8.8.8", "pictures.example", "2606:4700::1111"])
def test_names_and_addresses_of_the_internet_are_not_inside(host: str) -> None:
    assert not is_inside(host)
