"""The dependency every protected route names: who is calling, and may they."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import HTTPException, Request

from streamer.api.tokens import Access, Tokens


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
