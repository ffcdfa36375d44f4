"""What was measured comes back as it was; what cannot be read or written is no failure."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from streamer.generator.measured_file import read, write

NUMBERS = TypeAdapter(dict[str, float])


def test_a_value_comes_back_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    """The file is replaced, and no draft of it stays."""
    path = tmp_path / "measured.json"
    for value in ({"a": 1.5}, {"b": 2.0}):
        write(path, NUMBERS, value)
        assert read(path, NUMBERS) == value
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": "x"}', b"\xff"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "measured.json").write_bytes(content)
    assert read(tmp_path / "measured.json", NUMBERS) is None


def test_a_folder_that_is_not_there_is_said_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "missing" / "measured.json"
    write(path, NUMBERS, {"a": 1.0})
    assert read(path, NUMBERS) is None
    assert "what was measured cannot be remembered in measured.json" in caplog.text
