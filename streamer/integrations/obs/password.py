"""The password of obs-websocket: from the environment, or from a file that only its owner may read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from streamer.storage import secret_files

VARIABLE = "STREAMER_OBS_PASSWORD"  # nosec B105


def path_in(home: Path) -> Path:
    """Return the path of the password file."""
    return secret_files.path_in(home, "obs")


def read(home: Path, environ: Mapping[str, str]) -> str:
    """Return the password, "" when there is none; raises ConfigError when others may read its file."""
    if given := environ.get(VARIABLE):
        return given
    content = secret_files.read(path_in(home))
    return "" if content is None else content.decode("utf-8").strip()


def write(home: Path, password: str) -> Path:
    """Write the password to its file, which has mode 0600 from the first byte on; raises StoreError."""
    path = path_in(home)
    secret_files.write(path, password.encode("utf-8"))
    return path
