"""Who may call which route: tokens, their roles, and the files they are read from."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from fastapi import HTTPException, Request

from streamer.errors import StoreError


class TokenRole(StrEnum):
    """What a token opens. An operator may do everything a moderator may, a moderator everything a trigger may."""

    OVERLAY = "overlay"
    TRIGGER = "trigger"
    MODERATOR = "moderator"
    OPERATOR = "operator"


INCLUDES: Mapping[TokenRole, frozenset[TokenRole]] = {
    TokenRole.OVERLAY: frozenset({TokenRole.OVERLAY}),
    TokenRole.TRIGGER: frozenset({TokenRole.TRIGGER}),
    TokenRole.MODERATOR: frozenset({TokenRole.MODERATOR, TokenRole.TRIGGER}),
    TokenRole.OPERATOR: frozenset({TokenRole.OPERATOR, TokenRole.MODERATOR, TokenRole.TRIGGER}),
}

STANDING = (TokenRole.OVERLAY, TokenRole.TRIGGER, TokenRole.OPERATOR)


def digest(token: str) -> str:
    """Return what is kept of a token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class TokenTable:
    """The tokens that are valid now. Looked up by digest, so the time taken says nothing about a guess."""

    def __init__(self, standing: Mapping[TokenRole, str]) -> None:
        self.standing = standing
        self._standing = {digest(token): access for access, token in standing.items()}
        self._access = self._standing

    def renew(self, issued: Mapping[str, TokenRole]) -> None:
        """Let in exactly these issued tokens, by their digests, besides the standing ones."""
        self._access = {**issued, **self._standing}

    def access(self, token: str) -> TokenRole | None:
        """Return what this token is for, or None when nobody issued it."""
        return self._access.get(digest(token))

    def opens(self, token: str, needed: TokenRole) -> bool:
        """Tell whether the token may do what needs ``needed``."""
        access = self.access(token)
        return access is not None and needed in INCLUDES[access]


def standing_tokens(home: Path, environ: Mapping[str, str]) -> dict[TokenRole, str]:
    """Read the tokens that are always there, making their files (mode 0600) at the first start.

    STREAMER_OPERATOR_TOKEN takes the place of the operator's file.
    """
    found = {access: _read_or_make(home / "secrets" / str(access)) for access in STANDING}
    if given := environ.get("STREAMER_OPERATOR_TOKEN"):
        found[TokenRole.OPERATOR] = given
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


def bearer(request: Request) -> str:
    """Return the token of the Authorization header, or an empty string."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def unmeant(headers: Mapping[str, str]) -> str:
    """Say why a GET was not meant by a person: fetched ahead by a browser, or asked for by a foreign page; else ""."""
    purposes = " ".join(headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz")).lower()
    if any(word in purposes for word in ("prefetch", "prerender", "preview")):
        return "a browser asked for this ahead of time; a trigger is pressed only when it is meant"
    if headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        return "another page asked for this; open the address itself, from a deck, a shortcut or the address bar"
    return ""


def needs(tokens: TokenTable, access: TokenRole) -> Callable[[Request], None]:
    """Build the dependency for routes that ask for ``access``."""

    def check(request: Request) -> None:
        token = bearer(request)
        if tokens.access(token) is None:
            raise HTTPException(
                401, "send a valid token as 'Authorization: Bearer ...'", {"www-authenticate": "Bearer"}
            )
        if not tokens.opens(token, access):
            raise HTTPException(403, f"this token may not do that; it takes a token for '{access}'")

    return check
