"""Chooses a font for a text, and drops the characters that it lacks, so that no empty box goes on air.

Roboto (package font-roboto, Apache-2.0) covers Latin, Cyrillic, Greek and Vietnamese. Other scripts need a system font;
Pillow knows where each platform keeps them.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.resources import files

from PIL import ImageFont

SYSTEM_FONTS = (
    "NotoSansCJK-Black.ttc",
    "NotoSansCJK-Bold.ttc",
    "msyhbd.ttc",  # Windows: simplified Chinese
    "YuGothB.ttc",  # Windows: Japanese
    "malgunbd.ttf",  # Windows: Korean
    "arialbd.ttf",  # Windows: Arabic, Hebrew
    "LeelawUI.ttf",  # Windows: Thai
    "Nirmala.ttf",  # Windows: India's scripts
    "PingFang.ttc",
    "Arial Unicode.ttf",  # macOS
    "NotoSansArabic-Bold.ttf",
    "NotoSansHebrew-Bold.ttf",
    "NotoSansDevanagari-Bold.ttf",
    "NotoSansThai-Bold.ttf",
    "DejaVuSans-Bold.ttf",
)
NEVER_MAPPED = "\uffff"
PROBE_SIZE = 24
JOINERS = "\u200c\u200d"
SAMPLES = {
    "Chinese": "字", "Japanese": "かナ", "Korean": "한", "Arabic": "ع", "Hebrew": "ש", "Hindi": "ह", "Thai": "ก",
}  # fmt: skip
"""A letter or two of each script that Roboto lacks."""


def unwritable_scripts() -> list[str]:
    """Name the scripts for which this machine has no font, so that captions stay empty."""
    return [name for name, text in SAMPLES.items() if drop_unwritable(text, font_for(text, "Bold")) != text]


def font_for(text: str, weight: str) -> str:
    """Return the first font file that has all letters of a text, or else the one that has most."""
    letters = [char for char in text if unicodedata.category(char)[0] in "LN"]
    shipped = roboto(weight)
    if all(has_glyph(shipped, char) for char in letters):
        return shipped
    return max((shipped, *system_fonts()), key=lambda font: sum(has_glyph(font, char) for char in letters))


def drop_unwritable(text: str, font: str) -> str:
    """Drop the characters that the font lacks, mostly emoji, and collapse the spaces that remain."""
    kept = ""
    for char in unicodedata.normalize("NFC", text):
        if char.isspace() or _may_stay(char, kept, font):
            kept += char
    return " ".join(kept.split())


def _may_stay(char: str, before: str, font: str) -> bool:
    # Control and format characters, such as bidi overrides and stray variation selectors, are dropped. Joiners stay
    # between letters, where Persian and Indic scripts need them.
    category = unicodedata.category(char)[0]
    if char in JOINERS:
        return before != "" and unicodedata.category(before[-1])[0] in "LM"
    return category != "C" and has_glyph(font, char)


@lru_cache(maxsize=8)
def roboto(weight: str) -> str:
    """Return the file of one weight of Roboto."""
    return str(files("font_roboto") / "files" / f"Roboto-{weight}.ttf")


@lru_cache(maxsize=1)
def system_fonts() -> tuple[str, ...]:
    """Return those of the known fonts for other scripts that this machine has."""
    return tuple(name for name in SYSTEM_FONTS if _exists(name))


@lru_cache(maxsize=4096)
def has_glyph(font: str, char: str) -> bool:
    """Tell whether the font draws this character as anything but its "missing" glyph."""
    return _shape(font, char) != _shape(font, NEVER_MAPPED)


def _shape(font: str, char: str) -> tuple[tuple[int, int], bytes]:
    mask = _probe(font).getmask(char)
    return mask.size, bytes(mask)


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
