"""Writes pictures and contact sheets into a folder of the streamer's, and deletes those of one person.

The folder belongs to the streamer, who moves, renames and deletes files at will. So each file carries inside what it
is (its tag), and files that we did not write are left alone.
"""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from streamer.interfaces import Health, HealthState
from streamer.outputs._contact_sheet import ContactSheet, SheetEntry, draw_sheets, read_sheet
from streamer.outputs._picture_tag import read_tag, with_tag
from streamer.storage.pseudonyms import Pseudonyms
from streamer.types import Frame

log = logging.getLogger(__name__)

SUFFIXES = {"image/jpeg": "jpg", "image/webp": "webp", "image/png": "png"}
READ_SUFFIXES = frozenset({".jpg", ".jpeg", ".webp", ".png"})
HEAD_BYTES, TAIL_BYTES = 2**18, 2**16
"""The parts of a file that are searched: a JPEG's metadata comes first, a WebP's last."""

TagMatcher = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A picture, or the page of a contact sheet if ``sheet`` is given; pictures of early versions have no tag."""

    path: Path
    tag: str | None
    sheet: ContactSheet | None


class PictureFolder:
    """All pictures and sheets below one folder; every call blocks. Only ``save`` and ``draw`` raise OSError."""

    def __init__(self, folder: Path, pseudonyms: Pseudonyms) -> None:
        self.folder, self._pseudonyms = folder.expanduser(), pseudonyms
        self._fault = ""

    def health(self, name: str) -> Health:
        """Return whether the last picture or sheet was saved, under the name of the output."""
        if self._fault:
            return Health(name, HealthState.FAILED, f"not saved: {self._fault}")
        return Health(name, HealthState.READY, f"saves to {self.folder}")

    @contextmanager
    def _saving(self, *, writes: bool = True) -> Iterator[None]:
        """Note an error; a success proves something only if anything is written."""
        try:
            yield
        except OSError as error:
            self._fault = str(error)
            raise
        if writes:
            self._fault = ""

    def save(self, path: Path, frame: Frame, actor_id: str) -> str:
        """Write a picture with its tag inside, and return the tag."""
        tag = self._pseudonyms.picture_tag(frame.request_id, actor_id)
        with self._saving():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(with_tag(frame.data, tag))
        return tag

    def tag_matcher(self, actor_id: str | None, request_ids: Iterable[str] = ()) -> TagMatcher:
        """Return a function that tells whether a tag belongs to this person or to one of these requests."""
        return self._pseudonyms.tag_matcher(actor_id, request_ids)

    def draw(self, folder: Path, title: str, entries: Sequence[SheetEntry]) -> int:
        """Draw the sheets of one folder from the pictures that still exist; return how many those are."""
        existing = [entry for entry in entries if entry.picture.is_file()]
        people = len({entry.person for entry in existing})
        subtitle = f"{_count(len(existing), 'picture')} for {_count(people, 'person', 'people')}"
        pages = list(draw_sheets(title, subtitle, existing))
        with self._saving(writes=bool(pages)):
            for old in folder.glob("contact sheet*.jpg"):
                old.unlink()
            for number, page in enumerate(pages, start=1):
                (folder / f"contact sheet {number}.jpg").write_bytes(page)
        return len(existing)

    def remove(self, actor_id: str | None, request_ids: Iterable[str] = (), since: float = -math.inf) -> None:
        """Delete the pictures of somebody and of some requests, and redraw the sheets that showed them.

        Files older than ``since`` (seconds since the epoch) are left alone. A file that cannot be deleted is logged.
        """
        request_ids = list(request_ids)
        matches = self._pseudonyms.tag_matcher(actor_id, request_ids)
        suffixes = {name_suffix(request_id) for request_id in request_ids}
        files = list(self._files(since))
        deleted = [file for file in files if file.sheet is None and _belongs(file, matches, suffixes)]
        for file in deleted:
            _delete(file.path)
        for (folder, _), pages in _by_evening(files).items():
            if any(matches(entry.tag) for page in pages for entry in _entries(page) if entry.tag):
                self._redraw(folder, pages, matches)
        self._delete_unreadable_sheets({file.path.parent for file in deleted})

    def _redraw(self, folder: Path, pages: Sequence[WrittenFile], matches: TagMatcher) -> None:
        sheet = pages[0].sheet
        assert sheet is not None
        remaining = {entry.tag: entry for page in pages for entry in _entries(page) if not matches(entry.tag)}
        for page in pages:
            _delete(page.path)
        try:
            self.draw(folder, sheet.title, list(self._located(folder, remaining.values())))
        except OSError as error:
            log.warning("a contact sheet was deleted and could not be redrawn: %s", error)

    def _located(self, folder: Path, entries: Iterable[SheetEntry]) -> Iterator[SheetEntry]:
        """Find each picture under its old name, or by its tag wherever it is now."""
        path_of_tag: dict[str | None, Path] | None = None
        for entry in entries:
            path = folder / entry.picture
            if not path.is_file():
                if path_of_tag is None:
                    path_of_tag = {file.tag: file.path for file in self._files() if file.sheet is None}
                path = path_of_tag.get(entry.tag, path)
            yield replace(entry, picture=path)

    def _delete_unreadable_sheets(self, folders: Iterable[Path]) -> None:
        """Delete the sheets of early versions, which do not say what they show: one may show a deleted picture."""
        for folder in folders:
            for path in folder.glob("contact sheet*.jpg"):
                if (file := _read(path)) is not None and file.sheet is None:
                    log.warning("%s showed a deleted picture and could not be redrawn, so it was deleted too", path)
                    _delete(path)

    def _files(self, since: float = -math.inf) -> Iterator[WrittenFile]:
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder, name)
                if path.suffix.lower() not in READ_SUFFIXES or not _changed(path, since):
                    continue
                if (file := _read(path)) is not None:
                    yield file


def picture_name(frame: Frame, clock: str) -> str:
    """Name a picture so that a folder sorts by time and no platform's message id can leave the folder."""
    layer = re.sub(r"[^A-Za-z0-9_-]", "_", frame.layer)
    return f"{clock} {layer} {name_suffix(frame.request_id)}.{SUFFIXES[frame.media_type]}"


