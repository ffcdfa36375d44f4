"""Every command works in any code page, and where its streams are closed."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from streamer import cli, standard_streams
from streamer.storage.database import FILE_NAME
from tests.support.real_program import HEED_SIGNALS, wait_until_ready

CHAT = [
    {"at": 0.0, "actor": {"id": "1", "name": "Иван", "role": "viewer"}, "text": "!bg рыбацкая деревня"},
    {"at": 1.0, "actor": {"id": "2", "name": "日本", "role": "viewer"}, "text": "!bg forbiddenword"},
]
LOCALE_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

Run = Callable[..., bytes]


def streamer(environ: Mapping[str, str], folder: Path, *words: str, data: bytes = b"") -> bytes:
    """Run a command as a process of its own and return what it prints."""
    command, env = [sys.executable, "-m", "streamer", *words], {**os.environ, **environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(command, env=env, cwd=folder, input=data, capture_output=True)
    assert (done.returncode, done.stderr.count(b"Traceback")) == (0, 0), done.stderr.decode(errors="replace")
    return done.stdout


def names_end_no_command(run: Run, folder: Path, shown: bytes) -> None:
    (folder / "чат.jsonl").write_text("\n".join(map(json.dumps, CHAT)), encoding="utf-8")
    run("token", "new", "Иван", "--role", "trigger")
    assert run("token", "list").startswith(shown + b"\t")
    assert b"1 revoked" in run("token", "revoke", "Иван")
    assert shown + b" is known here" in run("forget", "Иван")
    run("draw", "лес", "-o", "лес.png")
    assert (folder / "лес.png").read_bytes().startswith(b"\x89PNG")
    run("rehearse", "чат.jsonl")
    lines = run("rehearse", "чат.jsonl", "--json").decode("utf-8").splitlines()
    assert [json.loads(line)["line"] for line in lines] == [1, 2]
    run("init", "--config", "мой.yaml")
    assert "config.yaml" in (folder / "мой.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("code_page", ["cp1252", "cp866", "ascii"])
def test_a_name_in_another_script_ends_no_command(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code_page: str
) -> None:
    def run(*words: str) -> bytes:
        printed, logged = io.BytesIO(), io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding=code_page, write_through=True))
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(logged, encoding=code_page, write_through=True))
        assert cli.main(words) == 0
        return printed.getvalue()

    for name, value in (environ | {"STREAMER_HOME": str(tmp_path / "дом")}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    names_end_no_command(run, tmp_path, "Иван".encode(code_page, "replace"))


def test_a_name_in_another_script_ends_no_command_in_the_locale_c(environ: dict[str, str], tmp_path: Path) -> None:
    (folder := tmp_path / "папка").mkdir()
    environ |= LOCALE_C | {"STREAMER_HOME": str(tmp_path / "дом")}
    names_end_no_command(partial(streamer, environ, folder), folder, b"????")


def test_a_piped_password_is_utf_8_in_any_code_page(environ: dict[str, str], tmp_path: Path) -> None:
    for locale in (LOCALE_C, {}):
        streamer(environ | locale, tmp_path, "obs", "password", data="пароль\n".encode())
        assert (tmp_path / "home" / "secrets" / "obs").read_text(encoding="utf-8") == "пароль"


def test_a_piped_password_of_another_code_page_is_refused_in_one_line(environ: dict[str, str]) -> None:
    command, env = [sys.executable, "-m", "streamer", "obs", "password"], {**os.environ, **environ}
    done = subprocess.run(command, env=env, input="пароль\n".encode("cp866"), capture_output=True)
    assert (done.returncode, done.stderr.decode().count("\n")) == (2, 1)
    assert "not UTF-8" in done.stderr.decode()


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes the streams")
def test_a_program_whose_streams_are_closed_keeps_its_files_apart_from_what_it_prints(
    environ: dict[str, str], tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{environ['STREAMER_PORT']}"
    line = f"exec {shlex.quote(sys.executable)} -m streamer run <&- >&- 2>&-"
    with subprocess.Popen([*HEED_SIGNALS, "sh", "-c", line], env={**os.environ, **environ}) as program:
        wait_until_ready(url)
        # A hang-up sends descriptors 1 and 2 to nowhere: nothing of the program's may have those numbers.
        program.send_signal(signal.SIGHUP)
        assert program.wait(60) == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/healthz")
    with closing(sqlite3.connect(tmp_path / "home" / FILE_NAME)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("words", ["config show", "--help"])
def test_a_command_without_any_stream_does_its_work(environ: dict[str, str], words: str) -> None:
    line = f"{shlex.quote(sys.executable)} -m streamer {words} <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", line], env={**os.environ, **environ}).returncode == 0


def test_streams_that_tests_or_hosts_put_in_place_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", written := io.StringIO())
    standard_streams.prepare()
    print("Иван")
    assert written.getvalue() == "Иван\n"


def test_a_missing_stream_takes_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in standard_streams.STREAMS:
        monkeypatch.setattr(sys, name, None)
    standard_streams.prepare()
    assert not sys.stdin.isatty()
    assert sys.stdout.writable()
    assert not standard_streams.is_ascii_only()


@pytest.mark.parametrize(("encoding", "only"), [("utf-8", False), ("UTF8", False), ("cp1252", True), ("ascii", True)])
def test_escapes_are_written_where_letters_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, encoding: str, only: bool
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert standard_streams.is_ascii_only() is only
