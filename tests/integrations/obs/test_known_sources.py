"""Known sources survive a restart, and a broken file does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.integrations.obs.desired_sources import KnownSource
from streamer.integrations.obs.known_sources import KnownSources

KNOWN = {"overlay": KnownSource("my overlay", "id-1", (1920, 1080))}


def test_known_sources_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "obs" / "sources.json"
    KnownSources(path).remember("Untitled", KNOWN)
    assert KnownSources(path).known("Untitled") == KNOWN
    assert KnownSources(path).known("another") == {}


@pytest.mark.parametrize("text", ["", "[1]", '{"a": {"b": 1}}', '{"a": {"b": {"name": "x"}}}', "\x00"])
def test_a_broken_file_is_like_no_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sources.json"
    path.write_text(text)
    sources = KnownSources(path)
    assert sources.known("Untitled") == {}
    sources.remember("Untitled", KNOWN)
    assert KnownSources(path).known("Untitled") == KNOWN


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    KnownSources(tmp_path / "file" / "sources.json").remember("Untitled", KNOWN)
    assert "OBS sources could not be saved" in caplog.text
