"""The evening output: every picture once, sheets when something ends, and nothing of what was taken back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from streamer.outputs._contact_sheet import read_sheet
from streamer.outputs._picture_folder import name_suffix, picture_name
from streamer.outputs.evening import EveningGallery, Options, create
from streamer.storage.pseudonyms import Pseudonyms
from streamer.types import (
    Actor,
    Ended,
    Event,
    Forgotten,
    Frame,
    ImageRequest,
    Lane,
    Notice,
    NoticeKind,
    RequestKind,
    RequestState,
    Retraction,
    Role,
    SamplingParams,
    Toast,
)
from tests.support.encoded_pictures import encoded


def made(folder: Path, **options: bool) -> EveningGallery:
    return create(Options(folder=folder / "evenings", **options), Pseudonyms(folder / "home"))


def request(request_id: str, actor: str = "ann") -> ImageRequest:
    return ImageRequest(
        request_id, "bg", RequestKind.BACKGROUND, "background", f"text of {request_id}", "p",
        SamplingParams(64, 64, 4, 1.0, 1), Actor(actor, actor, Role.VIEWER), Lane.CHAT, 0.0, 30.0,
        words=f"text of {request_id}",
    )  # fmt: skip


def shown(request_id: str, actor: str = "ann") -> list[Event]:
    frame = Frame(request_id, "background", "image/jpeg", encoded(), 640, 352)
    return [frame, Toast(request_id, f"drawn for {actor}"), Ended(request(request_id, actor), RequestState.SHOWN)]


def notice(kind: NoticeKind) -> Notice:
    return Notice("obs", kind, 0.0)


@pytest.fixture
def evenings(tmp_path: Path) -> EveningGallery:
    return made(tmp_path)


async def tell(evenings: EveningGallery, *events: Event) -> None:
    for event in events:
        await evenings.publish(event)


def pictures(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("evenings/*/*.jpg") if "contact sheet" not in path.name)


def sheets(folder: Path) -> list[Path]:
    return sorted(folder.glob("evenings/*/contact sheet*.jpg"))


async def test_each_picture_is_kept_once_and_a_sheet_comes_when_the_stream_ends(
    evenings: EveningGallery, tmp_path: Path
) -> None:
    await tell(evenings, notice(NoticeKind.ONLINE), *shown("aaaaaaaa"), *shown("bbbbbbbb", "bob"))
    again, joined = shown("aaaaaaaa")[0], Ended(request("cccccccc", "eve"), RequestState.SHOWN)
    await tell(evenings, again, joined, Ended(request("dddddddd"), RequestState.REFUSED))
    assert len(list(pictures(tmp_path))) == 2
    assert sheets(tmp_path) == []
    await tell(evenings, notice(NoticeKind.OFFLINE))
    (sheet,) = sheets(tmp_path)
    with Image.open(sheet) as image:
        assert image.width > 1900


async def test_a_recording_that_ends_while_the_stream_goes_on_writes_a_sheet_and_ends_nothing(
    evenings: EveningGallery, tmp_path: Path
) -> None:
    await tell(evenings, notice(NoticeKind.ONLINE), notice(NoticeKind.RECORDING_ON), *shown("aaaaaaaa"))
    await tell(evenings, notice(NoticeKind.RECORDING_OFF))
    first = sheets(tmp_path)[0].read_bytes()
    await tell(evenings, *shown("bbbbbbbb"), notice(NoticeKind.OFFLINE))
    (sheet,) = sheets(tmp_path)
    assert sheet.read_bytes() != first
    assert len(list(pictures(tmp_path))) == 2


async def test_what_comes_after_the_end_is_another_evening(
    evenings: EveningGallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(evenings, *shown("aaaaaaaa"), notice(NoticeKind.OFFLINE))
    earlier = sheets(tmp_path)[0].read_bytes()
    monkeypatch.setattr("streamer.outputs.evening.time.localtime", lambda: (2031, 1, 2, 3, 4, 5, 3, 2, 0))
    await tell(evenings, *shown("bbbbbbbb"), notice(NoticeKind.OFFLINE), notice(NoticeKind.OFFLINE))
    assert len(sheets(tmp_path)) == 2
    assert (tmp_path / "evenings" / "2031-01-02 03.04.05").is_dir()
    assert earlier in [sheet.read_bytes() for sheet in sheets(tmp_path)]


async def test_the_end_of_the_program_ends_an_evening(evenings: EveningGallery, tmp_path: Path) -> None:
    running = asyncio.create_task(evenings.run())
    await tell(evenings, *shown("aaaaaaaa"))
    running.cancel()
    await asyncio.wait([running])
    assert len(sheets(tmp_path)) == 1


@pytest.mark.parametrize(
    ("message", "actor", "left"),
    [("aaaaaaaa", None, ["bbbbbbbb"]), (None, "ann", ["bbbbbbbb"]), (None, None, ["aaaaaaaa", "bbbbbbbb"])],
)
@pytest.mark.parametrize("over", [False, True])
async def test_what_was_taken_back_is_deleted_and_leaves_the_sheet(
    evenings: EveningGallery, tmp_path: Path, message: str | None, actor: str | None, left: list[str], over: bool
) -> None:
    await tell(evenings, *shown("aaaaaaaa", "ann"), *shown("bbbbbbbb", "bob"))
    ends = [notice(NoticeKind.OFFLINE)]
    await tell(evenings, *(ends if over else []))
    before = [sheet.read_bytes() for sheet in sheets(tmp_path)]
    await tell(evenings, Retraction("twitch", message, actor, 0.0))
    names = {f"{name_suffix(request_id)}.jpg" for request_id in left}
    assert {path.name.split()[-1] for path in pictures(tmp_path)} == names
    if over:
        assert ([sheet.read_bytes() for sheet in sheets(tmp_path)] == before) is (len(left) == 2)


@pytest.mark.parametrize(
    "event", [Retraction("twitch", "aaaaaaaa", None, 0.0), Retraction("twitch", None, "ann", 0.0), Forgotten("ann", ())]
)
async def test_after_a_restart_what_is_taken_back_goes_as_well(tmp_path: Path, event: Event) -> None:
    await tell(made(tmp_path), *shown("aaaaaaaa", "ann"), *shown("bbbbbbbb", "bob"), notice(NoticeKind.OFFLINE))
    await tell(made(tmp_path), event)
    assert [path.name.split()[-1] for path in pictures(tmp_path)] == [
        picture_name(Frame("bbbbbbbb", "background", "image/jpeg", b"", 1, 1), "").split()[-1]
    ]
    sheet = read_sheet(sheets(tmp_path)[0].read_bytes())
    assert sheet is not None
    assert [(entry.text, entry.note[-3:]) for entry in sheet.entries] == [("text of bbbbbbbb", "bob")]


async def test_a_timeout_of_today_leaves_pictures_of_days_ago_and_to_be_forgotten_does_not(tmp_path: Path) -> None:
    await tell(made(tmp_path), *shown("aaaaaaaa", "ann"), notice(NoticeKind.OFFLINE))
    for path in tmp_path.glob("evenings/*/*"):
        os.utime(path, (path.stat().st_mtime - 90_000,) * 2)
    await tell(made(tmp_path), Retraction("twitch", None, "ann", 0.0))
    assert len(list(pictures(tmp_path))) == 1
    await tell(made(tmp_path), Forgotten("ann", ()))
    assert (list(pictures(tmp_path)), sheets(tmp_path)) == ([], [])


async def test_taking_back_everything_leaves_no_sheet(evenings: EveningGallery, tmp_path: Path) -> None:
    await tell(evenings, *shown("aaaaaaaa"), notice(NoticeKind.OFFLINE), Retraction("twitch", None, "ann", 0.0))
    assert (list(pictures(tmp_path)), sheets(tmp_path)) == ([], [])


def test_the_name_on_a_sheet_is_what_the_overlay_showed_and_none_if_unwanted(tmp_path: Path) -> None:
    async def notes(names: bool) -> list[str]:
        evenings = made(tmp_path / str(names), names=names)
        await tell(
            evenings, shown("aaaaaaaa")[0], Toast("aaaaaaaa", "drawn for \u2068דנה\u2069"), shown("aaaaaaaa", "rude")[2]
        )
        evening = evenings._evening
        assert evening is not None
        return [evenings._entry(shot, 0).note.partition(" · ")[2] for shot in evening.shots]

    assert asyncio.run(notes(True)) == ["drawn for דנה"]
    assert asyncio.run(notes(False)) == [""]


async def test_an_unusable_folder_is_logged_and_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "evenings").write_text("in the way")
    evenings = made(tmp_path)
    await tell(evenings, *shown("aaaaaaaa"), notice(NoticeKind.OFFLINE), Forgotten("ann", ("aaaaaaaa",)))
    assert "the evening's pictures could not be saved" in caplog.text
    assert (evenings.health().name, evenings.health().state) == ("evening", "failed")
