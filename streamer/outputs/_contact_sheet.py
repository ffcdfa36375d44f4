"""Draws contact sheets: the pictures of an evening in rows, each with its request and its viewer.

Each sheet stores in its file what it was drawn from, in the words that are legible on it anyway. So it can be redrawn
without one person years later, on a machine that knows nothing else about that evening.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from streamer.commands.shown import EXCERPT
from streamer.generator.render.fonts import draw_line, ems
from streamer.generator.render.wrap import LINE_HEIGHT, TextRoom, fit_text
from streamer.text import excerpt

COLUMNS, ROWS = 4, 6
THUMBNAIL = (460, 259)
"""Width and height in pixels, 16:9; a picture of another shape is shown whole inside it."""
ASCENT = 0.93
"""From the top of a line to its baseline, in letter sizes."""

_RECORD_PREFIX = b"streamer sheet "
_COMMENT_MARKER = b"\xff\xfe"
_MAX_COMMENT = 65_533
"""Bytes that fit into a JPEG comment."""

_MARGIN, _GAP, _HEADER, _TEXT_HEIGHT = 48, 28, 150, 92
_BACKGROUND, _CELL, _TEXT, _MUTED = "#14161c", "#20242f", "#eceef4", "#a9b0c3"


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """One picture of a sheet: its file, the text of its request, and a note on when and for whom it was drawn.

    ``tag`` is the tag inside the picture; ``person`` is a number that is the same for all pictures of one person.
    """

    picture: Path
    text: str
    note: str
    tag: str = ""
    person: int = 0


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """What one page was drawn from; the pictures of its entries are file names without a folder."""

    title: str
    page: int
    entries: tuple[SheetEntry, ...]


def read_sheet(data: bytes) -> ContactSheet | None:
    """Read what a sheet was drawn from; None for any other file."""
    at = data.find(_RECORD_PREFIX)
    if at < 4 or data[at - 4 : at - 2] != _COMMENT_MARKER:
        return None
    try:
        record = json.loads(data[at + len(_RECORD_PREFIX) : at - 2 + int.from_bytes(data[at - 2 : at], "big")])
        entries = tuple(_entry_from_json(entry) for entry in record["entries"])
        return ContactSheet(record["title"], record["page"], entries)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # another program made it, or it is cut short


def draw_sheets(title: str, subtitle: str, entries: Sequence[SheetEntry]) -> Iterator[bytes]:
    """Draw as many JPEG pages as the entries need; without entries there is no page."""
    size = COLUMNS * ROWS
    pages = [entries[start : start + size] for start in range(0, len(entries), size)]
    for number, page in enumerate(pages, start=1):
        numbered = f"{subtitle}, page {number} of {len(pages)}" if len(pages) > 1 else subtitle
        yield _draw_page(title, numbered, page, _record(ContactSheet(title, number, tuple(page))))


def _record(sheet: ContactSheet) -> bytes:
    """Return the comment that says what a sheet was drawn from, or b"" if it is too long: then nobody can redraw it."""
    entries = [_entry_to_json(entry) for entry in sheet.entries]
    record = {"title": sheet.title, "page": sheet.page, "entries": entries}
    comment = _RECORD_PREFIX + json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    return comment if len(comment) <= _MAX_COMMENT else b""


# The keys are in files of earlier versions, so they never change.


def _entry_to_json(entry: SheetEntry) -> Mapping[str, str | int]:
    return {
        "picture": entry.picture.name, "what": entry.text, "note": entry.note, "mark": entry.tag,
        "person": entry.person,
    }  # fmt: skip


def _entry_from_json(entry: Mapping[str, str | int]) -> SheetEntry:
    tag, person = str(entry.get("mark", "")), int(entry.get("person", 0))
    return SheetEntry(Path(str(entry["picture"])), str(entry["what"]), str(entry["note"]), tag, person)


def _draw_page(title: str, subtitle: str, entries: Sequence[SheetEntry], comment: bytes) -> bytes:
    rows = -(-len(entries) // COLUMNS)
    width = 2 * _MARGIN + COLUMNS * THUMBNAIL[0] + (COLUMNS - 1) * _GAP
    height = _HEADER + rows * (THUMBNAIL[1] + _TEXT_HEIGHT + _GAP) + _MARGIN - _GAP
    page = Image.new("RGB", (width, height), _BACKGROUND)
    draw = ImageDraw.Draw(page)
    _draw_text(draw, title, (_MARGIN, 40), width - 2 * _MARGIN, 44, "Bold", _TEXT)
    _draw_text(draw, subtitle, (_MARGIN, 96), width - 2 * _MARGIN, 24, "Regular", _MUTED)
    for number, entry in enumerate(entries):
        row, column = divmod(number, COLUMNS)
        left = _MARGIN + column * (THUMBNAIL[0] + _GAP)
        _draw_cell(page, draw, entry, (left, _HEADER + row * (THUMBNAIL[1] + _TEXT_HEIGHT + _GAP)))
    out = io.BytesIO()
    page.save(out, "JPEG", quality=90, comment=comment)
    return out.getvalue()


def _draw_cell(page: Image.Image, draw: ImageDraw.ImageDraw, entry: SheetEntry, corner: tuple[int, int]) -> None:
    left, top = corner
    draw.rectangle((left, top, left + THUMBNAIL[0] - 1, top + THUMBNAIL[1] - 1), fill=_CELL)
    if (thumbnail := _thumbnail(entry.picture)) is not None:
        centred = (left + (THUMBNAIL[0] - thumbnail.width) // 2, top + (THUMBNAIL[1] - thumbnail.height) // 2)
        page.paste(thumbnail, centred, thumbnail)
    below = top + THUMBNAIL[1] + 10
    # Sheets of early versions name longer texts.
    lines = _draw_text(draw, excerpt(entry.text, EXCERPT), (left, below), THUMBNAIL[0], 22, "Bold", _TEXT, max_lines=2)
    _draw_text(draw, entry.note, (left, below + lines * 26 + 2), THUMBNAIL[0], 19, "Regular", _MUTED)


def _thumbnail(path: Path) -> Image.Image | None:
    """Read a small copy; None for a file that was deleted meanwhile, or is no picture."""
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", THUMBNAIL)
            small = picture.convert("RGBA")
    except OSError:
        return None
    small.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
    return small


def _draw_text(
    draw: ImageDraw.ImageDraw, text: str, corner: tuple[int, int], width: int, size: int, weight: str, colour: str,
    max_lines: int = 1,
) -> int:  # fmt: skip
    """Draw a text as large as it fits into ``width`` pixels and ``max_lines``; return how many of these it takes."""
    if not text:
        return 0
    height = round(size * (1 + LINE_HEIGHT * (max_lines - 1)))
    room = TextRoom(width, height, max_lines, size, max(size - 4, 2), 0.0)
    fitted = fit_text(text, room, lambda part: ems(part, weight))
    for number, line in enumerate(fitted.lines):
        baseline = corner[1] + ASCENT * fitted.size + number * LINE_HEIGHT * fitted.size
        draw_line(draw, (corner[0], baseline), line, weight, fitted.size, colour)
    return min(len(fitted.lines), max_lines)
