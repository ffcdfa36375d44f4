"""Sets words in type: every letter of them, in a font that has it, wrapped and as large as fits; or not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from streamer.generator.procedural.engine.noise import Field
from streamer.generator.procedural.plan.kinds import key_of
from streamer.generator.procedural.subjects.library import drawing
from streamer.generator.procedural.subjects.sprite import sprite

_SYSTEM = (
    "NotoSansCJK-Black.ttc", "NotoSansCJK-Bold.ttc", "msyhbd.ttc", "YuGothB.ttc", "malgunbd.ttf", "arialbd.ttf",
    "LeelawUI.ttf", "Nirmala.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "Arial Unicode.ttf",
    "NotoSansArabic-Bold.ttf", "NotoSansHebrew-Bold.ttf", "NotoSansDevanagari-Bold.ttf", "NotoSansThai-Bold.ttf",
    "DejaVuSans-Bold.ttf",
)  # fmt: skip
"""Fonts of Linux, Windows and macOS for the scripts that Roboto lacks, by the names that Pillow finds them by."""
_UNMAPPED = "\uffff"
_PROBE, _REFERENCE = 24, 100
# A few characters of a script without blanks, or all that stands between them: no other word is cut in two.
_BREAKABLE = re.compile("[\u2e80-\u9fff]{1,4}|[^\u2e80-\u9fff]+")
_LEADING = 1.12
_MOST_LINES = 4
_LONGEST = 160
_LEAST_INK = 0.08
"""The least ink of a text, in squares as high as the type: more than a dot's or a dash's, less than an i's."""
_JOINED = ("ARABIC", "HEBREW", "SYRIAC", "DEVANAGARI", "BENGALI", "TAMIL", "TELUGU", "THAI", "KHMER", "MYANMAR")
"""Scripts whose letters change, stack or run from right to left: they need Raqm, which not every Pillow has."""


@dataclass(frozen=True, slots=True)
class TypeBox:
    """Where type may stand, in pixels, and how large its letters may be."""

    width: float
    height: float
    largest: float
    smallest: float


@dataclass(frozen=True, slots=True)
class SetType:
    """Lines of type: the mask of their letters, and emoji among them as RGB with a mask of their own."""

    letters: Field
    emoji: Field
    emoji_mask: Field
    lines: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    font: str
    """The file of its font, or "" for an emoji."""


def set_type(text: str, box: TypeBox) -> SetType | None:
    """Set the whole text in lines within a box; None if a letter of it is in no font, or if it does not fit."""
    words = _words(" ".join(text.split())) if len(text) <= _LONGEST else ()
    if not words:
        return None
    size = box.largest
    while size > box.smallest:
        lines = _wrapped(words, box.width, size)
        if lines is not None and len(lines) <= _MOST_LINES and len(lines) * size * _LEADING <= box.height:
            return _seen(_drawn(lines, int(size)))
        size *= 0.93
    return None


def _seen(type_: SetType) -> SetType | None:
    """Drop type with hardly any ink: some letters are blank in every font, and a lone dot is no picture."""
    ink = float(type_.letters.sum()) + float(type_.emoji_mask.sum())
    return type_ if ink > _LEAST_INK * type_.size**2 else None


@lru_cache(maxsize=256)
def _words(text: str) -> tuple[_Word, ...]:
    """Choose each word's font; an empty tuple says that some letter has none."""
    if not features.check("raqm") and any(unicodedata.name(char, "").startswith(_JOINED) for char in text):
        return ()
    whole = _font_for(text.replace(" ", ""))
    if whole:
        return tuple(_Word(part, whole) for part in _parts(text))
    words = tuple(_Word(part, "" if _is_emoji(part) else _font_for(part)) for part in _parts(text))
    return words if all(word.font or _is_emoji(word.text) for word in words) else ()


def _parts(text: str) -> list[str]:
    """Split where a line may end: at blanks, and between letters of scripts that write none."""
    parts: list[str] = []
    for chunk in text.split():
        parts += _BREAKABLE.findall(chunk)
    return parts


def _is_emoji(word: str) -> bool:
    return not any(char.isalnum() for char in word) and drawing(key_of(word)) is not None


def _font_for(letters: str) -> str:
    """Return the first font that has every one of these characters, or ""."""
    shipped = str(files("font_roboto") / "files" / "Roboto-Black.ttf")
    for font in (shipped, *_system_fonts()):
        if all(_has(font, char) for char in dict.fromkeys(unicodedata.normalize("NFC", letters))):
            return font
    return ""


