"""Draws contact sheets: an evening's pictures in rows, each with what was asked for and who asked.

A sheet says inside its file what it was drawn from, in the words that can be read on it anyway: so it can be drawn
anew without somebody, years later and on a machine that knows nothing else of that evening.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from streamer.generator.render.fonts import drop_unwritable, font_for, open_font
from streamer.generator.render.wrap import truncate

COLUMNS, ROWS = 4, 6
THUMB = (460, 259)
"""A little window of 16:9, in pixels; a picture of another shape is shown whole inside it."""

_HEADING = b"streamer sheet "
_COMMENT = b"\xff\xfe"
_LONGEST = 65_533
"""Bytes that a JPEG comment holds."""

_EDGE, _GAP, _HEAD, _WORDS = 48, 28, 150, 92
_GROUND, _WINDOW, _TEXT, _QUIET = "#14161c", "#20242f", "#eceef4", "#a9b0c3"


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """One picture of a sheet: its file, what it shows, and a line about when and for whom.

    ``mark`` is the one inside the picture; ``person`` a number that is the same for all that one person asked for.
    """

    picture: Path
    what: str
    note: str
    mark: str = ""
    person: int = 0


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """What one page was drawn from; its entries' pictures are file names without a folder."""

    title: str
    page: int
    entries: tuple[SheetEntry, ...]


def drawn_from(data: bytes) -> ContactSheet | None:
    """Read what a sheet says about itself; None for any other file."""
    at = data.find(_HEADING)
    if at < 4 or data[at - 4 : at - 2] != _COMMENT:
        return None
    try:
        record = json.loads(data[at + len(_HEADING) : at - 2 + int.from_bytes(data[at - 2 : at], "big")])
        entries = (SheetEntry(**{**entry, "picture": Path(entry["picture"])}) for entry in record["entries"])
        return ContactSheet(record["title"], record["page"], tuple(entries))
    except (ValueError, TypeError, KeyError):
        return None  # made by somebody else, or cut off


def sheets(title: str, subtitle: str, entries: Sequence[SheetEntry]) -> Iterator[bytes]:
    """Draw one JPEG page after the other, as many as the entries need; no entries, no page."""
    size = COLUMNS * ROWS
    pages = [entries[start : start + size] for start in range(0, len(entries), size)]
    many = len(pages) > 1
    for number, page in enumerate(pages, start=1):
        head = f"{subtitle}, page {number} of {len(pages)}" if many else subtitle
        yield _page(title, head, page, _record(ContactSheet(title, number, tuple(page))))


def _record(sheet: ContactSheet) -> bytes:
    """Say what a sheet is drawn from; nothing if that is too long for a comment: then it cannot be drawn anew."""
    entries = [
        {"picture": one.picture.name, "what": one.what, "note": one.note, "mark": one.mark, "person": one.person}
        for one in sheet.entries
    ]
    record = {"title": sheet.title, "page": sheet.page, "entries": entries}
    comment = _HEADING + json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
    return comment if len(comment) <= _LONGEST else b""


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
    used = _line(draw, entry.what, (left, below), THUMB[0], 22, "Bold", _TEXT, lines=2)
    _line(draw, entry.note, (left, below + used * 26 + 2), THUMB[0], 19, "Regular", _QUIET)


def _thumb(path: Path) -> Image.Image | None:
    """Read a small copy; None for a file that was deleted meanwhile, or is no picture."""
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
    """Write a text in one size, cut off where it gets too long; return how many lines it took."""
    name = font_for(text, weight)
    font, words = open_font(name, size), drop_unwritable(text, name)
    fitted = truncate(words, width, lines, font.getlength)
    for number, line in enumerate(fitted):
        draw.text((at[0], at[1] + number * round(size * 1.2)), line, font=font, fill=colour)
    return len(fitted)
