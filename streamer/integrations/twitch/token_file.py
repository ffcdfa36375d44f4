"""The file that holds the login: a pair of tokens, replaced atomically and readable by its owner only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from streamer.errors import ConfigError
from streamer.storage import secret_files


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
    return secret_files.path_in(home, "twitch.json")


def read(path: Path) -> TokenPair | None:
    """Return the stored pair, None when there is none; ConfigError when others may read it or it is damaged."""
    content = secret_files.read(path)
    if content is None:
        return None
    try:
        stored = json.loads(content)
        return TokenPair(**{**stored, "scopes": tuple(stored["scopes"])})
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(str(path), "is damaged", fix="run: streamer login twitch") from error


def write(path: Path, pair: TokenPair) -> None:
    """Replace the file atomically: after a crash it holds the old pair or the new one, never half of one."""
    secret_files.write(path, json.dumps(asdict(pair)).encode())
