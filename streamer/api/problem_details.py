"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from streamer.errors import StoreError

MEDIA_TYPE = "application/problem+json"


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Build a problem document; ``detail`` says what is wrong and what would be right."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI, count_malformed: Callable[[], None]) -> None:
    """Answer every error of the application with a problem document, and count the malformed bodies."""

    async def invalid(request: Request, error: Exception) -> Response:
        count_malformed()
        return await _invalid(request, error)

    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(StoreError, _store)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, HTTPStatus(error.status_code).phrase, str(error.detail), headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    return problem(422, HTTPStatus(422).phrase, f"{where}: {first['msg'].lower()}")


async def _store(request: Request, error: Exception) -> Response:
    return problem(503, HTTPStatus(503).phrase, str(error))
