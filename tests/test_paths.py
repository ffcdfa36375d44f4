"""Where things are: what the environment says comes first, then the working directory, then the user's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import paths
from tests.support.real_program import CONFIG


def test_the_environment_says_where_things_are() -> None:
    where = paths.place({"STREAMER_HOME": "~/x", "STREAMER_CONFIG": "/etc/c.yaml"})
    assert (where.home, where.config) == (Path.home() / "x", Path("/etc/c.yaml"))
    assert (where.web / "overlay" / "index.html").exists()


def test_relative_paths_stay_where_they_are_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    where = paths.place({"STREAMER_HOME": "state", "STREAMER_CONFIG": "mine.yaml"})
    assert (where.home, where.config) == (tmp_path / "state", tmp_path / "mine.yaml")


def test_a_config_in_the_working_directory_comes_before_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.place({}).config == paths.default_config()
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert paths.place({}).config == tmp_path / "config.yaml"


def test_the_shipped_file_is_nobodys_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts the program in a checkout still has their own file in the user's folder."""
    monkeypatch.chdir(paths.SHIPPED_CONFIG.parent)
    assert paths.place({}).config == paths.default_config()


def test_the_users_folder_is_outside_of_the_program() -> None:
    assert paths.PACKAGE not in paths.default_config().parents
