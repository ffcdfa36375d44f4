"""``python -m streamer`` is the same program as ``streamer``."""

from __future__ import annotations

import subprocess
import sys

from streamer import __version__


def test_the_module_runs_the_command_line() -> None:
    shown = subprocess.run([sys.executable, "-m", "streamer", "--version"], capture_output=True, text=True, timeout=30)
    assert (shown.returncode, shown.stdout) == (0, f"streamer {__version__}\n")


def test_help_and_a_wrong_argument_load_nothing_heavy() -> None:
    code = "import sys, streamer.cli; sys.exit(any(name in sys.modules for name in ('fastapi', 'pydantic', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 0
