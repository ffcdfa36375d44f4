"""The child's own process speaks nothing but JSON on its standard output, whatever libraries print."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from streamer.generator.benchmark import child
from streamer.generator.benchmark.results import CASE, ROW, Case


def test_a_child_tells_progress_then_its_row() -> None:
    given = CASE.dump_json(Case("procedural", "procedural", 96, 64, runs=1))
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-m", child.__name__], input=given, capture_output=True, timeout=60, env=environ, check=True
    )
    *progress, last = (json.loads(line) for line in ran.stdout.splitlines())
    assert {"doing": "drawing", "share": 0.0} in progress
    assert ROW.validate_python(last["row"]).case.size == "96x64"


def test_a_child_gives_the_reason_where_nothing_can_be_drawn() -> None:
    given = CASE.dump_json(Case("no/such/backend", "no_such_backend", 96, 64))
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-m", child.__name__], input=given, capture_output=True, timeout=60,
                         env=environ)  # fmt: skip
    assert ran.returncode != 0
    assert b"no_such_backend" in ran.stderr
