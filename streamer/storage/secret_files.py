"""Files that only their owner may read: keys, tokens, passwords, and pages that contain a token."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from streamer.errors import ConfigError, StoreError

OWNER_ONLY = 0o600


def path_in(home: Path, name: str) -> Path:
    """Return the path of a secret file in a state directory."""
    return home / "secrets" / name


def read(path: Path) -> bytes | None:
    """Return the content, None when there is no file; raises ConfigError when other users may read it."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(str(path), "other users of this machine may read it", fix=f"chmod 600 '{path}'")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(str(path), error.strerror or "cannot be read") from error


def write(path: Path, content: bytes) -> None:
    """Replace the file in one step: after a crash it holds the old content or the new, never a part of it.

    The mode is 0600 from the first byte on. Raises StoreError.
    """
    try:
        _replace(path, content)
    except OSError as error:
        raise _not_written(path, error) from error


def read_or_create(path: Path, create: Callable[[], bytes]) -> bytes:
    """Return the content; write what ``create`` returns when the file is missing or empty. Raises StoreError.

    The program and a command may both start for the first time: a lock lets one of them create the file.
    """
    try:
        if content := _content(path):
            return content
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(path.with_name(".lock"), mode=OWNER_ONLY):
            if not (content := _content(path)):
                content = create()
                _replace(path, content)
            return content
    except OSError as error:
        raise _not_written(path, error) from error


def _content(path: Path) -> bytes:
    content = path.read_bytes() if path.is_file() else b""
    return content if content.strip() else b""


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A draft that a crash left behind may have another mode.
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
        file.write(content)
        file.flush()
        # A renewed token is worthless elsewhere from now on: the new one must be on the disk, not in a cache.
        os.fsync(file.fileno())
    draft.replace(path)


def _not_written(path: Path, error: OSError) -> StoreError:
    problem = error.strerror or "cannot be written"
    return StoreError(str(path), f"{problem}; set STREAMER_HOME to a folder that can be written")
