"""YAML is read with the line of each key, and what cannot be read is one clear error."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.config_file import read
from streamer.errors import ConfigError


def document(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def error_of(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(path)
    return caught.value


def test_a_key_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    error = error_of(document(tmp_path, "server: {port: 9000}\nserver: {port: 1}\n"))
    assert "appears twice, the second time on line 2" in str(error)


@pytest.mark.parametrize("text", ["", "- a list", "a: [", "a: !!python/object:os.system x", "\x00", "[" * 3000])
def test_what_is_not_a_mapping_is_one_clear_error(tmp_path: Path, text: str) -> None:
    error = error_of(document(tmp_path, text))
    assert str(tmp_path) in str(error)


def test_a_missing_file_names_the_path(tmp_path: Path) -> None:
    error = error_of(tmp_path / "nothing.yaml")
    assert "nothing.yaml" in str(error)


def test_a_huge_file_is_refused_before_it_is_read_as_yaml(tmp_path: Path) -> None:
    error = error_of(document(tmp_path, "a: " + "x" * 1_100_000))
    assert "larger" in str(error)


def test_line_numbers_reach_into_lists(tmp_path: Path) -> None:
    found = read(document(tmp_path, "server: {port: 9000}\npolicy:\n  - use: role\n  - use: length\n    longest: no\n"))
    assert found.lines[("policy", 1, "longest")] == 5
