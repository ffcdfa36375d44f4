"""A child of the benchmark that ends as its case's model says: with a reason, by failing, or killed."""

from __future__ import annotations

import json
import os
import signal
import sys

from streamer.generator.benchmark.results import CASE

case = CASE.validate_json(sys.stdin.buffer.read())
print(json.dumps({"doing": "working", "share": 0.5}), flush=True)
if case.model == "refuses":
    print(json.dumps({"reason": "does not fit"}), flush=True)
elif case.model == "is-killed":
    os.kill(os.getpid(), signal.SIGKILL)
elif case.model == "crashes":
    os.kill(os.getpid(), signal.SIGSEGV)
elif case.model == "fails":
    raise ValueError("these weights are no weights")
