"""What the program logs: lines for people, or JSON lines for machines that name the request and channel they are about.

Neither has a prompt or a viewer's name in it: logs are kept and copied to places where nobody can erase a person.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

REQUESTS = "streamer.requests"
"""The logger of one line for each request that ends: too many for people who watch a terminal during a show."""
CHATTY = ("websockets", "httpx", "httpcore", "filelock")
"""Libraries that log at info what is of no use here; httpx would log addresses with user ids in them."""

_about: ContextVar[Mapping[str, object]] = ContextVar("about", default=MappingProxyType({}))


class LogFormat(StrEnum):
    """How the lines are written."""

    TEXT = "text"
    JSON = "json"


@contextmanager
def about(**facts: str) -> Iterator[None]:
    """Add facts, such as a request's id, to every JSON line that is logged meanwhile; empty ones are left out."""
    token = _about.set({**_about.get(), **known(**facts)})
    try:
        yield
    finally:
        _about.reset(token)


def known(**facts: object) -> dict[str, object]:
    """Return the facts that are not empty."""
    return {name: fact for name, fact in facts.items() if fact != ""}


class JsonLines(logging.Formatter):
    """Write each record as one line of JSON in ASCII, which no code page can break."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; ``facts`` among a record's extras are added to it."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_about.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up(layout: LogFormat, *, verbose: bool) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLines()
        if layout is LogFormat.JSON
        else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    )
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler])
    logging.captureWarnings(layout is LogFormat.JSON)
    for library in CHATTY:
        logging.getLogger(library).setLevel(logging.WARNING)
    each_request = layout is LogFormat.JSON or verbose
    logging.getLogger(REQUESTS).setLevel(logging.INFO if each_request else logging.WARNING)
