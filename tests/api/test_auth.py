"""The token check in front of the routes."""

from __future__ import annotations

import pytest
from fastapi import HTTPException, Request

from streamer.api.auth import TokenRole, TokenTable, bearer, needs, unmeant

TOKENS = TokenTable({TokenRole.OPERATOR: "op", TokenRole.TRIGGER: "tr"})


def asking(authorization: str | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("header", "token"),
    [(None, ""), ("Bearer op", "op"), ("bearer op", "op"), ("Bearer  op ", "op"), ("Basic op", ""), ("op", "")],
)
def test_the_token_is_taken_from_a_bearer_header_only(header: str | None, token: str) -> None:
    assert bearer(asking(header)) == token


def test_a_good_token_passes_and_others_are_told_what_is_missing() -> None:
    check = needs(TOKENS, TokenRole.MODERATOR)
    check(asking("Bearer op"))
    with pytest.raises(HTTPException, match="401"):
        check(asking("Bearer guess"))
    with pytest.raises(HTTPException) as refused:
        check(asking("Bearer tr"))
    assert (refused.value.status_code, "'moderator'" in refused.value.detail) == (403, True)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, ""),
        ({"sec-fetch-site": "none"}, ""),
        ({"sec-fetch-site": "same-origin"}, ""),
        ({"sec-fetch-site": "cross-site"}, "another page"),
        ({"sec-fetch-site": "same-site"}, "another page"),
        ({"sec-purpose": "prefetch"}, "ahead of time"),
        ({"purpose": "Prefetch"}, "ahead of time"),
        ({"x-purpose": "preview"}, "ahead of time"),
    ],
)
def test_what_a_browser_asks_by_itself_is_not_meant(headers: dict[str, str], why: str) -> None:
    assert why in unmeant(headers)
    assert bool(why) == bool(unmeant(headers))
