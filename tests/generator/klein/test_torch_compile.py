"""Compiled code is kept in the state directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from streamer.generator.klein.torch_compile import CACHES, keep_caches

pytestmark = pytest.mark.torch


def test_caches_stand_under_the_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A second start finds what the first compiled."""
    for variable in CACHES:
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    keep_caches(tmp_path)
    assert os.environ["TRITON_CACHE_DIR"] == str(tmp_path / "compile-cache" / "triton")
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "compile-cache" / "inductor")


def test_a_place_chosen_by_the_user_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever sets the variables has a reason."""
    for variable in CACHES:
        monkeypatch.setenv(variable, "elsewhere")
    keep_caches(tmp_path)
    assert {os.environ[variable] for variable in CACHES} == {"elsewhere"}
