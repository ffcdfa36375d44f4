"""Who may call which route: tokens, their roles, and the files they are read from."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from streamer.errors import StoreError


class Access(StrEnum):
    """What a token opens. An operator may do everything a moderator may, a moderator everything a trigger may."""

    OVERLAY = "overlay"
    TRIGGER = "trigger"
    MODERATOR = "moderator"
    OPERATOR = "operator"


INCLUDES: Mapping[Access, frozenset[Access]] = {
    Access.OVERLAY: frozenset({Access.OVERLAY}),
    Access.TRIGGER: frozenset({Access.TRIGGER}),
    Access.MODERATOR: frozenset({Access.MODERATOR, Access.TRIGGER}),
    Access.OPERATOR: frozenset({Access.OPERATOR, Access.MODERATOR, Access.TRIGGER}),
}

STANDING = (Access.OVERLAY, Access.TRIGGER, Access.OPERATOR)


def digest(token: str) -> str:
    """Return what is kept of a token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Tokens:
    """The tokens that are valid now. Looked up by digest, so the time taken says nothing about a guess."""

    def __init__(self, standing: Mapping[Access, str]) -> None:
        self.standing = standing
        self._standing = {digest(token): access for access, token in standing.items()}
        self._access = self._standing

    def renew(self, issued: Mapping[str, Access]) -> None:
        """Let in exactly these issued tokens, by their digests, besides the standing ones."""
        self._access = {**issued, **self._standing}

    def access(self, token: str) -> Access | None:
        """Return what this token is for, or None when nobody issued it."""
        return self._access.get(digest(token))

    def opens(self, token: str, needed: Access) -> bool:
        """Tell whether the token may do what needs ``needed``."""
        access = self.access(token)
        return access is not None and needed in INCLUDES[access]


def standing_tokens(home: Path, environ: Mapping[str, str]) -> dict[Access, str]:
    """Read the tokens that are always there, making their files (mode 0600) at the first start.

    STREAMER_OPERATOR_TOKEN takes the place of the operator's file.
    """
    found = {access: _read_or_make(home / "secrets" / str(access)) for access in STANDING}
    if given := environ.get("STREAMER_OPERATOR_TOKEN"):
        found[Access.OPERATOR] = given
    return found


def new_token() -> str:
    """Make a token of 256 random bits that survives a URL."""
    return secrets.token_urlsafe(32)


def _read_or_make(path: Path) -> str:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and (token := path.read_text().strip()):
            return token
        token = new_token()
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(token)
        draft.replace(path)
    except OSError as error:
        raise StoreError(str(path), f"{error.strerror}; set STREAMER_HOME to a folder that can be written") from error
    return token
