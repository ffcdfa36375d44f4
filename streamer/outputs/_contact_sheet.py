"""Draws contact sheets: an evening's pictures in rows, each with its request and who asked.

The file of a sheet contains what the sheet was drawn from, in the words that stand on it anyway. So it can be redrawn
without somebody, years later and on a machine that knows nothing else of that evening.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from streamer.generator.render.fonts import drop_unwritable, font_for, open_font
from streamer.generator.render.wrap import truncate

COLUMNS, ROWS = 4, 6
THUMB = (460, 259)
"""The cell of a picture, 16:9, in pixels; a picture of another shape is shown whole inside it."""

_HEADING = b"streamer sheet "
_COMMENT = b"\xff\xfe"
_MAX_COMMENT = 65_533
"""Bytes that a JPEG comment holds."""

_EDGE, _GAP, _HEAD, _WORDS = 48, 28, 150, 92
_GROUND, _WINDOW, _TEXT, _QUIET = "#14161c", "#20242f", "#eceef4", "#a9b0c3"


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """One picture of a sheet: its file, the text that asked for it, and a line about when and for whom.

    ``tag`` is the tag inside the picture; ``person`` is a number that all requests of one person share.
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


def drawn_from(data: bytes) -> ContactSheet | None:
    """Return what a sheet was drawn from; None for any other file."""
    at = data.find(_HEADING)
    if at < 4 or data[at - 4 : at - 2] != _COMMENT:
        return None
    try:
        record = json.loads(data[at + len(_HEADING) : at - 2 + int.from_bytes(data[at - 2 : at], "big")])
        return ContactSheet(record["title"], record["page"], tuple(_entry(entry) for entry in record["entries"]))
    except (ValueError, TypeError, KeyError):
        return None  # made by another program, or cut off


def sheets(title: str, subtitle: str, entries: Sequence[SheetEntry]) -> Iterator[bytes]:
    """Yield the JPEG pages of a sheet, as many as the entries need; without entries there is no page."""
    size = COLUMNS * ROWS
    pages = [entries[start : start + size] for start in range(0, len(entries), size)]
    many = len(pages) > 1
    for number, page in enumerate(pages, start=1):
        head = f"{subtitle}, page {number} of {len(pages)}" if many else subtitle
        yield _page(title, head, page, _record(ContactSheet(title, number, tuple(page))))


def _entry(record: Mapping[str, Any]) -> SheetEntry:
    text, note, tag, person = (record[key] for key in ("what", "note", "mark", "person"))
    return SheetEntry(Path(record["picture"]), text, note, tag, person)


def _record(sheet: ContactSheet) -> bytes:
    """Return what a sheet is drawn from, or nothing if it is too long for a comment: the sheet cannot be redrawn."""
    # These keys stand in the files of streamers: they never change.
    entries = [
        {
            "picture": entry.picture.name,
            "what": entry.text,
            "note": entry.note,
            "mark": entry.tag,
            "person": entry.person,
        }
        for entry in sheet.entries
    ]
    record = {"title": sheet.title, "page": sheet.page, "entries": entries}
    comment = _HEADING + json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    return comment if len(comment) <= _MAX_COMMENT else b""


def _page(title: str, subtitle: str, entries: Sequence[SheetEntry], comment: bytes) -> bytes:
    rows = -(-len(entries) // COLUMNS)
    width = 2 * _EDGE + COLUMNS * THUMB[0] + (COLUMNS - 1) * _GAP
    height = _HEAD + rows * (THUMB[1] + _WORDS + _GAP) + _EDGE - _GAP
    page = Image.new("RGB", (width, height), _GROUND)
    draw = ImageDraw.Draw(page)
    _line(draw, title, (_EDGE, 40), width - 2 * _EDGE, 44, "Bold", _TEXT)
    _line(draw, subtitle, (_EDGE, 96), width - 2 * _EDGE, 24, "Regular", _QUIET)
    for number, entry in enumerate(entries):
        row, column = divmod(number, COLUMNS)
        left = _EDGE + column * (THUMB[0] + _GAP)
        _cell(page, draw, entry, (left, _HEAD + row * (THUMB[1] + _WORDS + _GAP)))
    out = io.BytesIO()
    page.save(out, "JPEG", quality=90, comment=comment)
    return out.getvalue()


def _cell(page: Image.Image, draw: ImageDraw.ImageDraw, entry: SheetEntry, at: tuple[int, int]) -> None:
    left, top = at
    draw.rectangle((left, top, left + THUMB[0] - 1, top + THUMB[1] - 1), fill=_WINDOW)
    if (small := _thumb(entry.picture)) is not None:
        at = (left + (THUMB[0] - small.width) // 2, top + (THUMB[1] - small.height) // 2)
        page.paste(small, at, small)
    below = top + THUMB[1] + 10
    used = _line(draw, entry.text, (left, below), THUMB[0], 22, "Bold", _TEXT, lines=2)
    _line(draw, entry.note, (left, below + used * 26 + 2), THUMB[0], 19, "Regular", _QUIET)


def _thumb(path: Path) -> Image.Image | None:
    """Return a small copy; None when the file has been deleted or is no picture."""
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", THUMB)
            small = picture.convert("RGBA")
    except OSError:
        return None
    small.thumbnail(THUMB, Image.Resampling.LANCZOS)
    return small


def _line(
    draw: ImageDraw.ImageDraw, text: str, at: tuple[int, int], width: int, size: int, weight: str, colour: str,
    lines: int = 1,
) -> int:  # fmt: skip
    """Draw a text in one size and cut it off at its last line; return how many lines it took."""
    name = font_for(text, weight)
    font, words = open_font(name, size), drop_unwritable(text, name)
    fitted = truncate(words, width, lines, font.getlength)
    for number, line in enumerate(fitted):
        draw.text((at[0], at[1] + number * round(size * 1.2)), line, font=font, fill=colour)
    return len(fitted)