@lru_cache(maxsize=1)
def _system_fonts() -> tuple[str, ...]:
    found = []
    for name in _SYSTEM:
        try:
            _open(name, _PROBE)
        except OSError:
            continue
        found.append(name)
    return tuple(found)


@lru_cache(maxsize=4096)
def _has(font: str, char: str) -> bool:
    """Tell whether a font draws a character as anything but its "missing" glyph, and visibly."""
    if unicodedata.category(char)[0] == "C" or "\ufe00" <= char <= "\ufe0f":
        return False
    face = _plain(font)
    mask, missing = face.getmask(char), face.getmask(_UNMAPPED)
    return mask.getbbox() is not None and (mask.size, bytes(mask)) != (missing.size, bytes(missing))


@lru_cache(maxsize=32)
def _plain(font: str) -> ImageFont.FreeTypeFont:
    # Basic layout: shaping would add a dotted circle to a combining mark that stands alone.
    return ImageFont.truetype(font, _PROBE, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=32)
def _open(font: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font, size)


@lru_cache(maxsize=1024)
def _width(word: _Word) -> float:
    """Return how wide a word is, in heights of the letters."""
    return _open(word.font, _REFERENCE).getlength(word.text) / _REFERENCE if word.font else 1.1


def _gap(first: _Word, second: _Word) -> float:
    """Return the width of the blank between two words: none inside a run without blanks."""
    runs = "\u2e80" <= first.text[-1] <= "\u9fff" and "\u2e80" <= second.text[0] <= "\u9fff"
    return 0.0 if runs else 0.26


def _length(words: Sequence[_Word]) -> float:
    gaps = sum(_gap(first, second) for first, second in pairwise(words))
    return sum(_width(word) for word in words) + gaps


def _wrapped(words: Sequence[_Word], width: float, size: float) -> list[list[_Word]] | None:
    """Break into lines of about equal length; None if a word alone is too wide."""
    most = width / size
    if max(_width(word) for word in words) > most:
        return None
    fewest = _greedy(words, most)
    lines, even = len(fewest), _length(words) / len(fewest)
    while even < most:
        balanced = _greedy(words, even)
        if len(balanced) <= lines:
            return balanced
        even *= 1.04
    return fewest


def _greedy(words: Sequence[_Word], most: float) -> list[list[_Word]]:
    lines: list[list[_Word]] = [[]]
    for word in words:
        if lines[-1] and _length([*lines[-1], word]) > most:
            lines.append([])
        lines[-1].append(word)
    return lines


def _drawn(lines: Sequence[Sequence[_Word]], size: int) -> SetType:
    """Draw lines, each in the middle, with a margin for accents and for what hangs below."""
    step, pad = round(size * _LEADING), round(size * 0.4)
    width = round(max(_length(line) for line in lines) * size) + 2 * pad
    height = step * len(lines) + 2 * pad
    mask = Image.new("L", (width, height))
    colours = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(mask)
    for number, line in enumerate(lines):
        baseline = pad + number * step + round(size * 0.86)
        x = (width - _length(line) * size) / 2
        for font, run in _runs(line):
            if font:
                pen.text((x, baseline), run, 255, _open(font, size), anchor="ls")
                x += (_open(font, _REFERENCE).getlength(run + " ") / _REFERENCE) * size
            else:
                picture = Image.fromarray(sprite(key_of(run), size))
                colours.alpha_composite(picture, (max(0, round(x)), max(0, baseline - round(size * 0.88))))
                x += 1.36 * size
    straight = np.asarray(colours, np.float32) * np.float32(1 / 255)
    return SetType(
        np.asarray(mask, np.float32) * np.float32(1 / 255),
        np.ascontiguousarray(straight[..., :3].transpose(2, 0, 1)),
        straight[..., 3],
        tuple(_joined(line) for line in lines),
        size,
    )


def _runs(line: Sequence[_Word]) -> list[tuple[str, str]]:
    """Join neighbours in one font, so that shaping sees whole phrases; emoji stand alone."""
    runs: list[list[_Word]] = []
    for word in line:
        if runs and word.font and runs[-1][-1].font == word.font:
            runs[-1].append(word)
        else:
            runs.append([word])
    return [(run[0].font, _joined(run)) for run in runs]


def _joined(words: Sequence[_Word]) -> str:
    text = words[0].text
    for first, second in pairwise(words):
        text += (" " if _gap(first, second) else "") + second.text
    return text
