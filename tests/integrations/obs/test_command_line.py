"""``streamer obs`` as a streamer types it, against a real OBS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from streamer.doctor import examine
from tests.support.real_obs import PASSWORD, RealObs
from tests.support.real_program import CONFIG, environment, free_port


def typed(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streamer", "obs", *arguments], env={**os.environ, **environ}, text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def prepared(tmp_path: Path, obs_port: int, password: str = PASSWORD) -> dict[str, str]:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG + f"obs: {{port: {obs_port}}}\n")
    return environment(tmp_path / "home", free_port(), config) | {"STREAMER_OBS_PASSWORD": password}


def test_install_says_what_it_did_and_the_second_time_that_all_is_well(with_browser: RealObs, tmp_path: Path) -> None:
    environ = prepared(tmp_path, with_browser.port)
    first = typed(environ, "install")
    assert (first.returncode, first.stderr.count("error")) == (0, 0), first.stderr
    assert "'streamer overlay' was created in the scene 'Scene'" in first.stdout
    again = typed(environ, "install")
    assert again.stdout == "Everything is already in place\n"
    assert with_browser.items() == ["streamer background", "streamer overlay"]
    assert Path(with_browser.settings("streamer overlay")["local_file"]).exists()
    assert PASSWORD not in first.stdout + first.stderr + again.stderr
    (finding,) = (finding for finding in examine(environ) if finding.subject == "obs")
    assert (finding.mark, "with browser source" in finding.detail) == ("ok", True)


def test_an_obs_without_a_browser_source_is_told_of(real: RealObs, tmp_path: Path) -> None:
    environ = prepared(tmp_path, real.port)
    assert "no browser source" in typed(environ, "install").stdout
    assert real.items() == ["streamer background", "streamer meme"]
    (finding,) = (finding for finding in examine(environ) if finding.subject == "obs")
    assert (finding.mark, "without browser source" in finding.detail) == ("note", True)


def test_a_wrong_password_is_one_line_with_the_fix(real: RealObs, tmp_path: Path) -> None:
    environ = prepared(tmp_path, real.port, "wrong-one")
    failed = typed(environ, "install")
    assert failed.returncode == 1
    assert "streamer obs password" in failed.stderr
    assert "wrong-one" not in failed.stderr
    assert "Traceback" not in failed.stderr
    (finding,) = (finding for finding in examine(environ) if finding.subject == "obs")
    assert (finding.mark, finding.fix) == ("note", "run: streamer obs password")


def test_without_obs_it_says_what_to_switch_on(tmp_path: Path) -> None:
    failed = typed(prepared(tmp_path, free_port()), "install")
    assert failed.returncode == 1
    assert "Enable WebSocket server" in failed.stderr
