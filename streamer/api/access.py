"""The dependency every protected route names: who is calling, and may they."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import HTTPException, Request

from streamer.api.tokens import Access, Tokens


def bearer(request: Request) -> str:
    """Return the token of the Authorization header, or an empty string."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def needs(tokens: Tokens, access: Access) -> Callable[[Request], None]:
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
