"""The archive output: a folder a day, names that sort, and a full disk is no reason to stop."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from streamer.outputs._picture_folder import picture_name
from streamer.outputs.archive import Archive, Options, create
from streamer.storage.pseudonyms import Pseudonyms
from streamer.storage.store import Store, StoreOptions
from streamer.types import Clear, Forgotten, Frame
from tests.support.encoded_pictures import encoded


class FakeRequests:
    """Knows who asked for what; ``gone`` are requests that are forgotten."""

    def __init__(self, gone: tuple[str, ...] = ()) -> None:
        self.gone = gone

    async def get(self, request_id: str) -> SimpleNamespace | None:
        return None if request_id in self.gone else SimpleNamespace(actor_id=f"actor of {request_id[0]}")


def archive(folder: Path, gone: tuple[str, ...] = ()) -> Archive:
    store = Store.at(folder / "home", StoreOptions())
    store = replace(store, requests=FakeRequests(gone))  # type: ignore[arg-type]
    return create(Options(folder=folder / "copies"), store, Pseudonyms(folder / "home"))


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("copies/*/*.jpg"))


def frame(request_id: str = "abc-123") -> Frame:
    return Frame(request_id, "background", "image/jpeg", encoded(), 640, 352)


async def test_a_frame_is_copied_into_the_folder_of_the_day(tmp_path: Path) -> None:
    await archive(tmp_path).publish(frame())
    (copy,) = copies(tmp_path)
    assert copy.read_bytes().endswith(encoded()[-500:])


async def test_other_events_leave_no_file(tmp_path: Path) -> None:
    await archive(tmp_path).publish(Clear("background"))
    assert copies(tmp_path) == []


async def test_a_frame_that_arrives_after_its_request_was_forgotten_is_not_copied(tmp_path: Path) -> None:
    await archive(tmp_path, gone=("abc-123",)).publish(frame())
    assert copies(tmp_path) == []


async def test_an_unusable_folder_is_logged_and_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "copies"
    blocked.write_text("in the way")
    output = archive(tmp_path)
    await output.publish(frame())
    await archive(tmp_path).publish(Forgotten("7", ("abc-1",)))
    assert "not archived" in caplog.text
    assert (output.health().name, output.health().state) == ("archive", "failed")
    assert str(blocked) in output.health().detail
    blocked.unlink()
    await output.publish(frame())
    assert output.health().state == "ready"


def test_no_message_id_leaves_the_folder() -> None:
    assert re.fullmatch(r"20\.15\.07 background [0-9a-f]{10}\.jpg", picture_name(frame("../../etc/passwd"), "20.15.07"))
    assert "/" not in picture_name(Frame("x", "../a", "image/webp", b"", 1, 1), "20.15.07")


@pytest.mark.parametrize("forgotten", [Forgotten("nobody", ("abc-1",)), Forgotten("actor of a", ())])
async def test_copies_of_the_forgotten_go_by_request_or_by_person_and_all_others_stay(
    tmp_path: Path, forgotten: Forgotten
) -> None:
    first = archive(tmp_path)
    for name in ("abc-1", "babc-2", "xabc-1"):
        await first.publish(frame(name))
    await archive(tmp_path).publish(forgotten)
    left = {path.name.rpartition(" ")[2] for path in copies(tmp_path)}
    assert left == {picture_name(frame(name), "").rpartition(" ")[2] for name in ("babc-2", "xabc-1")}
