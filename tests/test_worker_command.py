"""`streamer worker`: where it listens, whom it warns, and a picture from the real program."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer import config_checks, worker_command
from streamer.errors import BackendUnavailable, ConfigError
from streamer.generator.ipc import JudgeUse, Start
from streamer.types import Frame
from streamer.worker_command import Listening, build, url_of
from tests.support.embedded import place
from tests.support.generation import draw, ready, request
from tests.support.real_program import CONFIG
from tests.support.remote_worker import connected, slot_at

START = Start("", ((64, 48),), 71, (JudgeUse("nudenet", {}),), {})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "gpu-pc"])
def test_other_computers_may_only_come_by_a_way_that_is_safe_or_trusted(host: str) -> None:
    with pytest.raises(ConfigError, match="others read token and pictures") as caught:
        Listening(host, 8711).check()
    assert "--trust-network" in caught.value.fix
    Listening(host, 8711, trusted=True).check()
    Listening(host, 8711, cert=Path("cert.pem")).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_tunnel_needs_no_word(host: str) -> None:
    Listening(host, 8711).check()


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nothing")
    for listening, key in (
        (Listening("::", 1, tmp_path / "cert.pem"), "--cert"),
        (Listening("::", 1, tmp_path / "missing.pem"), "--cert"),
        (Listening("::", 1, None, tmp_path / "key.pem"), "--key"),
    ):
        with pytest.raises(ConfigError) as caught:
            listening.tls()
        assert caught.value.key == key
    assert Listening("::", 1).tls() is None


def test_a_port_that_is_taken_is_named_with_the_option_that_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"--listen: cannot listen on 127.0.0.1:{port}"):
            Listening("127.0.0.1", port).bind()


@pytest.mark.parametrize(
    ("listening", "url"),
    [
        (Listening("127.0.0.1", 8711), "ws://127.0.0.1:8711"),
        (Listening("::1", 8711), "ws://[::1]:8711"),
        (Listening("gpu-pc", 8711, cert=Path("cert.pem")), "wss://gpu-pc:8711"),
    ],
)
def test_the_address_is_printed_as_the_slot_needs_it(listening: Listening, url: str) -> None:
    assert url_of(listening, 8711) == url


def test_on_every_address_the_one_in_the_network_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamer.integrations.network.lan_address", lambda host: "192.168.1.7")
    assert url_of(Listening("0.0.0.0", 8711), 8712) == "ws://192.168.1.7:8712"
    monkeypatch.setattr("streamer.integrations.network.lan_address", lambda host: None)
    assert url_of(Listening("0.0.0.0", 8711), 8711) == "ws://0.0.0.0:8711"


def test_the_program_decides_sizes_quality_and_judges_and_this_computer_the_rest(tmp_path: Path) -> None:
    where = place(tmp_path, f"generator: {{use: procedural, process: {{deadline_s: 7}}}}\n{CONFIG}")
    config, document = config_checks.checked_config(where, {})
    setup = build(config, document, where, START, tmp_path)._setup
    assert (setup.backend.name, setup.options.deadline_s, setup.options.jpeg_quality) == ("procedural", 7, 71)
    assert (setup.sizes, setup.judges, setup.layouts) == (START.sizes, START.judges, tmp_path)
    assert setup.begin(setup.backend).own_layouts == tmp_path


def test_a_judge_that_is_somebodys_own_module_has_to_stand_in_the_workers_config(tmp_path: Path) -> None:
    judge = "tests.support.scripted_judge"
    start = Start("", (), 88, (JudgeUse(judge, {}),), {})
    where = place(tmp_path, CONFIG)
    config, document = config_checks.checked_config(where, {})
    with pytest.raises(BackendUnavailable, match=rf"does not know the judge {judge}"):
        build(config, document, where, start, tmp_path)
    more = f"generator: {{judges: [{{use: {judge}}}]}}\n{CONFIG}"
    where = place(tmp_path, more)
    config, document = config_checks.checked_config(where, {})
    assert build(config, document, where, start, tmp_path)._setup.judges == start.judges


@contextmanager
def started(config: Path, home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "streamer", "--config", str(config), "worker", "--listen", "0"]
    pipe, environment = subprocess.PIPE, {**os.environ, "STREAMER_HOME": str(home)}
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as worker:
        try:
            yield worker
        finally:
            worker.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
async def test_the_real_program_draws_for_another_one_and_ends_when_it_is_told(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"generator: {{use: procedural}}\n{CONFIG}", encoding="utf-8")
    home = tmp_path / "worker"
    with started(config, home) as worker:
        assert worker.stdout is not None
        lines = [worker.stdout.readline() for _ in range(4)]
        address = re.search(r"Worker: +ws://127\.0\.0\.1:(\d+)", lines[1])
        assert address is not None, lines
        token = (home / "secrets" / worker_command.TOKEN_FILE).read_text()
        assert token not in "".join(lines)
        async with connected(slot_at(tmp_path, int(address[1]), token=token)) as slot:
            await ready(slot)
            assert slot.active["backend"] == "procedural"
            assert isinstance((await draw(slot, request("a harbour")))[-1], Frame)
        worker.send_signal(signal.SIGTERM)
        _, printed = worker.communicate(timeout=20)
    assert worker.returncode == 0
    assert "a harbour" not in printed
