"""Picture folders: one person's files go wherever they were moved to, sheets are redrawn, the rest stays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.generator.render.encode import encode
from streamer.outputs._contact_sheet import SheetEntry
from streamer.outputs._picture_folder import PictureFolder, name_suffix, picture_name
from streamer.storage.pseudonyms import Pseudonyms
from streamer.types import Frame


def frame(number: int, channels: int = 3) -> Frame:
    pixels = np.zeros((90, 160, channels), np.uint8)
    pixels[:, : 5 + number * 5] = (number * 7 % 256, 255 - number * 7, 90, 200)[:channels]
    media_type, data = encode(pixels, 88)
    return Frame(f"request-{number}", "background", media_type, data, 160, 90)


class EveningFolder:
    """A folder with one evening: one picture for each letter of ``people``, and the sheets of it."""

    def __init__(self, home: Path, place: str, people: str) -> None:
        self.root = PictureFolder(home / place, Pseudonyms(home / "key"))
        self.folder = self.root.folder / "evening"
        self.entries = [self._entry(number, name) for number, name in enumerate(people) if name != "-"]
        self.root.draw(self.folder, "31.12.2030", self.entries)

    def _entry(self, number: int, actor_id: str) -> SheetEntry:
        shot = frame(number, 4 if number % 3 else 3)
        path = self.folder / picture_name(shot, f"20.15.{number:02}")
        tag = self.root.save(path, shot, actor_id)
        return SheetEntry(
            path, f"what {actor_id} asked for {number}", f"20:15 · drawn for {actor_id}", tag, ord(actor_id)
        )

    @property
    def pictures(self) -> set[str]:
        return {path.name for path in self.root.folder.rglob("*") if path.is_file() and "sheet" not in path.name}

    @property
    def pages(self) -> list[np.ndarray]:
        paths = sorted(self.root.folder.rglob("contact sheet*.jpg"))
        return [np.asarray(Image.open(path)) for path in paths]


def same(evening: EveningFolder, other: EveningFolder) -> bool:
    pages, others = evening.pages, other.pages
    return len(pages) == len(others) and all(map(np.array_equal, pages, others))


MANY = "ab" * 15


def test_sheets_are_redrawn_to_the_pixel_as_if_somebody_had_never_been_there(tmp_path: Path) -> None:
    evening, without = EveningFolder(tmp_path, "one", MANY), EveningFolder(tmp_path, "two", MANY.replace("a", "-"))
    assert (len(evening.pages), len(without.pages)) == (2, 1)
    assert not same(evening, without)
    PictureFolder(tmp_path / "one", Pseudonyms(tmp_path / "key")).remove("a")
    assert evening.pictures == without.pictures
    assert same(evening, without)
    evening.root.remove("b")
    assert (evening.pictures, evening.pages) == (set(), [])


def test_one_request_goes_and_its_sheet_without_it(tmp_path: Path) -> None:
    evening, without = EveningFolder(tmp_path, "one", "abc"), EveningFolder(tmp_path, "two", "a-c")
    evening.root.remove(None, ["request-1"])
    assert same(evening, without)


def test_nobodys_leaves_every_byte_as_it_is(tmp_path: Path) -> None:
    evening = EveningFolder(tmp_path, "one", "abc")
    before = {path: path.read_bytes() for path in evening.folder.iterdir()}
    evening.root.remove("nobody", ["no-request"])
    assert {path: path.read_bytes() for path in evening.folder.iterdir()} == before


def test_moved_and_renamed_files_are_found_by_what_stands_inside_them(tmp_path: Path) -> None:
    evening, without = EveningFolder(tmp_path, "one", "abcd"), EveningFolder(tmp_path, "two", "a-cd")
    best = evening.root.folder / "best of" / "summer"
    best.mkdir(parents=True)
    for number, entry in enumerate(evening.entries):
        entry.picture.rename(best / f"my favourite {number}{entry.picture.suffix}")
    (evening.folder / "contact sheet 1.jpg").rename(best / "what we saw.jpg")
    evening.root.remove("b")
    assert sorted(path.name for path in best.iterdir()) == [
        "contact sheet 1.jpg", "my favourite 0.jpg", "my favourite 2.webp", "my favourite 3.jpg"
    ]  # fmt: skip
    assert same(evening, without)


def test_what_the_streamer_deleted_is_not_on_a_new_sheet(tmp_path: Path) -> None:
    evening, without = EveningFolder(tmp_path, "one", "abc"), EveningFolder(tmp_path, "two", "--c")
    evening.entries[0].picture.unlink()
    evening.root.remove("b")
    assert same(evening, without)


def test_a_picture_that_was_deleted_by_hand_still_leaves_its_sheet(tmp_path: Path) -> None:
    evening, without = EveningFolder(tmp_path, "one", "abc"), EveningFolder(tmp_path, "two", "a-c")
    evening.entries[1].picture.unlink()
    evening.root.remove("b")
    assert same(evening, without)


def test_a_copied_sheet_goes_with_the_other(tmp_path: Path) -> None:
    evening, without = EveningFolder(tmp_path, "one", "abc"), EveningFolder(tmp_path, "two", "a-c")
    shutil.copy(evening.folder / "contact sheet 1.jpg", evening.folder / "copy.jpg")
    evening.root.remove("b")
    assert not (evening.folder / "copy.jpg").exists()
    assert same(evening, without)


def test_foreign_files_are_left_alone_however_they_look(tmp_path: Path) -> None:
    evening = EveningFolder(tmp_path, "one", "ab")
    foreign = {
        "holiday.jpg": b"\xff\xd8 no picture", "notes.txt": b"streamer:", "empty.webp": b"",
        "contact sheet of mine.jpg": b"\xff\xfestreamer sheet {",
        f"20.15.00 background {name_suffix('another')}.jpg": b"\xff\xd8",
    }  # fmt: skip
    for name, data in foreign.items():
        (tmp_path / "one" / name).write_bytes(data)
    evening.root.remove("a", ["request-0"])
    assert {name: (tmp_path / "one" / name).read_bytes() for name in foreign} == foreign


def test_pictures_and_sheets_of_early_versions_without_tags_go_by_their_names(tmp_path: Path) -> None:
    pictures, old = PictureFolder(tmp_path, Pseudonyms(tmp_path / "key")), tmp_path / "2020"
    old.mkdir()
    for number in range(2):
        (old / picture_name(frame(number), "20.15.00")).write_bytes(frame(number).data)
    (old / "contact sheet 1.jpg").write_bytes(frame(9).data)
    pictures.remove("a", ["request-0"])
    assert [path.name for path in old.iterdir()] == [picture_name(frame(1), "20.15.00")]


def test_older_files_are_left_alone_when_only_new_ones_are_meant(tmp_path: Path) -> None:
    evening = EveningFolder(tmp_path, "one", "aa")
    os.utime(evening.entries[0].picture, (1000, 1000))
    evening.root.remove("a", since=2000)
    assert evening.pictures == {evening.entries[0].picture.name}


def test_a_missing_folder_is_no_trouble(tmp_path: Path) -> None:
    PictureFolder(tmp_path / "nowhere", Pseudonyms(tmp_path)).remove("a", ["request-0"])


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_disk_that_cannot_be_written_is_logged_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = EveningFolder(tmp_path, "one", "ab")

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refused)
    monkeypatch.setattr(Path, "write_bytes", refused)
    evening.root.remove("a")
    assert len(evening.pictures) == 2
    assert "Read-only file system" in caplog.text
    assert "could not be deleted" in caplog.text
