"""Sets a line in the fonts of this machine: every letter of it, in a font that has it, or else as a visible box.

Roboto (package font-roboto, Apache-2.0) covers Latin, Cyrillic, Greek and Vietnamese. Other scripts need a system font;
Pillow knows where each platform keeps them. Nothing is ever left out: what is drawn is what was judged.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from PIL import ImageDraw, ImageFont, features
from wcwidth import iter_graphemes

from streamer.commands.bidi import DirectedRun, display_runs

SYSTEM_FONTS = (
    "NotoSansCJK-Black.ttc",
    "NotoSansCJK-Bold.ttc",
    "msyhbd.ttc",  # Windows: simplified Chinese
    "YuGothB.ttc",  # Windows: Japanese
    "malgunbd.ttf",  # Windows: Korean
    "arialbd.ttf",  # Windows: Arabic, Hebrew
    "LeelawUI.ttf",  # Windows: Thai
    "Nirmala.ttf",  # Windows: India's scripts
    "mmrtextb.ttf",  # Windows: Burmese
    "seguisym.ttf",  # Windows: symbols
    "PingFang.ttc",
    "Arial Unicode.ttf",  # macOS
    "NotoSansArabic-Bold.ttf",
    "NotoSansHebrew-Bold.ttf",
    "NotoSansDevanagari-Bold.ttf",
    "NotoSansBengali-Bold.ttf",
    "NotoSansTamil-Bold.ttf",
    "NotoSansTelugu-Bold.ttf",
    "NotoSansThai-Bold.ttf",
    "NotoSansMyanmar-Bold.ttf",
    "NotoSansKhmer-Bold.ttf",
    "NotoSansGeorgian-Bold.ttf",
    "NotoSansArmenian-Bold.ttf",
    "NotoSansSymbols-Bold.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "NotoSansMath-Regular.ttf",
    "DejaVuSans-Bold.ttf",
)
NEVER_MAPPED = "\uffff"
PROBE_SIZE, REFERENCE_SIZE = 24, 100
SAMPLES = {
    "Chinese": "字", "Japanese": "かナ", "Korean": "한", "Arabic": "ع", "Hebrew": "ש", "Hindi": "ह", "Thai": "ก",
}  # fmt: skip
"""A letter or two of each script that Roboto lacks."""


@dataclass(frozen=True, slots=True)
class FontRun:
    """Neighboring letters of a line in one font and one direction; a letter that no font has is drawn as a box."""

    text: str
    font: str
    right_to_left: bool


def draw_line(
    draw: ImageDraw.ImageDraw, start: tuple[float, float], line: str, weight: str, size: int, fill: str | int,
    stroke: int = 0,
) -> None:  # fmt: skip
    """Draw a line that begins at this point of its baseline; size and stroke in pixels."""
    x, y = start
    for run in font_runs(line, weight):
        draw.text(
            (x, y), _readable(run), fill, open_font(run.font, size), anchor="ls", stroke_width=stroke,
            direction=_direction(run),
        )  # fmt: skip
        x += _run_width(run, size)


def line_width(line: str, weight: str, size: int) -> float:
    """Return the width of a line in pixels."""
    return sum(
        open_font(run.font, size).getlength(_readable(run), direction=_direction(run))
        for run in font_runs(line, weight)
    )


def ems(line: str, weight: str) -> float:
    """Return the width of a line in letter sizes."""
    return line_width(line, weight, REFERENCE_SIZE) / REFERENCE_SIZE


@lru_cache(maxsize=1024)
def font_runs(line: str, weight: str) -> tuple[FontRun, ...]:
    """Split a line into runs as they stand on it from left to right."""
    main = font_for(line, weight)
    return tuple(run for directed in display_runs(line) for run in _in_fonts(directed, main, weight))


def unwritable_scripts() -> list[str]:
    """Name the scripts for which this machine has no font, so that captions show boxes."""
    return [name for name, text in SAMPLES.items() if any(not has_glyph(font_for(text, "Bold"), char) for char in text)]


def font_for(text: str, weight: str) -> str:
    """Return the first font file that has all letters of a text, or else the one that has most."""
    letters = [char for char in text if unicodedata.category(char)[0] in "LN"]
    shipped = roboto(weight)
    if all(has_glyph(shipped, char) for char in letters):
        return shipped
    return max((shipped, *system_fonts()), key=lambda font: sum(has_glyph(font, char) for char in letters))


def _in_fonts(directed: DirectedRun, main: str, weight: str) -> list[FontRun]:
    """Split a run where its letters need another font; the first piece to be read comes last if read right to left."""
    pieces: list[tuple[str, str]] = []
    for grapheme in iter_graphemes(directed.text):
        font = pieces[-1][1] if grapheme == " " and pieces else _font_of(grapheme, main, weight)
        if pieces and pieces[-1][1] == font:
            pieces[-1] = (pieces[-1][0] + grapheme, font)
        else:
            pieces.append((grapheme, font))
    runs = [FontRun(text, font, directed.right_to_left) for text, font in pieces]
    return runs[::-1] if directed.right_to_left else runs


def _font_of(grapheme: str, main: str, weight: str) -> str:
    shipped = roboto(weight)
    return next((font for font in (main, shipped, *system_fonts()) if _has_all(font, grapheme)), shipped)


def _has_all(font: str, grapheme: str) -> bool:
    """Tell whether a font has all of a grapheme; shaping composes a letter from its parts, joiners have no shape."""
    return all(
        unicodedata.category(part) == "Cf" or _is_selector(part) or has_glyph(font, part) or _has_parts(font, part)
        for part in grapheme
    )


def _has_parts(font: str, letter: str) -> bool:
    parts = unicodedata.normalize("NFD", letter)
    return parts != letter and all(has_glyph(font, part) for part in parts)


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180f"


def _run_width(run: FontRun, size: int) -> float:
    return open_font(run.font, size).getlength(_readable(run), direction=_direction(run))


def _direction(run: FontRun) -> str | None:
    return ("rtl" if run.right_to_left else "ltr") if _can_shape() else None


def _readable(run: FontRun) -> str:
    # Without Raqm Pillow sets the letters one after the other from left to right.
    return run.text[::-1] if run.right_to_left and not _can_shape() else run.text


@lru_cache(maxsize=1)
def _can_shape() -> bool:
    return bool(features.check("raqm"))


@lru_cache(maxsize=8)
def roboto(weight: str) -> str:
    """Return the file of one weight of Roboto."""
    return str(files("font_roboto") / "files" / f"Roboto-{weight}.ttf")


@lru_cache(maxsize=1)
def system_fonts() -> tuple[str, ...]:
    """Return those of the known fonts for other scripts that this machine has."""
    return tuple(name for name in SYSTEM_FONTS if _exists(name))


@lru_cache(maxsize=16384)
def has_glyph(font: str, char: str) -> bool:
    """Tell whether the font draws this character, visibly and as anything but its "missing" glyph."""
    return char == " " or _ink(font, char) not in (None, _ink(font, NEVER_MAPPED))


def _ink(font: str, char: str) -> tuple[tuple[int, int], bytes] | None:
    mask = _probe(font).getmask(char)
    return (mask.size, bytes(mask)) if mask.getbbox() else None


@lru_cache(maxsize=32)
def _probe(font: str) -> ImageFont.FreeTypeFont:
    # Basic layout: shaping would add a dotted circle to a combining mark that stands alone.
    return ImageFont.truetype(font, PROBE_SIZE, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=64)
def open_font(font: str, size: int) -> ImageFont.FreeTypeFont:
    """Open a font file at a size in pixels."""
    return ImageFont.truetype(font, size)


def _exists(name: str) -> bool:
    try:
        _probe(name)
    except OSError:
        return False
    return True
