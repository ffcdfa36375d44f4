"""Chooses the font that can write a text, and drops what no font here can: never an empty box on air.

Roboto (package font-roboto, Apache-2.0) has Latin, Cyrillic, Greek and Vietnamese. For other scripts the system is
searched; Pillow knows where each platform keeps its fonts.
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
"""A letter or two of each script that Roboto does not have."""


def unwritable_scripts() -> list[str]:
    """Name the scripts in which captions stay empty on this machine."""
    return [name for name, text in SAMPLES.items() if writable(text, font_for(text, "Bold")) != text]


def font_for(text: str, weight: str) -> str:
    """Find the font file for a whole text: the first that has all its letters, or else most of them."""
    letters = [char for char in text if unicodedata.category(char)[0] in "LN"]
    own = roboto(weight)
    if all(has_glyph(own, char) for char in letters):
        return own
    return max((own, *system_fonts()), key=lambda font: sum(has_glyph(font, char) for char in letters))


def writable(text: str, font: str) -> str:
    """Leave out what the font cannot write, emoji for the most part, and tidy the spaces that remain."""
    kept = ""
    for char in unicodedata.normalize("NFC", text):
        if char.isspace() or _may_stay(char, kept, font):
            kept += char
    return " ".join(kept.split())


def _may_stay(char: str, before: str, font: str) -> bool:
    # Control and format characters go: a bidi override or a stray variation selector is no writing. Joiners stay
    # between letters, where Persian and the scripts of India need them.
    category = unicodedata.category(char)[0]
    if char in JOINERS:
        return before != "" and unicodedata.category(before[-1])[0] in "LM"
    return category != "C" and has_glyph(font, char)


@lru_cache(maxsize=8)
def roboto(weight: str) -> str:
    """Find the file of one weight of Roboto."""
    return str(files("font_roboto") / "files" / f"Roboto-{weight}.ttf")


@lru_cache(maxsize=1)
def system_fonts() -> tuple[str, ...]:
    """Find which of the known fonts for other scripts this machine has."""
    return tuple(name for name in SYSTEM_FONTS if _exists(name))


@lru_cache(maxsize=4096)
def has_glyph(font: str, char: str) -> bool:
    """Tell whether the font draws this character as something else than its "missing" sign."""
    return _shape(font, char) != _shape(font, NEVER_MAPPED)


def _shape(font: str, char: str) -> tuple[tuple[int, int], bytes]:
    mask = _probe(font).getmask(char)
    return mask.size, bytes(mask)


@lru_cache(maxsize=32)
def _probe(font: str) -> ImageFont.FreeTypeFont:
    # Plain layout: shaping would add a dotted circle to a mark that stands alone.
    return ImageFont.truetype(font, PROBE_SIZE, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=64)
def sized(font: str, size: int) -> ImageFont.FreeTypeFont:
    """Open a font at a size in pixels."""
    return ImageFont.truetype(font, size)


def _exists(name: str) -> bool:
    try:
        _probe(name)
    except OSError:
        return False
    return True
