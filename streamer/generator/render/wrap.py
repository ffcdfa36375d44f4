"""Breaks a text into lines and finds the largest size at which they fit into a box, by arithmetic alone.

Nothing is left out and no word is cut: a cut word is another word, and nobody has judged it. What does not fit is set
smaller.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from wcwidth import iter_graphemes

LONGEST_RUN = 12
"""Graphemes of a script without spaces that stay together in a line."""
SMALLEST = 2
"""Pixels below which nothing is set."""
_UNSPACED = re.compile("[\u0e00-\u109f\u1780-\u17ff]")
LINE_HEIGHT = 1.06
"""Distance of two baselines in letter sizes: tight, as in memes, yet accents clear the line above."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """What is never broken: a word, or a part of a word in a script that writes without spaces."""

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
    """Wrap as large as possible into lines of similar length; a text too long for its lines gets more, smaller ones."""
    pieces, space = break_up(text, measure), measure(" ")
    if not _fits(pieces, space, room, room.smallest):
        room = replace(room, lines=len(pieces) or 1, largest=room.smallest, smallest=min(SMALLEST, room.smallest))
    low, high = room.smallest, room.largest
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(pieces, space, room, middle) else (low, middle - 1)
    return FittedText(balance(pieces, space, room.inner_width(low)), low)


def break_up(text: str, measure: Measure) -> list[TextPiece]:
    """Split into what stays together: words, single characters of Chinese, and short runs of Thai and the like."""
    return [
        TextPiece(part, measure(part), after_space=number == 0)
        for word in text.split()
        for number, part in enumerate(_parts(word))
    ]


def _parts(word: str) -> Iterator[str]:
    """Split a word of a script that writes without spaces; letters of other scripts in it stay together."""
    together: list[str] = []
    for grapheme in [word] if word.isascii() else graphemes(word):
        full = len(together) >= LONGEST_RUN and _UNSPACED.match(grapheme) is not None
        if together and (full or _stands_alone(grapheme) or _stands_alone(together[-1])):
            yield "".join(together)
            together = []
        together.append(grapheme)
    yield "".join(together)


def _stands_alone(grapheme: str) -> bool:
    # Not "F", which are Latin letters in full width.
    return unicodedata.east_asian_width(grapheme[0]) == "W"


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
