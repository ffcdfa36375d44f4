"""The drawings: an open set of emoji as vector graphics, in a database that the build brings in."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from contextlib import closing
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
DATABASE = ASSETS / "subjects.sqlite"
VERSION = 2
"""The tables that this code reads; a database that an older version made is as good as none."""
_local = threading.local()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing by its key: its code points in lower-case hexadecimal, joined by hyphens, no variation selectors."""

    key: str
    name: str
    group: str
    subgroup: str


def available() -> bool:
    """Tell whether the build brought the drawings in, for this version."""
    return _has_tables(DATABASE)


@cache
def _has_tables(path: Path) -> bool:
    if not path.is_file():
        return False
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        return bool(database.execute("PRAGMA user_version").fetchone()[0] == VERSION)


def connection() -> sqlite3.Connection:
    """Return this thread's connection to the database, read-only."""
    opened: sqlite3.Connection | None = getattr(_local, "opened", None)
    if opened is None:
        opened = _local.opened = sqlite3.connect(f"{DATABASE.as_uri()}?mode=ro&immutable=1", uri=True)
    return opened


@lru_cache(maxsize=4096)
def drawing(key: str) -> Drawing | None:
    """Return the drawing with a key, or None if the set has none."""
    if not available():
        return None
    query = "SELECT key, name, grouping, subgroup FROM drawings WHERE key = ?"
    row = connection().execute(query, (key,)).fetchone()
    return Drawing(*row) if row else None


def svg(key: str) -> str:
    """Return a drawing as an SVG document; raise KeyError if there is none."""
    row = connection().execute("SELECT svg FROM drawings WHERE key = ?", (key,)).fetchone() if available() else None
    if row is None:
        raise KeyError(key)
    return zlib.decompress(row[0]).decode()
