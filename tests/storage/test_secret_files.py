"""Secret files: whole or not there, their owner's alone, and created once."""

from __future__ import annotations

import errno
import itertools
import os
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import ConfigError, StoreError
from streamer.storage import secret_files


@pytest.fixture(autouse=True)
def _nobody_is_warned_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_files, "_warned_of", set())


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
    assert stat.S_IMODE(path.stat().st_mode) == 0o640, "mended in silence, nobody would learn that it was open"


@pytest.fixture
def disk_without_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make every file of a folder look open to all, whatever is asked for: as on exFAT or a share of Windows."""
    real = os.stat

    def open_to_all(file: int | str | Path, **options: Any) -> os.stat_result:
        found = real(file, **options)
        inside = isinstance(file, int) or Path(file).is_relative_to(tmp_path)
        return os.stat_result((found.st_mode | 0o077, *found[1:])) if inside else found

    monkeypatch.setattr(os, "stat", open_to_all)
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_disk_without_modes_is_used_with_one_warning(
    disk_without_modes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret_files.make_private_folder(home := disk_without_modes / "home")
    for name in ("obs", "twitch.json"):
        secret_files.write(path := secret_files.path_in(home, name), b"secret")
        assert secret_files.read(path) == b"secret"
    assert secret_files.read_or_create(secret_files.path_in(home, "operator"), lambda: b"token") == b"token"
    assert [record.getMessage() for record in caplog.records] == [
        f"other users of this machine may read {home}, and its mode cannot be changed; "
        "if that matters, set STREAMER_HOME to a folder elsewhere"
    ]
    assert [path.name for path in home.iterdir()] == ["secrets"], "nothing is left of the probe"


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_folder_that_takes_no_probe_counts_as_one_with_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret_files.write(path := tmp_path / "key", b"secret")
    path.chmod(0o604)

    def refuse(**options: object) -> None:
        raise PermissionError

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(ConfigError, match="chmod 600"):
        secret_files.read(path)


@pytest.mark.skipif(os.name != "posix", reason="file modes")
@pytest.mark.parametrize(("mode", "warnings"), [(0o777, 1), (0o750, 1), (0o700, 0)])
def test_a_folder_of_another_owner_is_used_and_warned_of_if_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, mode: int, warnings: int
) -> None:
    (home := tmp_path / "volume").mkdir()
    home.chmod(mode)

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    for _ in range(2):
        secret_files.make_private_folder(home)
    assert len(caplog.records) == warnings
    secret_files.write(path := secret_files.path_in(home, "obs"), b"secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        secret_files.make_private_folder(tmp_path / "file" / "home")


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
