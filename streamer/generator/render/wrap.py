"""Breaks a text into lines and finds the largest size at which they fit into a box, by arithmetic alone."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wcwidth import iter_graphemes

LONGEST_WORD = 16
LINE_HEIGHT = 1.06
"""Distance of two baselines in letter sizes: tight, as in memes, yet accents clear the line above."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """What is never broken: a word, or one character of a word that may break anywhere."""

    text: str
    width: float
    after_space: bool


@dataclass(frozen=True, slots=True)
class TextRoom:
    """What a text must fit into: a box and letter sizes in pixels, a number of lines, an outline in letter sizes."""

    width: int
    height: int
    lines: int
    largest: int
    smallest: int
    outline: float

    def inner_width(self, size: int) -> float:
        """Return the width left for letters, in letter sizes."""
        return self.width / size - 2 * self.outline

    def lines_at(self, size: int) -> int:
        """Return how many lines fit below each other at this size."""
        return min(self.lines, int((self.height / size - 2 * self.outline - 1) / LINE_HEIGHT) + 1)


@dataclass(frozen=True, slots=True)
class FittedText:
    """Lines of text and the letter size in pixels."""

    lines: tuple[str, ...]
    size: int


Measure = Callable[[str], float]
"""Width of a text in letter sizes."""


def fit_text(text: str, room: TextRoom, measure: Measure) -> FittedText:
    """Wrap as large as possible into lines of similar length; truncate with an ellipsis what does not fit."""
    pieces, space = break_up(text, measure), measure(" ")
    low, high = room.smallest, room.largest
    if not _fits(pieces, space, room, low):
        return FittedText(truncate(text, room.inner_width(low), max(room.lines_at(low), 1), measure), low)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(pieces, space, room, middle) else (low, middle - 1)
    return FittedText(balance(pieces, space, room.inner_width(low)), low)


def break_up(text: str, measure: Measure) -> list[TextPiece]:
    """Split into words; long words and words of scripts without spaces may break anywhere."""
    return _pieces(text, measure, lambda word: len(word) > LONGEST_WORD)


def _pieces(text: str, measure: Measure, too_long: Callable[[str], bool]) -> list[TextPiece]:
    pieces = []
    for word in text.split():
        parts = graphemes(word) if too_long(word) or _is_east_asian(word) else [word]
        pieces += [TextPiece(part, measure(part), after_space=number == 0) for number, part in enumerate(parts)]
    return pieces


def graphemes(word: str) -> list[str]:
    """Split into what people perceive as characters: a letter with its marks, an emoji of several code points."""
    return list(iter_graphemes(word))


def wrap(pieces: Sequence[TextPiece], space: float, width: float) -> list[str]:
    """Fill line after line greedily."""
    lines: list[str] = []
    used = 0.0
    for piece in pieces:
        gap = space if piece.after_space else 0.0
        if lines and used + gap + piece.width <= width:
            lines[-1] += (" " if piece.after_space else "") + piece.text
            used += gap + piece.width
        else:
            lines.append(piece.text)
            used = piece.width
    return lines


def balance(pieces: Sequence[TextPiece], space: float, width: float) -> tuple[str, ...]:
    """Wrap into as few lines as the width allows, then narrow them as far as that number of lines allows."""
    lines = wrap(pieces, space, width)
    low, high = 0.0, width
    for _ in range(12):
        middle = (low + high) / 2
        narrower = wrap(pieces, space, middle)
        if len(narrower) > len(lines) or any(piece.width > middle for piece in pieces):
            low = middle
        else:
            high = middle
    return tuple(wrap(pieces, space, high))


def _fits(pieces: Sequence[TextPiece], space: float, room: TextRoom, size: int) -> bool:
    width = room.inner_width(size)
    return all(piece.width <= width for piece in pieces) and len(wrap(pieces, space, width)) <= room.lines_at(size)


def truncate(text: str, width: float, lines: int, measure: Measure) -> tuple[str, ...]:
    """Wrap and end with an ellipsis after a whole word; cut inside a word only if it is too long for a line."""
    words = _pieces(text, measure, lambda word: measure(word) > width)
    lines_kept = _shortened(words, width, lines, measure)
    return tuple(lines_kept or _shortened(_pieces(text, measure, lambda _: True), width, lines, measure) or ["…"])


def _shortened(pieces: Sequence[TextPiece], width: float, lines: int, measure: Measure) -> list[str]:
    """Keep as many pieces as the lines hold; none if not even the first fits."""
    space = measure(" ")
    if len(wrapped := wrap(pieces, space, width)) <= lines:
        return wrapped

    def too_much(count: int) -> bool:
        shortened = _with_ellipsis(pieces[:count], measure)
        return shortened[-1].width > width or len(wrap(shortened, space, width)) > lines

    count = bisect_right(range(1, len(pieces)), False, key=too_much)
    return wrap(_with_ellipsis(pieces[:count], measure), space, width) if count else []


def _with_ellipsis(pieces: Sequence[TextPiece], measure: Measure) -> list[TextPiece]:
    last = pieces[-1].text.rstrip(",;:.-") + "…"
    return [*pieces[:-1], TextPiece(last, measure(last), pieces[-1].after_space)]


def _is_east_asian(word: str) -> bool:
    return any(unicodedata.east_asian_width(char) in "WF" for char in word)
