"""Finds files by their bytes."""

from __future__ import annotations

from pathlib import Path


def files_containing(folder: Path, *words: str) -> list[str]:
    """Return the paths of all files below a folder that contain one of the words."""
    wanted = [word.encode() for word in words]
    return [str(path) for path in folder.rglob("*") if any(word in _content(path) for word in wanted)]


def _content(path: Path) -> bytes:
    """Read a file; a folder, and a file that is deleted at this moment, contain nothing."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""
