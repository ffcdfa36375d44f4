"""The links: printed again at any time, and opened in a browser at the very first start."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer import cli
from streamer.errors import ApiError
from tests.support.real_program import OPERATOR, command, wait_until_ready


async def test_before_the_first_start_the_links_are_those_it_will_use(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del environ["STREAMER_OPERATOR_TOKEN"]
    assert await cli.links(environ) == 0
    printed = capsys.readouterr().out
    operator, overlay = ((tmp_path / "home" / "secrets" / name).read_text() for name in ("operator", "overlay"))
    url = f"http://127.0.0.1:{environ['STREAMER_PORT']}"
    assert f"Panel:    {url}/#{operator}\n" in printed
    assert f"Overlay:  {url}/overlay#{overlay}\n" in printed
    assert "does not run now" in printed
    assert not (tmp_path / "home" / "streamer.db").exists(), "the next start is still the first one"


async def test_the_links_are_those_of_the_running_program(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, elsewhere = f"http://127.0.0.1:{environ['STREAMER_PORT']}", {**environ, "STREAMER_PORT": "1"}
    with command("run", environ=environ, log=tmp_path / "log"):
        await asyncio.to_thread(wait_until_ready, url)
        await cli.token_new(elsewhere, "anna", "moderator")
        assert f"Panel: {url}/#" in capsys.readouterr().out
        assert await cli.links(elsewhere) == 0
        printed = capsys.readouterr().out
        for line in ("Panel:", "Overlay:"):
            assert (
                next(each for each in (tmp_path / "log").read_text().splitlines() if each.startswith(line)) in printed
            )
        assert "which was shown once: anna" in printed
        assert "does not run" not in printed
        with pytest.raises(ApiError, match="STREAMER_OPERATOR_TOKEN"):
            await cli.links({**environ, "STREAMER_OPERATOR_TOKEN": "another"})
        assert "another" not in capsys.readouterr().out


async def test_a_token_with_signs_is_quoted_in_its_link(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    await cli.links({**environ, "STREAMER_OPERATOR_TOKEN": "a b/c#d%20"})
    assert "/#a%20b%2Fc%23d%2520\n" in capsys.readouterr().out


@contextmanager
def in_a_terminal(*arguments: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Run ``streamer run`` in a terminal on a desk, until it is ready."""
    ours, theirs = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name not in ("CI", "SSH_CONNECTION", "SSH_TTY")}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "run", *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**inherited, **environ, "DISPLAY": ":0"},
    )  # fmt: skip
    os.close(theirs)
    try:
        wait_until_ready(f"http://127.0.0.1:{environ['STREAMER_PORT']}")
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        os.close(ours)


async def test_only_the_very_first_start_in_a_terminal_opens_the_panel(environ: dict[str, str], tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    environ["BROWSER"] = str(browser)
    del environ["CI"]
    with in_a_terminal("--no-browser", environ={**environ, "STREAMER_HOME": str(tmp_path / "other")}):
        assert not opened.exists()
    with in_a_terminal(environ=environ):
        async with asyncio.timeout(20):
            while not opened.exists():
                await asyncio.sleep(0.02)
    assert opened.read_text() == f"http://127.0.0.1:{environ['STREAMER_PORT']}/#{OPERATOR}\n"
    opened.unlink()
    with in_a_terminal(environ=environ):
        pass
    assert not opened.exists()
