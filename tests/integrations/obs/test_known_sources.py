"""What is remembered of our sources outlives the program, and a broken file does not matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.integrations.obs.desired_sources import KnownSource
from streamer.integrations.obs.known_sources import KnownSources

KNOWN = {"overlay": KnownSource("my overlay", "id-1", (1920, 1080))}


def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "obs" / "sources.json"
    KnownSources(path).remember("Untitled", KNOWN)
    assert KnownSources(path).known("Untitled") == KNOWN
    assert KnownSources(path).known("another") == {}


@pytest.mark.parametrize("text", ["", "[1]", '{"a": {"b": 1}}', '{"a": {"b": {"name": "x"}}}', "\x00"])
def test_a_broken_file_is_an_empty_memory(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sources.json"
    path.write_text(text)
    memory = KnownSources(path)
    assert memory.known("Untitled") == {}
    memory.remember("Untitled", KNOWN)
    assert KnownSources(path).known("Untitled") == KNOWN


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    KnownSources(tmp_path / "file" / "sources.json").remember("Untitled", KNOWN)
    assert "not remembered" in caplog.text
