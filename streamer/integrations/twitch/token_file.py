"""The file that holds the login: a pair of tokens, replaced atomically and readable by its owner only."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from streamer.errors import ConfigError, StoreError


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token, the single-use refresh token, and whose they are; the repr shows no token."""

    client_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    user_id: str = ""
    login: str = ""


def path_in(home: Path) -> Path:
    """Return the path of the file in a state directory."""
    return home / "secrets" / "twitch.json"


def read(path: Path) -> TokenPair | None:
    """Return the stored pair, None when there is none; ConfigError when others may read it or it is damaged."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(str(path), "other users of this machine may read it", fix=f"chmod 600 '{path}'")
        stored = json.loads(path.read_text(encoding="utf-8"))
        return TokenPair(**{**stored, "scopes": tuple(stored["scopes"])})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(str(path), "is damaged", fix="run: streamer login twitch") from error
    except OSError as error:
        raise StoreError(str(path), error.strerror or "cannot be read") from error


def write(path: Path, pair: TokenPair) -> None:
    """Replace the file atomically: after a crash it holds the old pair or the new one, never half of one."""
    draft = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(pair), file)
            file.flush()
            # Twitch has already invalidated the old pair, so the new one must reach the disk, not only a cache.
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise StoreError(str(path), error.strerror or "cannot be written") from error
