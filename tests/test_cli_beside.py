"""The command line beside a running program, its files, and every way in which the program ends."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from PIL import Image

from streamer import cli
from streamer.errors import AlreadyRunning, ApiError, ConfigError, StoreError
from streamer.generator.backend_choice import BackendChoice
from streamer.storage import instance_lock
from tests.support.real_program import HEED_SIGNALS, OPERATOR, command, free_port, wait_until_ready
from tests.support.recording_proxy import RecordingProxy

DEAD = "http://127.0.0.1:1"


def url_of(environ: Mapping[str, str]) -> str:
    return f"http://127.0.0.1:{environ['STREAMER_PORT']}"


def streamer(*arguments: str, environ: Mapping[str, str], typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "streamer", *arguments], env={**os.environ, **environ}, input=typed,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


async def test_a_second_program_and_every_command_find_the_first_at_its_own_address(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = {**environ, "STREAMER_PORT": str(free_port())}
    with command("run", environ=environ, log=tmp_path / "log") as first:
        await asyncio.to_thread(wait_until_ready, url_of(environ))
        second = await asyncio.to_thread(streamer, "run", environ=elsewhere)
        assert second.returncode == 1
        assert f"process {first.pid}, {url_of(environ)}" in second.stderr
        assert "Traceback" not in second.stderr
        with pytest.raises(AlreadyRunning, match=str(first.pid)):
            await cli.restore(elsewhere, None)
        # Somebody whom only the running program knows: its database is not edited beneath it.
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {OPERATOR}"}) as client:
            body = {"text": "!bg marmalade lighthouse", "actor": {"id": "7", "name": "tom", "role": "broadcaster"}}
            (await client.post(f"{url_of(environ)}/api/v1/triggers", json=body)).raise_for_status()
            assert await cli.forget(elsewhere, "7") == 0
            assert capsys.readouterr().out == "1 request deleted; tom is forgotten\n"
            assert (await client.get(f"{url_of(environ)}/api/v1/requests")).json() == []
    assert instance_lock.running_program(tmp_path / "home") is None


async def test_nothing_is_deleted_beneath_a_program_that_cannot_be_reached(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with instance_lock.held(tmp_path / "home", DEAD, DEAD), pytest.raises(ApiError, match="does not answer"):
        await cli.forget(environ, "7")
    with (
        RecordingProxy() as other,
        instance_lock.held(tmp_path / "home", other.url, other.url),
        pytest.raises(ApiError, match="is not streamer"),
    ):
        await cli.forget(environ, "7")
    assert not (tmp_path / "home" / "streamer.db").exists()


async def test_without_a_running_program_nobody_is_asked(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with RecordingProxy() as other:
        environ["STREAMER_PORT"] = other.url.rpartition(":")[2]
        assert await cli.forget(environ, "7") == 0
        assert other.asked == [], "the operator's token is not for whoever listens there"
    assert capsys.readouterr().out.startswith("0 requests deleted")


def test_an_environment_that_cannot_be_used_is_a_warning_for_each_variable(
    environ: dict[str, str], tmp_path: Path
) -> None:
    hostile = {
        **environ, "ALL_PROXY": "socks://127.0.0.1:9/", "HTTP_PROXY": "http://[::1", "NO_PROXY": "fe80::/10,[::1],a:b:",
        "SSL_CERT_FILE": "/missing/file", "SSL_CERT_DIR": "/missing", "SSLKEYLOGFILE": "/missing/log",
    }  # fmt: skip
    with command("run", environ=hostile, log=tmp_path / "log"):
        wait_until_ready(url_of(environ))
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    for name in ("ALL_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        assert said.count(f"environment: {name}: ") == 1, said
    examined = streamer("doctor", environ=hostile)
    assert "HTTP_PROXY: 'http://[::1' is not the address of a proxy" in examined.stdout
    assert "Traceback" not in examined.stderr


def test_chat_goes_through_the_proxy_and_nothing_to_this_computer_does(environ: dict[str, str], tmp_path: Path) -> None:
    config = Path(environ["STREAMER_CONFIG"])
    source = "triggers:\n  - {use: twitch, channel: harbour, irc_url: 'wss://chat.test:443'}\n"
    config.write_text(config.read_text() + source + "obs: {}\n")
    with RecordingProxy() as proxy:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        proxied = {**environ, **dict.fromkeys(names, proxy.url), "NO_PROXY": "other.test", "no_proxy": "other.test"}
        with command("run", environ=proxied, log=tmp_path / "log"):
            wait_until_ready(url_of(environ))
            assert streamer("forget", "7", environ=proxied).returncode == 0
            assert "already running" in streamer("doctor", environ=proxied).stdout
            while not any("chat.test" in asked for asked in proxy.asked):
                time.sleep(0.02)
        assert [asked for asked in proxy.asked if "127.0.0.1" in asked or "localhost" in asked] == []


async def test_a_second_model_is_not_loaded_beside_the_show(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.generator.backend_choice.choose", lambda use: BackendChoice("klein", "for the test"))
    with instance_lock.held(tmp_path / "home", DEAD, DEAD), pytest.raises(AlreadyRunning):
        await cli.draw(environ, "a cat", tmp_path / "a.jpg", "bg", 7)
    assert not (tmp_path / "a.jpg").exists()


async def test_draw_writes_the_format_that_the_name_says_with_its_mark(environ: dict[str, str], tmp_path: Path) -> None:
    for name, kind in (("a.jpg", "JPEG"), ("a.PNG", "PNG"), ("a.webp", "WEBP")):
        assert await cli.draw(environ, "stormy harbour", tmp_path / name, "bg", 7) == 0
        data = (tmp_path / name).read_bytes()
        assert Image.open(io.BytesIO(data)).format == kind
        assert b"algorithmicMedia" in data


@pytest.mark.parametrize("path", ["nowhere/a.jpg", "."])
async def test_a_file_that_cannot_be_written_is_said_before_the_work(
    path: str, environ: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="--output"):
        await cli.draw(environ, "a cat", tmp_path / path, "bg", 7)
    with pytest.raises(ConfigError, match="--output"):
        await cli.audit(environ, "7d", tmp_path / path)
    with pytest.raises(StoreError):
        cli.backup(environ, tmp_path / path)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["draw", ""], "is empty"),
        (["draw", "a\nb"], "control characters"),
        (["draw", "a\u2028b"], "control characters"),
        (["draw", "a\udcffb"], "bytes that are no text"),
        (["draw", "a", "-o", "a.bmp"], ".webp"),
        (["draw", "a", "-o", "a"], ".webp"),
        (["draw", "a", "--seed", "-1"], "whole number"),
        (["draw", "a", "--seed", "9" * 30], "whole number"),
        (["demo", "--speed", "0"], "above 0"),
        (["demo", "--speed", "nan"], "above 0"),
        (["rehearse", "chat", "--draw-s", "inf"], "above 0"),
        (["rehearse", "chat", "--draw-s", "x"], "above 0"),
        (["token", "new", " ", "--role", "trigger"], "is empty"),
        (["forget", ""], "is empty"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("prompt", ["می\u200cخواهم", "an astronaut 👩\u200d🚀", "10\u00a0cats"])
def test_a_prompt_keeps_its_half_spaces_and_joiners(prompt: str) -> None:
    assert cli.parser().parse_args(["draw", prompt]).prompt == prompt


def test_a_password_is_read_from_a_pipe_and_nothing_at_all_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    assert streamer("obs", "password", environ=environ, typed="hunter2\n").returncode == 0
    assert (tmp_path / "home" / "secrets" / "obs").read_text() == "hunter2"
    nothing = streamer("obs", "password", environ=environ)
    assert (nothing.returncode, nothing.stderr) == (
        2, "error: password: nothing was given; type it, or pipe it: obs password < FILE\n"
    )  # fmt: skip
    assert (tmp_path / "home" / "secrets" / "obs").read_text() == "hunter2"


async def test_a_backup_comes_back_by_the_command_line(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await cli.token_new(environ, "deck", "trigger")
    assert cli.backup(environ, tmp_path / "copy.db") == 0
    await cli.token_revoke(environ, "deck")
    assert await cli.restore(environ, tmp_path / "copy.db") == 0
    capsys.readouterr()
    await cli.token_list(environ)
    assert "deck\ttrigger" in capsys.readouterr().out
    with pytest.raises(StoreError, match="no daily copy"):
        await cli.restore(environ, None)


def run_on_a_terminal(environ: Mapping[str, str], *before: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start the program with a terminal of its own; return it and our end of that terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*HEED_SIGNALS, *before, sys.executable, "-m", "streamer", "run"], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, **environ}, start_new_session=True, cwd=Path(environ["STREAMER_CONFIG"]).parent,
    )  # fmt: skip
    os.close(theirs)
    return process, ours


def test_a_closed_terminal_is_a_clean_end(environ: dict[str, str], tmp_path: Path) -> None:
    process, terminal = run_on_a_terminal(environ)
    wait_until_ready(url_of(environ))
    os.close(terminal)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    # Only a clean end takes its note away.
    assert not (tmp_path / "home" / "program.json").exists()


def test_under_nohup_the_program_outlives_its_terminal(environ: dict[str, str]) -> None:
    process, terminal = run_on_a_terminal(environ, "nohup")
    try:
        wait_until_ready(url_of(environ))
        process.send_signal(signal.SIGHUP)
        os.close(terminal)
        for _ in range(5):
            assert httpx.get(f"{url_of(environ)}/healthz").status_code == 200
            time.sleep(0.02)
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_line_that_nobody_reads_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w", buffering=1) as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)
        cli.say("Generator ready")
        with pytest.raises(BrokenPipeError):
            print("or the test proves nothing", flush=True)
        monkeypatch.undo()
        with pytest.raises(BrokenPipeError):
            nobody.close()


def test_output_that_is_cut_off_is_no_fault(environ: dict[str, str], tmp_path: Path) -> None:
    program = f"{sys.executable} -m streamer config schema | head -c 10; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", program], env={**os.environ, **environ}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode in (0, cli.PIPE_EXIT)
    assert ended.stderr == ""


def test_a_source_that_is_off_says_so_at_the_start(environ: dict[str, str], tmp_path: Path) -> None:
    with command("run", "--twitch", "", environ=environ, log=tmp_path / "log"):
        wait_until_ready(url_of(environ))
    assert "twitch is off: no channel is set" in (tmp_path / "log").read_text()
