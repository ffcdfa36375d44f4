"""The password of obs-websocket: from the environment, or from a file that only its owner may read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from streamer.errors import ConfigError, StoreError

VARIABLE = "STREAMER_OBS_PASSWORD"  # nosec B105


def path_in(home: Path) -> Path:
    """Return the path of the password file."""
    return home / "secrets" / "obs"


def read(home: Path, environ: Mapping[str, str]) -> str:
    """Return the password, "" when there is none; raises ConfigError when others may read its file."""
    if given := environ.get(VARIABLE):
        return given
    path = path_in(home)
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(str(path), "other users of this machine may read it", fix=f"chmod 600 '{path}'")
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StoreError(str(path), error.strerror or "cannot be read") from error


def write(home: Path, password: str) -> Path:
    """Write the password to its file, which has mode 0600 from the first byte on; raises StoreError."""
    path = path_in(home)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(password)
        draft.replace(path)
    except OSError as error:
        raise StoreError(str(path), error.strerror or "cannot be written") from error
    return path
