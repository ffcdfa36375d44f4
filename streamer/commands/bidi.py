"""The order in which a line of mixed directions is displayed.

Unicode's bidirectional algorithm (UAX 9) without its explicit controls, which cleaning drops, and its rule for
brackets. The letters of each run stay in the order in which they are read, because a font shapes them in that order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from unicodedata import bidirectional

from streamer.text import is_mixed

# What each class of Unicode is for the steps below: l, r (letters), n (European) and a (Arabic number), t (sign of an
# amount), s (sign inside a number), c (the same in both), m (belongs to what is before it), o (neutral).
_CLASSES = {"L": "l", "R": "r", "AL": "A", "EN": "n", "AN": "a", "ET": "t", "ES": "s", "CS": "c", "NSM": "m", "BN": "m"}


class _ClassesOfLetters(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = _CLASSES.get(bidirectional(chr(code)), "o")
        return self[code]


_classes_of_letters = _ClassesOfLetters()
_STRONG = re.compile("[lrA]")
_INSIDE_NUMBER = re.compile("(?<=n)[sc](?=n)|(?<=a)c(?=a)")
_AMOUNT_SIGNS = re.compile("t+(?=n)|(?<=n)t+")
_NEUTRALS = re.compile("[tsco]+")
_LEVELS = ({"l": 0, "r": 1, "n": 2, "a": 2}, {"l": 2, "r": 1, "n": 2, "a": 2})


@dataclass(frozen=True, slots=True)
class DirectedRun:
    """Neighboring characters that are read in one direction."""

    text: str
    right_to_left: bool


def display_runs(line: str) -> list[DirectedRun]:
    """Split a line into runs as they stand on it from left to right."""
    if not is_mixed(line):
        return [DirectedRun(line, False)]
    levels = _levels(line)
    runs, start = [], 0
    for level, group in groupby(levels):
        end = start + len(list(group))
        runs.append((level, DirectedRun(line[start:end], level % 2 == 1)))
        start = end
    return [run for _, run in _in_display_order(runs)]


def display_order(text: str) -> str:
    """Return a text with its runs in the order in which they stand on the line; the letters of each stay in order."""
    return "".join(run.text for run in display_runs(text))


def _levels(line: str) -> Sequence[int]:
    classes = _with_marks(line.translate(_classes_of_letters))
    first = _STRONG.search(classes)
    base = 0 if first is None or first[0] == "l" else 1
    edge = "lr"[base]
    classes = _numbers_after_letters(classes, edge)
    classes = _NEUTRALS.sub(lambda match: _neutral(match, edge) * len(match[0]), classes)
    return [_LEVELS[base][kind] for kind in classes]


def _with_marks(classes: str) -> str:
    """Give marks and joiners the class of what is before them."""
    if "m" not in classes:
        return classes
    kinds: list[str] = []
    for kind in classes:
        kinds.append((kinds[-1] if kinds else "o") if kind == "m" else kind)
    return "".join(kinds)


def _numbers_after_letters(classes: str, edge: str) -> str:
    """Resolve numbers by the last letter: Arabic after Arabic letters, and part of what is read from left to right."""
    if "n" not in classes and "a" not in classes:
        return classes.replace("A", "r")
    classes = _by_last_letter(classes, edge, {("n", "A"): "a"})
    classes = _INSIDE_NUMBER.sub(lambda match: match.string[match.start() - 1], classes)
    classes = _AMOUNT_SIGNS.sub(lambda match: "n" * len(match[0]), classes)
    return _by_last_letter(classes, edge, {("n", "l"): "l"}).replace("A", "r")


def _by_last_letter(classes: str, edge: str, becomes: Mapping[tuple[str, str], str]) -> str:
    last, kinds = edge, []
    for kind in classes:
        last = kind if kind in "lrA" else last
        kinds.append(becomes.get((kind, last), kind))
    return "".join(kinds)


def _neutral(match: re.Match[str], edge: str) -> str:
    """Return the direction that both neighbours have, numbers counting as right to left; else the line's own."""
    before = match.string[match.start() - 1] if match.start() else edge
    after = match.string[match.end()] if match.end() < len(match.string) else edge
    before, after = ("l" if kind == "l" else "r" for kind in (before, after))
    return before if before == after else edge


def _in_display_order(runs: list[tuple[int, DirectedRun]]) -> list[tuple[int, DirectedRun]]:
    """Reverse every sequence of runs at each level, from the innermost to the lowest that runs from right to left."""
    for lowest in (2, 1):
        groups = [(inside, list(group)) for inside, group in groupby(runs, key=lambda run: run[0] >= lowest)]
        runs = [run for inside, group in groups for run in (reversed(group) if inside else group)]
    return runs
