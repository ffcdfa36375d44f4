"""Tiny random models of each family, made once, and converted once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import streamer.generator.openvino  # noqa: F401 - before any test imports OpenVINO, as in the program

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let diffusers and torch use what their own dependencies deprecate."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            for category in ("DeprecationWarning", "FutureWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}"))


@pytest.fixture(scope="session")
def checkpoint_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a family's random weights, the same in every run."""
    from streamer.generator.openvino.testing import make_checkpoint

    @cache
    def made(family: str) -> Path:
        return make_checkpoint(tmp_path_factory.mktemp("openvino") / family, family)

    return made


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a state folder in which a model is converted once for all tests of a process."""
    return tmp_path_factory.mktemp("home")
