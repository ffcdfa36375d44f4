"""The results as a picture: a bar for each row under the name of its model, and a mark where the floor is."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from PIL import Image, ImageDraw

from streamer.generator.benchmark.report import drawn_by, machine_line, ms, weights_line
from streamer.generator.benchmark.results import Results, Row
from streamer.generator.render.fonts import draw_line, line_width

SCALE = 2
"""The picture's pixels for each unit below, for screens with small pixels."""
WIDTH, MARGIN = 960, 32
TITLE_ROW, BAR_ROW, GROUP_GAP, BAR = 30, 30, 14, 20
LABELS = 150
"""The width of what stands before the bars."""
BEHIND = 190
"""The space behind the longest bar, for what stands there."""
TOP, FOOT = 104, 44
NOTE_ROW = 18
MOST_TICKS = 6
PAPER, INK, QUIET, RULE = "#ffffff", "#1b1f24", "#68707a", "#e6e9ed"
OURS, STOCK, FLOOR = "#3d6fd9", "#b9c0c9", "#e0592a"


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one model at one size; ``top`` is where they begin."""

    title: str
    rows: Sequence[Row]
    top: float


def png(results: Results) -> bytes:
    """Return the chart as a PNG; without rows it says that nothing was measured."""
    file = io.BytesIO()
    draw_chart(results).save(file, "PNG", optimize=True)
    return file.getvalue()


def draw_chart(results: Results) -> Image.Image:
    """Draw title, legend, scale, bars and notes."""
    groups = grouped(results.rows)
    bottom = groups[-1].top + TITLE_ROW + BAR_ROW * len(groups[-1].rows) if groups else TOP + BAR_ROW
    notes = wrapped([machine_line(results.machine), weights_line(results)], WIDTH - 2 * MARGIN, 12)
    pen = _Pen(int(bottom + FOOT + NOTE_ROW * len(notes) + MARGIN / 2))
    pen.write(MARGIN, 46, "Prompt to JPEG", "Bold", 22)
    pen.write(MARGIN, 70, "median in milliseconds; shorter is faster", "Regular", 13, QUIET)
    _legend(pen, results)
    if groups:
        _bars(pen, groups, bottom)
    else:
        pen.write(MARGIN, TOP + 20, "Nothing was measured.", "Regular", 14, QUIET)
    for number, note in enumerate(notes):
        pen.write(MARGIN, bottom + FOOT + NOTE_ROW * (number + 0.5), note, "Regular", 12, QUIET)
    return pen.image


def grouped(rows: Iterable[Row]) -> list[Group]:
    """Put the rows of one model and size below each other, in the order of measuring."""
    groups, top = [], float(TOP)
    for (label, size, steps), members in groupby(rows, key=lambda row: (row.case.label, row.case.size, row.steps)):
        group = Group(f"{label}   {size}, {steps} {'step' if steps == 1 else 'steps'}", list(members), top)
        groups.append(group)
        top += TITLE_ROW + BAR_ROW * len(group.rows) + GROUP_GAP
    return groups


def ticks(longest: float) -> list[float]:
    """Return round numbers from 0 up to the longest bar."""
    rough = longest / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return [step * number for number in range(math.floor(longest / step) + 1)]


def wrapped(texts: Iterable[str], width: float, size: int) -> list[str]:
    """Break texts into lines that fit."""
    lines = []
    for text in texts:
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and line_width(longer, "Regular", size) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


class _Pen:
    """Draw in units of which the picture has SCALE pixels."""

    def __init__(self, height: int) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def write(self, x: float, y: float, text: str, weight: str, size: int, fill: str = INK) -> float:
        """Write a line from its baseline's beginning, and return where it ends."""
        draw_line(self._draw, (x * SCALE, y * SCALE), text, weight, size * SCALE, fill)
        return x + line_width(text, weight, size * SCALE) / SCALE

    def box(self, left: float, top: float, right: float, bottom: float, fill: str, radius: float = 0) -> None:
        """Fill a box; a bar that is shorter than a line is drawn as one."""
        corners = (left * SCALE, top * SCALE, max(right, left + 1) * SCALE - 1, bottom * SCALE - 1)
        self._draw.rounded_rectangle(corners, radius * SCALE if right - left > 2 * radius else 0, fill)


def _legend(pen: _Pen, results: Results) -> None:
    """Name the colours that are used, at the right."""
    used = [(OURS, "this program", any(not row.case.stock for row in results.rows)),
            (STOCK, "stock diffusers", any(row.case.stock for row in results.rows)),
            (FLOOR, "floor by arithmetic", any(row.floor for row in results.rows))]  # fmt: skip
    shown = [(colour, text) for colour, text, is_used in used if is_used]
    x = WIDTH - MARGIN - sum(line_width(text, "Regular", 13) + 34 for _, text in shown) + 16
    for colour, text in shown:
        if colour == FLOOR:
            pen.box(x + 4, 33, x + 7, 51, colour)
        else:
            pen.box(x, 36, x + 12, 48, colour, 2)
        x = pen.write(x + 18, 47, text, "Regular", 13, QUIET) + 16


def _bars(pen: _Pen, groups: Sequence[Group], bottom: float) -> None:
    """Draw the scale and on it every group."""
    longest = max(_longest(row) for group in groups for row in group.rows)
    left, width = MARGIN + LABELS, WIDTH - 2 * MARGIN - LABELS - BEHIND
    unit = width / longest
    for mark in ticks(longest):
        x, text = left + mark * unit, f"{mark:,g}"
        pen.box(x, TOP + TITLE_ROW - 4, x + 1, bottom + 6, RULE)
        pen.write(x - line_width(text, "Regular", 12) / 2, bottom + 22, text, "Regular", 12, QUIET)
    for group in groups:
        pen.box(left - 1, group.top, left + width + 2, group.top + TITLE_ROW - 4, PAPER)
        pen.write(MARGIN, group.top + 18, group.title, "Bold", 14)
        for number, row in enumerate(group.rows):
            _bar(pen, group.top + TITLE_ROW + BAR_ROW * number, left, unit, row)


def _bar(pen: _Pen, top: float, left: float, unit: float, row: Row) -> None:
    """Draw one bar, its label, its floor, and behind it the numbers."""
    label = drawn_by(row)
    top, middle = top + (BAR_ROW - BAR) / 2, top + BAR_ROW / 2 + 5
    pen.write(left - 10 - line_width(label, "Regular", 13), middle, label, "Regular", 13, QUIET)
    end = left + row.p50_ms * unit
    pen.box(left, top, end, top + BAR, STOCK if row.case.stock else OURS, 3)
    if row.floor is not None:
        x = left + row.floor.ms * unit
        pen.box(x - 1.5, top - 4, x + 1.5, top + BAR + 4, FLOOR)
        end = max(end, x)
    told = _told(row)
    number = ms(row.p50_ms)
    behind = end + 9 + line_width(number, "Bold", 14) + 8
    pen.box(end + 6, top, behind + line_width(told, "Regular", 12), top + BAR, PAPER)
    pen.write(end + 9, middle, number, "Bold", 14)
    pen.write(behind, middle, told, "Regular", 12, QUIET)


def _longest(row: Row) -> float:
    return max(row.p50_ms, row.floor.ms if row.floor else 0.0)


def _told(row: Row) -> str:
    """Return what is written behind the time."""
    factor, share = row.times_as_fast, row.share_of_floor
    told = "" if factor is None else f"{factor:.1f}× stock"
    peak = "" if share is None else f"{share:.0%} of peak"
    return ", ".join(filter(None, (told, peak)))
