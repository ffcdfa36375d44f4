"""Measure each case in a child process, one after the other; a child that dies costs its own row alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess  # nosec B404 - runs this very interpreter on a module of ours
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from streamer.generator.backend import Report
from streamer.generator.benchmark.results import CASE, ROW, Case, Row, Skipped
from streamer.generator.worker_process import child_environment

CHILD = "streamer.generator.benchmark.child"
LONGEST_REASON = 300
TEMPORARY = ("TMPDIR", "TEMP", "TMP")
"""Where a child keeps its temporary files: in a folder of the parent's, which outlives a child that is ended."""
Started = Callable[[Case], Report]
"""Called when a case begins; what it returns is told its progress."""


def outcomes(cases: Iterable[Case | Skipped], home: Path, started: Started) -> Iterator[Row | Skipped]:
    """Yield the outcome of each case; closing the iterator ends the child that runs, and what it started."""
    for case in cases:
        yield case if isinstance(case, Skipped) else run_child(case, home, started(case))


def run_child(case: Case, home: Path, report: Report, module: str = CHILD) -> Row | Skipped:
    """Measure one case in a child process; ``home`` is where compiled code is kept."""
    with (
        tempfile.TemporaryDirectory(prefix="streamer-bench-") as folder,
        tempfile.TemporaryFile() as prints,
        _child(module, child_environment(home) | dict.fromkeys(TEMPORARY, folder), prints) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(CASE.dump_json(case))
        for line in child.stdout:
            message = json.loads(line)
            if "row" in message:
                return ROW.validate_python(message["row"])
            if "reason" in message:
                return Skipped(case, message["reason"])
            report(message["doing"], message["share"])
        return Skipped(case, _why_it_died(child.wait(), prints))


@contextmanager
def _child(module: str, environment: Mapping[str, str], prints: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Start the child in a session of its own, which Ctrl-C does not reach, and leave nothing of it behind."""
    command = [sys.executable, "-P", "-X", "faulthandler", "-m", module]
    child = subprocess.Popen(  # nosec B603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=prints, env=environment,
        start_new_session=sys.platform != "win32",
    )  # fmt: skip
    with child:
        try:
            yield child
        finally:
            with suppress(ProcessLookupError, PermissionError):
                if sys.platform == "win32":
                    child.kill()
                else:
                    os.killpg(child.pid, signal.SIGKILL)


def _why_it_died(status: int, prints: IO[bytes]) -> str:
    """Return the last thing that a child printed, or which signal ended it."""
    prints.seek(0)
    lines = [line for line in prints.read().decode(errors="replace").splitlines() if line.strip()]
    if status == -signal.SIGKILL:
        return "its process was killed, as systems do when main memory runs out"
    if status < 0:
        return f"its process was ended by {signal.Signals(-status).name}"
    return f"its process failed: {lines[-1].strip()[:LONGEST_REASON]}" if lines else f"its process ended with {status}"