def name_suffix(request_id: str) -> str:
    """Return the last word of a picture's name: a digest, since any id must fit into a file name."""
    return blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def _belongs(file: WrittenFile, matches: TagMatcher, suffixes: set[str]) -> bool:
    # Pictures of early versions have no tag and are known by their names alone.
    return matches(file.tag) if file.tag is not None else file.path.stem.rpartition(" ")[2] in suffixes


def _entries(page: WrittenFile) -> tuple[SheetEntry, ...]:
    return page.sheet.entries if page.sheet is not None else ()


def _by_evening(files: Iterable[WrittenFile]) -> dict[tuple[Path, str], list[WrittenFile]]:
    """Group the pages of sheets by folder and title, in the order of the pages."""
    evenings: dict[tuple[Path, str], list[WrittenFile]] = {}
    for file in files:
        if file.sheet is not None:
            evenings.setdefault((file.path.parent, file.sheet.title), []).append(file)
    for pages in evenings.values():
        pages.sort(key=lambda file: file.sheet.page if file.sheet else 0)
    return evenings


def _changed(path: Path, since: float) -> bool:
    try:
        return not path.is_symlink() and path.stat().st_mtime >= since
    except OSError:
        return False  # deleted meanwhile


def _read(path: Path) -> WrittenFile | None:
    """Return what a file is; None when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(HEAD_BYTES)
            file.seek(0, os.SEEK_END)
            if (rest := file.tell() - len(data)) > 0:
                file.seek(-min(rest, TAIL_BYTES), os.SEEK_END)
                data += file.read()
    except OSError as error:
        log.warning("a picture's file cannot be read: %s", error)
        return None
    sheet = read_sheet(data)
    return WrittenFile(path, None if sheet else read_tag(data), sheet)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.error("this file could not be deleted, please delete it: %s", error)


def _count(number: int, singular: str, plural: str = "") -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
