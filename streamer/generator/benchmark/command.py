"""``streamer bench``: what it measures, its progress, and where the results go."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from streamer.errors import ConfigError
from streamer.generator import measured_times
from streamer.generator.backend import Report
from streamer.generator.benchmark import chart, report
from streamer.generator.benchmark.arguments import FILES
from streamer.generator.benchmark.cards import bare_name
from streamer.generator.benchmark.cases import Wish
from streamer.generator.benchmark.machine import machine_here
from streamer.generator.benchmark.results import Case, Results, Row, Skipped
from streamer.generator.benchmark.runner import outcomes
from streamer.generator.models import find


def wish_of(asked: argparse.Namespace) -> Wish:
    """Return what the arguments ask for."""
    cards = tuple(dict.fromkeys(map(bare_name, asked.card)))
    return Wish(asked.models, asked.size, asked.precision, asked.random, asked.stock, asked.runs, cards)


def bench(cases: Sequence[Case | Skipped], home: Path, *, out: Path | None, as_json: bool) -> Results:
    """Measure the cases, and print what was found and write it; Ctrl-C ends it with the rows that are finished.

    ``home`` is the state folder, where compiled code is kept; ``out`` is the folder for the files.
    """
    if out is not None:
        _prepare(out)
    results = Results(machine_here())
    progress = ProgressLine(sys.stderr, sum(isinstance(case, Case) for case in cases))
    for note in download_notes(cases):
        print(note, file=sys.stderr)
    try:
        for outcome in outcomes(cases, home, progress.begin):
            results = results.with_outcome(outcome)
            if isinstance(outcome, Row):
                _remember(home, outcome)
            if out is not None:
                _write(out, results)
    finally:
        progress.end()
        print(report.as_json(results) if as_json else report.table(results))
        if out is not None:
            print(f"Written to {out}: {', '.join(FILES)}", file=sys.stderr)
    return results


def download_notes(cases: Sequence[Case | Skipped]) -> list[str]:
    """Say of each model whose real weights are measured how much that may download."""
    real = dict.fromkeys(case.model for case in cases if isinstance(case, Case) and not case.random)
    rows = [row for row in map(find, real) if row is not None]
    return [f"{row.name}: {row.download:g} GB are downloaded unless they are here; --random needs none" for row in rows]


class ProgressLine:
    """Show which case runs and what it does: on one line of a terminal, or a line for each new thing elsewhere."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream, self._total, self._number = stream, total, 0
        self._on_terminal, self._shown = stream.isatty(), ""

    def begin(self, case: Case) -> Report:
        """Begin with a case; return what is told its progress."""
        self._number += 1
        head = f"[{self._number}/{self._total}] {case}"
        self._show(f"{head}: starting", "")
        return lambda doing, share: self._show(f"{head}: {doing}", f" {share:.0%}")

    def end(self) -> None:
        """Leave the line blank for what follows."""
        if self._on_terminal:
            self._show("", "")
            print("\r", end="", file=self._stream, flush=True)

    def _show(self, line: str, share: str) -> None:
        if self._on_terminal:
            line = (line + share)[: shutil.get_terminal_size().columns - 1]
            print(f"\r{line.ljust(len(self._shown))}", end="", file=self._stream, flush=True)
        elif line != self._shown:
            print(line, file=self._stream, flush=True)
        self._shown = line


def _remember(home: Path, row: Row) -> None:
    """Let ``streamer models`` and the panel tell the time of a listed model at its native size."""
    case, model = row.case, find(row.case.model)
    if model is None or case.stock or (case.width, case.height) != model.native:
        return
    measured_times.remember(home, row.device, model.name, row.p50_ms / 1000)


def _prepare(out: Path) -> None:
    """Make the folder; raises ConfigError before anything is measured whose result could not be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (out / name).touch()
    except OSError as error:
        raise ConfigError("--out", f"{out}: {error.strerror}", fix="name a folder that you may write") from error


def _write(out: Path, results: Results) -> None:
    """Write every file anew, so that what is finished is safe whatever happens next."""
    contents = (report.as_json(results).encode(), report.markdown(results).encode(), chart.png(results))
    for name, content in zip(FILES, contents, strict=True):
        (out / name).write_bytes(content)
