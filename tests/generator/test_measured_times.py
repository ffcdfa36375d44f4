"""How long pictures took here is kept by device and model, and the newest counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.generator.measured_times import FILE, remember, remembered


def test_times_are_kept_by_device_and_model(tmp_path: Path) -> None:
    remember(tmp_path, "H200", "klein-4b", 0.17)
    remember(tmp_path, "H200", "sdxl-turbo", 0.04)
    remember(tmp_path, "RTX 3060", "klein-4b", 3.5)
    remember(tmp_path, "H200", "klein-4b", 0.16)
    assert remembered(tmp_path) == {"H200": {"klein-4b": 0.16, "sdxl-turbo": 0.04}, "RTX 3060": {"klein-4b": 3.5}}


@pytest.mark.parametrize("content", ["", "[]", '{"H200": 3}'])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert remembered(tmp_path) == {}
    remember(tmp_path, "H200", "klein-4b", 0.17)
    assert remembered(tmp_path) == {"H200": {"klein-4b": 0.17}}


def test_a_folder_that_is_not_there_is_no_failure(tmp_path: Path) -> None:
    remember(tmp_path / "missing", "H200", "klein-4b", 0.17)
    assert remembered(tmp_path / "missing") == {}
