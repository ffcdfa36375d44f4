"""Measures one case in a process of its own (``python -m streamer.generator.benchmark.child``), and ends.

Standard input holds the case as JSON; every line of standard output is progress, the row, or why there is none. Only
the end of a process returns all of a GPU's memory, and only a fresh one has a peak of its own.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import BinaryIO

from streamer.generator.benchmark.measure import CannotMeasureError, measure
from streamer.generator.benchmark.results import CASE, ROW
from streamer.generator.worker import claim_pipes, die_with_parent


def main() -> None:
    """Measure the case of standard input."""
    die_with_parent()
    inbox, outbox = claim_pipes()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    case = CASE.validate_json(inbox.read())
    try:
        row = measure(case, lambda doing, share: send(outbox, {"doing": doing, "share": share}))
    except CannotMeasureError as error:
        send(outbox, {"reason": str(error)})
    else:
        send(outbox, {"row": ROW.dump_python(row, mode="json")})


def send(stream: BinaryIO, message: dict[str, object]) -> None:
    """Write one line."""
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


if __name__ == "__main__":
    main()
