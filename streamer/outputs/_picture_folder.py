"""Finds pictures and contact sheets in a folder of the streamer's, and takes out what is somebody's.

The folder belongs to the streamer, who moves, renames and deletes in it at will: what a file is stands inside the
file (its mark), and whatever we did not write is left alone.
"""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from streamer.outputs._contact_sheet import ContactSheet, SheetEntry, drawn_from, sheets
from streamer.outputs._picture_tag import read_tag, with_tag
from streamer.storage.pseudonyms import Pseudonyms
from streamer.types import Frame

log = logging.getLogger(__name__)

SUFFIXES = {"image/jpeg": "jpg", "image/webp": "webp", "image/png": "png"}
KINDS = frozenset({".jpg", ".jpeg", ".webp", ".png"})
HEAD, TAIL = 2**18, 2**16
"""Bytes at both ends of a file that are searched: a JPEG's metadata comes first, a WebP's last."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that we wrote: a sheet if ``sheet`` is there; ``mark`` is None in pictures of before there were marks."""

    path: Path
    mark: str | None
    sheet: ContactSheet | None


class PictureFolder:
    """All pictures and sheets below one folder; every call blocks. Only ``save`` and ``draw`` raise OSError."""

    def __init__(self, folder: Path, pseudonyms: Pseudonyms) -> None:
        self.folder, self._pseudonyms = folder.expanduser(), pseudonyms

    def save(self, path: Path, frame: Frame, actor_id: str) -> str:
        """Write a picture with its mark inside, and return the mark."""
        mark = self._pseudonyms.picture_tag(frame.request_id, actor_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(with_tag(frame.data, mark))
        return mark

    def tag_matcher(self, actor_id: str | None, request_ids: Iterable[str] = ()) -> Callable[[str], bool]:
        """Return what tells whether a mark is somebody's, or that of one of these requests."""
        return self._pseudonyms.tag_matcher(actor_id, request_ids)

    def draw(self, folder: Path, title: str, entries: Sequence[SheetEntry]) -> int:
        """Draw the sheets of one folder anew from those pictures that are still there; return how many those are."""
        left = [entry for entry in entries if entry.picture.is_file()]
        people = len({entry.person for entry in left})
        subtitle = f"{_count(len(left), 'picture')} for {_count(people, 'person', 'people')}"
        pages = list(sheets(title, subtitle, left))
        for old in folder.glob("contact sheet*.jpg"):
            old.unlink()
        for number, page in enumerate(pages, start=1):
            (folder / f"contact sheet {number}.jpg").write_bytes(page)
        return len(left)

    def remove(self, actor_id: str | None, request_ids: Iterable[str] = (), since: float = -math.inf) -> None:
        """Delete somebody's pictures, or those of some requests, and draw the sheets that showed them anew.

        ``since`` (seconds since the epoch) leaves older files alone. What cannot be deleted is logged.
        """
        request_ids = list(request_ids)
        meant = self._pseudonyms.tag_matcher(actor_id, request_ids)
        endings = {ending(one) for one in request_ids}
        found = list(self._found(since))
        gone = [one for one in found if one.sheet is None and _is(one, meant, endings)]
        for one in gone:
            _delete(one.path)
        for folder, pages in _by_evening(found).items():
            if any(meant(entry.mark) for page in pages for entry in _entries(page) if entry.mark):
                self._redraw(folder[0], pages, meant)
        self._drop_unreadable_sheets({one.path.parent for one in gone})

    def _redraw(self, folder: Path, pages: Sequence[Found], meant: Callable[[str], bool]) -> None:
        sheet = pages[0].sheet
        assert sheet is not None
        left = {entry.mark: entry for page in pages for entry in _entries(page) if not meant(entry.mark)}
        for page in pages:
            _delete(page.path)
        try:
            self.draw(folder, sheet.title, list(self._located(folder, left.values())))
        except OSError as error:
            log.warning("a contact sheet was deleted and could not be drawn anew: %s", error)

    def _located(self, folder: Path, entries: Iterable[SheetEntry]) -> Iterator[SheetEntry]:
        """Find each picture under its old name, or by its mark wherever it is now."""
        moved: dict[str | None, Path] | None = None
        for entry in entries:
            path = folder / entry.picture
            if not path.is_file():
                if moved is None:
                    moved = {one.mark: one.path for one in self._found() if one.sheet is None}
                path = moved.get(entry.mark, path)
            yield replace(entry, picture=path)

    def _drop_unreadable_sheets(self, folders: Iterable[Path]) -> None:
        """Delete sheets of before they said what they show: one of them may show what has just been deleted."""
        for folder in folders:
            for path in folder.glob("contact sheet*.jpg"):
                if (one := _look(path)) is not None and one.sheet is None:
                    log.warning("%s showed a deleted picture and cannot be drawn anew: it is deleted, too", path)
                    _delete(path)

    def _found(self, since: float = -math.inf) -> Iterator[Found]:
        for place, _, names in os.walk(self.folder):
            for name in names:
                path = Path(place, name)
                if path.suffix.lower() in KINDS and _touched(path, since) and (one := _look(path)) is not None:
                    yield one


def name_of(frame: Frame, clock: str) -> str:
    """Name a picture so that a folder sorts by time and no platform's message id can leave the folder."""
    layer = re.sub(r"[^A-Za-z0-9_-]", "_", frame.layer)
    return f"{clock} {layer} {ending(frame.request_id)}.{SUFFIXES[frame.media_type]}"


def ending(request_id: str) -> str:
    """Return what a picture's name ends in: a digest fits any id into a file name."""
    return blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def _is(one: Found, meant: Callable[[str], bool], endings: set[str]) -> bool:
    # Pictures of before there were marks are known by their names alone.
    return meant(one.mark) if one.mark is not None else one.path.stem.rpartition(" ")[2] in endings


def _entries(page: Found) -> tuple[SheetEntry, ...]:
    return page.sheet.entries if page.sheet is not None else ()


def _by_evening(found: Iterable[Found]) -> dict[tuple[Path, str], list[Found]]:
    """Put pages together, in their order."""
    evenings: dict[tuple[Path, str], list[Found]] = {}
    for one in found:
        if one.sheet is not None:
            evenings.setdefault((one.path.parent, one.sheet.title), []).append(one)
    for pages in evenings.values():
        pages.sort(key=lambda one: one.sheet.page if one.sheet else 0)
    return evenings


def _touched(path: Path, since: float) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_mtime >= since
    except OSError:
        return False  # gone meanwhile


def _look(path: Path) -> Found | None:
    """Look into a file; None when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(HEAD)
            file.seek(0, os.SEEK_END)
            if (rest := file.tell() - len(data)) > 0:
                file.seek(-min(rest, TAIL), os.SEEK_END)
                data += file.read()
    except OSError as error:
        log.warning("not looked into: %s", error)
        return None
    sheet = drawn_from(data)
    return Found(path, None if sheet else read_tag(data), sheet)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.error("this is to be forgotten and could not be deleted, please do so: %s", error)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
