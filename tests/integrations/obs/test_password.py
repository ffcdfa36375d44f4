"""The password of OBS comes from the environment or a file of its owner's alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.integrations.obs import password


def test_the_environment_comes_first(tmp_path: Path) -> None:
    password.write(tmp_path, "from the file")
    assert password.read(tmp_path, {"STREAMER_OBS_PASSWORD": "from outside"}) == "from outside"
    assert password.read(tmp_path, {}) == "from the file"


def test_without_any_it_is_empty(tmp_path: Path) -> None:
    assert password.read(tmp_path, {}) == ""


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = password.write(tmp_path, "secret")
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        password.read(tmp_path, {})
