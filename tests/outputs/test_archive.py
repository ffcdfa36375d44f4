"""The archive output: a folder a day, names that sort, and a full disk is no reason to stop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streamer.outputs.archive import Options, create, name_of
from streamer.types import Clear, Forgotten, Frame


def frame(request_id: str = "abc-123") -> Frame:
    return Frame(request_id, "background", "image/jpeg", b"bytes", 8, 8)


async def test_a_frame_is_copied_into_the_folder_of_the_day(tmp_path: Path) -> None:
    await create(Options(folder=tmp_path)).publish(frame())
    (copy,) = tmp_path.glob("*/*.jpg")
    assert copy.read_bytes() == b"bytes"


async def test_other_events_leave_no_file(tmp_path: Path) -> None:
    await create(Options(folder=tmp_path)).publish(Clear("background"))
    assert list(tmp_path.iterdir()) == []


async def test_an_unusable_folder_is_logged_and_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    await create(Options(folder=tmp_path / "file")).publish(frame())
    assert "not archived" in caplog.text


def test_no_message_id_leaves_the_folder() -> None:
    assert re.fullmatch(r"20\.15\.07 background [0-9a-f]{10}\.jpg", name_of(frame("../../etc/passwd"), "20.15.07"))
    assert "/" not in name_of(Frame("x", "../a", "image/webp", b"", 1, 1), "20.15.07")


async def test_copies_of_forgotten_requests_go_and_all_others_stay(tmp_path: Path) -> None:
    archive = create(Options(folder=tmp_path))
    for name in ("abc-1", "abc-2", "xabc-1"):
        await archive.publish(frame(name))
    await archive.publish(Forgotten("7", ("abc-1",)))
    left = {path.name.rpartition(" ")[2] for path in tmp_path.glob("*/*.jpg")}
    assert left == {name_of(frame(name), "").rpartition(" ")[2] for name in ("abc-2", "xabc-1")}
