"""The doctor: a line for each thing it looked at, and a fix for each that is not right."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from streamer import cli, doctor
from tests.support.real_program import CONFIG, Remote, environment, free_port


def findings(environ: dict[str, str]) -> dict[str, doctor.CheckResult]:
    return {finding.subject: finding for finding in doctor.examine(environ)}


def test_a_machine_without_a_gpu_is_told_what_draws_and_why(tmp_path: Path, config_file: Path) -> None:
    found = findings(environment(tmp_path / "home", free_port(), config_file))
    assert {"python", "config", "state", "backend", "captions", "port", "obs"} <= set(found)
    assert found["config"].mark == found["port"].mark == "ok"
    assert found["backend"].detail.startswith(("procedural: ", "klein: "))


def test_everything_that_is_not_ok_comes_with_a_fix(tmp_path: Path, config_file: Path) -> None:
    for finding in doctor.examine(environment(tmp_path / "home", free_port(), config_file)):
        assert finding.mark in ("ok", "note", "bad")
        assert finding.mark == "ok" or finding.fix, finding


def test_a_broken_config_is_a_finding_and_not_a_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "config.yaml"
    broken.write_text(CONFIG + "quueue: {}\n", encoding="utf-8")
    assert cli.doctor(environment(tmp_path / "home", free_port(), broken)) == 1
    assert "did you mean 'queue'" in capsys.readouterr().out


def test_a_running_program_is_no_fault(tmp_path: Path, config_file: Path, served: Remote) -> None:
    port = int(served.url.rpartition(":")[2])
    found = findings(environment(tmp_path / "home", port, config_file))["port"]
    assert (found.mark, "streamer is already running there" in found.detail) == ("note", True)


def test_a_port_that_another_program_has_is_bad(tmp_path: Path, config_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = findings(environment(tmp_path / "home", other.getsockname()[1], config_file))["port"]
    assert found.mark == "bad"


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path, config_file: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = findings(environment(tmp_path / "file" / "home", free_port(), config_file))["state"]
    assert (found.mark, "STREAMER_HOME" in found.fix) == ("bad", True)


def test_hotkeys_without_their_library_are_named(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG + 'triggers: [{use: hotkey, keys: {"<f9>": "!clear"}}]\n', encoding="utf-8")
    found = findings(environment(tmp_path / "home", free_port(), config))["hotkeys"]
    assert found.mark == "ok" or "streamer[hotkey]" in found.fix
