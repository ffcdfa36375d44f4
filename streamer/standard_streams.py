"""Standard input, output and error: open, and ready for every text, wherever the program was started."""

from __future__ import annotations

import io
import os
import sys

STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}


def prepare() -> None:
    """Make every line printable: in a code page that lacks its letters, and where the streams are closed.

    Letters that cannot be written become question marks: a viewer's name in another script must not end the program.
    """
    for descriptor, (name, mode) in enumerate(STREAMS.items()):
        _hold_open(descriptor)
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
        stream = getattr(sys, name)
        if mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _hold_open(descriptor: int) -> None:
    """Put the null device where a stream is closed: the next file or socket would get its number, and what it prints.

    Call this for 0, 1 and 2 in this order: the system hands out the lowest number that is free.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDWR)


def silence() -> None:
    """Send standard output and standard error to nowhere from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def is_ascii_only() -> bool:
    """Tell whether standard output may lack letters, which YAML and JSON can write as escapes."""
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
