"""Build the program from a config, as app does, without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer import app, config_checks, paths
from streamer.errors import ConfigError
from tests.support.running import CONFIG


def place(tmp_path: Path, config: str = CONFIG) -> paths.Place:
    path = tmp_path / "config.yaml"
    path.write_text(config, encoding="utf-8")
    return paths.place({"STREAMER_HOME": str(tmp_path / "home"), "STREAMER_CONFIG": str(path)})


def build(where: paths.Place) -> app.App:
    config, document = config_checks.checked_config(where, {})
    return app.build(config, document, where, {})


def wrong(tmp_path: Path, config: str) -> list[ConfigError]:
    """Return the errors of a config that must not start."""
    with pytest.raises((ConfigError, ExceptionGroup)) as caught:
        build(place(tmp_path, config))
    error = caught.value
    together = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return [each for each in together if isinstance(each, ConfigError)]
