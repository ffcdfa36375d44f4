"""Where things are: what the environment says comes first, then the working directory, then the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import paths
from tests.support.real_program import CONFIG


def test_the_environment_says_where_things_are(tmp_path: Path) -> None:
    where = paths.place({"STREAMER_HOME": "~/x", "STREAMER_CONFIG": "/etc/c.yaml"})
    assert (where.home, where.config) == (Path.home() / "x", Path("/etc/c.yaml"))
    assert (where.web / "overlay" / "index.html").exists()


def test_a_config_in_the_working_directory_comes_before_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.place({}).config.name == "config.yaml"
    assert paths.place({}).config.exists()
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert paths.place({}).config == Path("config.yaml")
