"""Secret files: whole or not there, their owner's alone, and created once."""

from __future__ import annotations

import itertools
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from streamer.errors import ConfigError, StoreError
from streamer.storage import secret_files


def test_a_file_comes_back_as_it_was_written_and_its_folder_holds_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    assert secret_files.read(path) is None
    for content in (b"\x00first\r\n", b"second"):
        secret_files.write(path, content)
        assert secret_files.read(path) == content
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_only_its_owner_may_read_it_whatever_a_crash_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    secret_files.write(path, b"old")
    draft = path.with_suffix(".new")
    draft.write_bytes(b"half of ano")
    draft.chmod(0o644)
    assert secret_files.read(path) == b"old"
    secret_files.write(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_file_that_others_may_read_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    secret_files.write(path, b"secret")
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        secret_files.read(path)


def test_the_content_is_on_the_disk_before_it_replaces_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, steps = tmp_path / "key", list[str]()
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        steps.append("fsync")
        fsync(descriptor)

    def noted_replace(draft: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(draft, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    secret_files.write(path, b"secret")
    assert steps == ["fsync", "replace"]


def test_a_missing_or_empty_file_is_created_once(tmp_path: Path) -> None:
    path, numbers = tmp_path / "secrets" / "key", itertools.count()
    assert [secret_files.read_or_create(path, lambda: b"%d" % next(numbers)) for _ in range(2)] == [b"0", b"0"]
    path.write_bytes(b"\n")
    assert secret_files.read_or_create(path, lambda: b"%d" % next(numbers)) == b"1"


def test_two_programs_that_start_first_at_the_same_moment_have_one_secret(tmp_path: Path) -> None:
    numbers = itertools.count()
    for turn in range(20):
        paths = [tmp_path / str(turn) / "key"] * 4
        with ThreadPoolExecutor(4) as threads:
            contents = threads.map(lambda path: secret_files.read_or_create(path, lambda: b"%d" % next(numbers)), paths)
        assert len(set(contents)) == 1


def test_a_file_that_is_there_needs_no_folder_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    secret_files.write(path, b"secret")
    monkeypatch.setattr(os, "open", lambda *args: pytest.fail("nothing is opened for writing"))
    assert secret_files.read_or_create(path, lambda: b"another") == b"secret"


def test_a_place_that_cannot_be_written_is_named_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("in the way")
    with pytest.raises(StoreError, match=r"secrets.*STREAMER_HOME"):
        secret_files.write(tmp_path / "secrets" / "key", b"secret")
    with pytest.raises(StoreError, match=r"secrets.*STREAMER_HOME"):
        secret_files.read_or_create(tmp_path / "secrets" / "key", lambda: b"secret")
