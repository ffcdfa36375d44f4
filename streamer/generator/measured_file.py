"""A small file of what was measured on this machine: damaged or missing, it is measured again."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

log = logging.getLogger(__name__)

Value = TypeVar("Value")


def read(path: Path, kind: TypeAdapter[Value]) -> Value | None:
    """Return what the file holds; None if it cannot be read."""
    try:
        return kind.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write(path: Path, kind: TypeAdapter[Value], value: Value) -> None:
    """Replace the file atomically; a failure is logged, since the measurement can be made again."""
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(kind.dump_json(value, indent=1))
        Path(draft).replace(path)
    except OSError as error:
        log.warning("what was measured cannot be remembered in %s: %s", path.name, error)
