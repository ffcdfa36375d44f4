"""Keeps everybody but the one browser that has the link away from the playground, which holds an operator's token."""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "playground"
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:;"
    " style-src 'self' 'unsafe-inline'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""The page loads nothing from other hosts, whatever its framework would like to."""
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}


class KeyGuard:
    """Middleware: the link's key becomes a cookie that other sites' pages cannot use; without it the answer is 403."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        if self._matches(*parse_qs(scope["query_string"].decode("latin-1")).get("key", [""])):
            await self._let_in()(scope, receive, send)
        elif self._matches(_cookie(scope)):
            await self._app(scope, receive, _with_headers(send))
        else:
            answer = "open the link that 'streamer playground' printed"
            await PlainTextResponse(answer, 403, HEADERS)(scope, receive, send)

    def _matches(self, key: str, *more: str) -> bool:
        return not more and hmac.compare_digest(key.encode(), self._key.encode())

    def _let_in(self) -> RedirectResponse:
        """Set the cookie, and take the key out of the address bar."""
        answer = RedirectResponse("/", 303, HEADERS)
        answer.set_cookie(COOKIE, self._key, httponly=True, samesite="strict", path="/")
        return answer


def _cookie(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                return ""
            return found.value if found is not None else ""
    return ""


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_with_headers
