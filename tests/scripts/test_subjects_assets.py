"""The build brings the drawings in once, and says what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.subjects import assets
from streamer.generator.procedural.subjects import library


def test_what_is_current_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "fetch", lambda folder: pytest.fail("fetched again"))
    assert library.available(), "make test brings the drawings in"
    assert assets.bring_in() is False


def test_a_machine_without_npm_is_told_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(assets, "DATABASE", tmp_path / "none.sqlite")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert assets.main() == 0
    assert "there is no npm" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()
