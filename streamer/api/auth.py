"""Access tokens: their roles, where the standing ones are kept, and how a caller sends one."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from streamer.storage import secret_files


class TokenRole(StrEnum):
    """What a token allows. An operator may do everything a moderator may, a moderator everything a trigger may."""

    OVERLAY = "overlay"
    TRIGGER = "trigger"
    MODERATOR = "moderator"
    OPERATOR = "operator"
    METRICS = "metrics"
    """Reads /metrics where other computers reach the program, and nothing else."""
    TENANT = "tenant"
    """An API key: it opens what lies below /v1, and nothing else; no other token opens that."""


INCLUDED_ROLES: Mapping[TokenRole, frozenset[TokenRole]] = {
    TokenRole.OVERLAY: frozenset({TokenRole.OVERLAY}),
    TokenRole.TRIGGER: frozenset({TokenRole.TRIGGER}),
    TokenRole.MODERATOR: frozenset({TokenRole.MODERATOR, TokenRole.TRIGGER, TokenRole.METRICS}),
    TokenRole.OPERATOR: frozenset({TokenRole.OPERATOR, TokenRole.MODERATOR, TokenRole.TRIGGER, TokenRole.METRICS}),
    TokenRole.METRICS: frozenset({TokenRole.METRICS}),
    TokenRole.TENANT: frozenset({TokenRole.TENANT}),
}

ISSUED_ROLES = tuple(role for role in TokenRole if role is not TokenRole.TENANT)
"""The roles of ``streamer token new``; ``streamer api-key add`` makes a tenant's keys."""
STANDING_ROLES = (TokenRole.OVERLAY, TokenRole.TRIGGER, TokenRole.OPERATOR)


class TokenTable:
    """The tokens that are valid now. Looked up by digest, so that the time taken reveals nothing about a guess."""

    def __init__(self, standing: Mapping[TokenRole, str]) -> None:
        self.standing = standing
        self._standing_roles = {digest(token): role for role, token in standing.items()}
        self._roles = self._standing_roles

    def replace_issued(self, issued: Mapping[str, TokenRole]) -> None:
        """Accept exactly these issued tokens, given by digest, besides the standing ones."""
        self._roles = {**issued, **self._standing_roles}

    def role(self, token: str) -> TokenRole | None:
        """Return the role of a token, or None when nobody issued it."""
        return self._roles.get(digest(token))

    def opens(self, token: str, needed: TokenRole) -> bool:
        """Tell whether the token may do what needs the role ``needed``."""
        role = self.role(token)
        return role is not None and needed in INCLUDED_ROLES[role]


def digest(token: str) -> str:
    """Return what is stored of a token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token() -> str:
    """Make a token of 256 random bits that can stand in a URL."""
    return secrets.token_urlsafe(32)


def new_api_key() -> str:
    """Make a tenant's key, which begins as programs expect it of a key of OpenAI's."""
    return f"sk-{new_token()}"


def standing_tokens(home: Path, environ: Mapping[str, str]) -> dict[TokenRole, str]:
    """Read the tokens that always exist, and create their files (mode 0600) at the first start.

    STREAMER_OPERATOR_TOKEN replaces the operator's file.
    """
    tokens = {role: _standing_token(secret_files.path_in(home, role)) for role in STANDING_ROLES}
    if given := environ.get("STREAMER_OPERATOR_TOKEN"):
        tokens[TokenRole.OPERATOR] = given
    return tokens


def _standing_token(path: Path) -> str:
    return secret_files.read_or_create(path, lambda: new_token().encode()).decode().strip()


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token of the Authorization header, or an empty string."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
