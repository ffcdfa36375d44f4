"""Files that only their owner may read: keys, tokens, passwords, and pages that contain a token."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from streamer.errors import ConfigError, StoreError, shell_line

log = logging.getLogger(__name__)

OWNER_ONLY, OWNER_ONLY_FOLDER = 0o600, 0o700
OTHERS = 0o077
_warned_of: set[int] = set()
"""The devices about which somebody was warned."""


def path_in(home: Path, name: str) -> Path:
    """Return the path of a secret file in a state directory."""
    return home / "secrets" / name


def read(path: Path) -> bytes | None:
    """Return the content, None when there is no file.

    Raises ConfigError when other users may read it, unless its file system makes every file readable for all.
    """
    try:
        if _is_open_to_others(path) and not _lacks_modes(path.parent):
            raise ConfigError(
                str(path), "other users of this machine may read it", fix=shell_line(["chmod", "600", str(path)])
            )
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
        path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        with FileLock(path.with_name(".lock"), mode=OWNER_ONLY):
            if not (content := _content(path)):
                content = create()
                _replace(path, content)
            return content
    except OSError as error:
        raise _not_written(path, error) from error


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner may open; warn where that cannot be, as on exFAT, a share or a volume."""
    path.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    with suppress(OSError):
        path.chmod(OWNER_ONLY_FOLDER)
    if _is_open_to_others(path):
        _warn_once(path)


def _is_open_to_others(file: Path | int) -> bool:
    return os.name == "posix" and bool(os.stat(file).st_mode & OTHERS)


def _is_made_private(descriptor: int) -> bool:
    """Tell whether others are kept out of a file of ours, after trying to keep them out."""
    if _is_open_to_others(descriptor):
        with suppress(OSError):
            os.fchmod(descriptor, OWNER_ONLY)
    return not _is_open_to_others(descriptor)


def _lacks_modes(folder: Path) -> bool:
    """Tell whether even a new file that is made for its owner alone is open to others; warn once of such a disk.

    On any other disk, a file that is open to others may have been read: it is refused, and not mended in silence.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            lacks = not _is_made_private(probe.fileno())
    except OSError:
        return False
    if lacks:
        _warn_once(folder)
    return lacks


def _warn_once(folder: Path) -> None:
    if (device := folder.stat().st_dev) not in _warned_of:
        _warned_of.add(device)
        advice = "if that matters, set STREAMER_HOME to a folder elsewhere"
        log.warning("other users of this machine may read %s, and its mode cannot be changed; %s", folder, advice)


def _content(path: Path) -> bytes:
    content = path.read_bytes() if path.is_file() else b""
    return content if content.strip() else b""


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    # A draft that a crash left behind may have another mode.
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
        file.write(content)
        file.flush()
        # A renewed token is worthless elsewhere from now on: the new one must be on the disk, not in a cache.
        os.fsync(file.fileno())
        if not _is_made_private(file.fileno()):
            _warn_once(path.parent)
    draft.replace(path)


def _not_written(path: Path, error: OSError) -> StoreError:
    problem = error.strerror or "cannot be written"
    return StoreError(str(path), f"{problem}; set STREAMER_HOME to a folder that can be written")
