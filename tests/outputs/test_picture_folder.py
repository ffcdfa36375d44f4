"""Albums: what is somebody's goes wherever the streamer has moved it, sheets are drawn anew, the rest stays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.generator.render.encode import encode
from streamer.outputs._contact_sheet import SheetEntry
from streamer.outputs._picture_folder import PictureFolder, ending, name_of
from streamer.storage.pseudonyms import Pseudonyms
from streamer.types import Frame


def frame(number: int, channels: int = 3) -> Frame:
    pixels = np.zeros((90, 160, channels), np.uint8)
    pixels[:, : 5 + number * 5] = (number * 7 % 256, 255 - number * 7, 90, 200)[:channels]
    media_type, data = encode(pixels, 88)
    return Frame(f"request-{number}", "background", media_type, data, 160, 90)


class Shelf:
    """An album with one evening: what ``who`` asked for, one picture each, and the sheets of it."""

    def __init__(self, home: Path, place: str, who: str) -> None:
        self.album = PictureFolder(home / place, Pseudonyms(home / "key"))
        self.folder = self.album.folder / "evening"
        self.entries = [self._entry(number, name) for number, name in enumerate(who) if name != "-"]
        self.album.draw(self.folder, "31.12.2030", self.entries)

    def _entry(self, number: int, who: str) -> SheetEntry:
        shot = frame(number, 4 if number % 3 else 3)
        path = self.folder / name_of(shot, f"20.15.{number:02}")
        mark = self.album.save(path, shot, who)
        return SheetEntry(path, f"what {who} asked for {number}", f"20:15 · drawn for {who}", mark, ord(who))

    @property
    def pictures(self) -> set[str]:
        return {path.name for path in self.album.folder.rglob("*") if path.is_file() and "sheet" not in path.name}

    @property
    def pages(self) -> list[np.ndarray]:
        paths = sorted(self.album.folder.rglob("contact sheet*.jpg"))
        return [np.asarray(Image.open(path)) for path in paths]


def same(shelf: Shelf, other: Shelf) -> bool:
    pages, others = shelf.pages, other.pages
    return len(pages) == len(others) and all(map(np.array_equal, pages, others))


MANY = "ab" * 15


def test_sheets_are_drawn_anew_to_the_pixel_as_if_somebody_had_never_been_there(tmp_path: Path) -> None:
    shelf, without = Shelf(tmp_path, "one", MANY), Shelf(tmp_path, "two", MANY.replace("a", "-"))
    assert (len(shelf.pages), len(without.pages)) == (2, 1)
    assert not same(shelf, without)
    PictureFolder(tmp_path / "one", Pseudonyms(tmp_path / "key")).remove("a")
    assert shelf.pictures == without.pictures
    assert same(shelf, without)
    shelf.album.remove("b")
    assert (shelf.pictures, shelf.pages) == (set(), [])


def test_one_request_goes_and_its_sheet_without_it(tmp_path: Path) -> None:
    shelf, without = Shelf(tmp_path, "one", "abc"), Shelf(tmp_path, "two", "a-c")
    shelf.album.remove(None, ["request-1"])
    assert same(shelf, without)


def test_nobodys_leaves_every_byte_as_it_is(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "one", "abc")
    before = {path: path.read_bytes() for path in shelf.folder.iterdir()}
    shelf.album.remove("nobody", ["no-request"])
    assert {path: path.read_bytes() for path in shelf.folder.iterdir()} == before


def test_moved_and_renamed_files_are_found_by_what_stands_inside_them(tmp_path: Path) -> None:
    shelf, without = Shelf(tmp_path, "one", "abcd"), Shelf(tmp_path, "two", "a-cd")
    best = shelf.album.folder / "best of" / "summer"
    best.mkdir(parents=True)
    for number, entry in enumerate(shelf.entries):
        entry.picture.rename(best / f"my favourite {number}{entry.picture.suffix}")
    (shelf.folder / "contact sheet 1.jpg").rename(best / "what we saw.jpg")
    shelf.album.remove("b")
    assert sorted(path.name for path in best.iterdir()) == [
        "contact sheet 1.jpg", "my favourite 0.jpg", "my favourite 2.webp", "my favourite 3.jpg"
    ]  # fmt: skip
    assert same(shelf, without)


def test_what_the_streamer_deleted_is_not_on_a_new_sheet(tmp_path: Path) -> None:
    shelf, without = Shelf(tmp_path, "one", "abc"), Shelf(tmp_path, "two", "--c")
    shelf.entries[0].picture.unlink()
    shelf.album.remove("b")
    assert same(shelf, without)


def test_a_picture_that_was_deleted_by_hand_still_leaves_its_sheet(tmp_path: Path) -> None:
    shelf, without = Shelf(tmp_path, "one", "abc"), Shelf(tmp_path, "two", "a-c")
    shelf.entries[1].picture.unlink()
    shelf.album.remove("b")
    assert same(shelf, without)


def test_a_copied_sheet_goes_with_the_other(tmp_path: Path) -> None:
    shelf, without = Shelf(tmp_path, "one", "abc"), Shelf(tmp_path, "two", "a-c")
    shutil.copy(shelf.folder / "contact sheet 1.jpg", shelf.folder / "copy.jpg")
    shelf.album.remove("b")
    assert not (shelf.folder / "copy.jpg").exists()
    assert same(shelf, without)


def test_foreign_files_are_left_alone_however_they_look(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "one", "ab")
    foreign = {
        "holiday.jpg": b"\xff\xd8 no picture", "notes.txt": b"streamer:", "empty.webp": b"",
        "contact sheet of mine.jpg": b"\xff\xfestreamer sheet {",
        f"20.15.00 background {ending('another')}.jpg": b"\xff\xd8",
    }  # fmt: skip
    for name, data in foreign.items():
        (tmp_path / "one" / name).write_bytes(data)
    shelf.album.remove("a", ["request-0"])
    assert {name: (tmp_path / "one" / name).read_bytes() for name in foreign} == foreign


def test_pictures_and_sheets_of_before_there_were_marks_go_by_their_names(tmp_path: Path) -> None:
    album, old = PictureFolder(tmp_path, Pseudonyms(tmp_path / "key")), tmp_path / "2020"
    old.mkdir()
    for number in range(2):
        (old / name_of(frame(number), "20.15.00")).write_bytes(frame(number).data)
    (old / "contact sheet 1.jpg").write_bytes(frame(9).data)
    album.remove("a", ["request-0"])
    assert [path.name for path in old.iterdir()] == [name_of(frame(1), "20.15.00")]


def test_older_files_are_left_alone_when_only_new_ones_are_meant(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "one", "aa")
    os.utime(shelf.entries[0].picture, (1000, 1000))
    shelf.album.remove("a", since=2000)
    assert shelf.pictures == {shelf.entries[0].picture.name}


def test_a_missing_folder_is_no_trouble(tmp_path: Path) -> None:
    PictureFolder(tmp_path / "nowhere", Pseudonyms(tmp_path)).remove("a", ["request-0"])


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_disk_that_cannot_be_written_is_logged_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path, "one", "ab")

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refused)
    monkeypatch.setattr(Path, "write_bytes", refused)
    shelf.album.remove("a")
    assert len(shelf.pictures) == 2
    assert "Read-only file system" in caplog.text
    assert "could not be deleted" in caplog.text
