"""``streamer init`` and ``config show``: a user's settings live in a short file of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamer import cli, paths
from streamer.config import load
from streamer.config_checks import checked_config
from streamer.config_file import read

EXAMPLE = "# "


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the user an empty config folder, and no variables of ours."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path / "home"))
    for name in ("STREAMER_CONFIG", "STREAMER_HOST", "STREAMER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_writes_a_short_file_that_the_program_finds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init"]) == 0
    path = paths.default_config()
    printed = capsys.readouterr().out
    assert str(path) in printed
    assert "streamer run\n" in printed
    assert len(path.read_text(encoding="utf-8").splitlines()) < 60
    assert str(paths.SHIPPED_CONFIG) in path.read_text(encoding="utf-8")
    assert paths.place(os.environ).config == path
    assert load(path, {})[0] == load(paths.SHIPPED_CONFIG, {})[0]


def test_init_never_overwrites(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = paths.default_config()
    path.parent.mkdir(parents=True)
    path.write_text("server: {port: 9000}\n")
    assert cli.main(["init"]) == 0
    assert f"Exists:   {path}" in capsys.readouterr().out
    assert path.read_text() == "server: {port: 9000}\n"


def test_init_elsewhere_says_how_to_use_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "my show.yaml"
    assert cli.main(["init", "--config", str(path)]) == 0
    assert f"streamer run --config '{path}'" in capsys.readouterr().out
    assert path.exists()


def test_init_where_nothing_can_be_written_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file").write_text("in the way")
    assert cli.main(["init", "--config", str(folder / "file" / "config.yaml")]) == 2
    assert "name another place" in capsys.readouterr().err


def test_every_example_of_the_starter_file_works(folder: Path) -> None:
    lines = paths.STARTER_CONFIG.read_text(encoding="utf-8").split("\n\n")
    blocks = [block.splitlines()[1:] for block in lines[1:]]
    text = "\n".join(line.removeprefix(EXAMPLE) for block in blocks for line in block) + "\n"
    (path := folder / "config.yaml").write_text(text, encoding="utf-8")
    assert set(read(path).data) == {
        "triggers", "generator", "commands", "styles", "layers", "named_triggers", "approval", "policy",
    }  # fmt: skip
    config, _ = checked_config(paths.place(os.environ), {})
    assert config.commands["oil"].template == "oil painting of {text}"
    assert "sticker" not in config.commands


@pytest.mark.parametrize("words", [["--config", "FILE", "config", "show"], ["config", "show", "--config", "FILE"]])
def test_show_prints_what_applies(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    (path := folder / "mine.yaml").write_text("server: {port: 9000}\n")
    assert cli.main([str(path) if word == "FILE" else word for word in words]) == 0
    printed = capsys.readouterr().out
    assert f"# your file: {path}\n" in printed
    (folder / "again.yaml").write_text(printed, encoding="utf-8")
    assert load(folder / "again.yaml", {})[0] == load(path, {})[0]


def test_show_refuses_what_run_would_refuse(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path := folder / "mine.yaml").write_text("triggers:\n  - {use: twitch, chanel: ann}\n")
    assert cli.main(["--config", str(path), "config", "show"]) == 2
    assert "triggers.0.chanel: there is no such key; did you mean 'channel'?" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_crash(folder: Path) -> None:
    show = [sys.executable, "-m", "streamer", "config", "show"]
    with subprocess.Popen(show, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == cli.PIPE_EXIT
