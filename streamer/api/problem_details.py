"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from streamer.errors import StoreError

MEDIA_TYPE = "application/problem+json"
JSON_HEADER = "Content-Type: application/json"
MOST_FAULTS = 3
"""More of them help nobody."""

Shape = Callable[[HTTPException], Response]
"""Writes an error as the clients of some routes expect it."""


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Build a problem document; ``detail`` says what is wrong and what would be right."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI, count_malformed: Callable[[], None], shapes: Mapping[str, Shape] | None = None) -> None:
    """Answer every error of the application with a problem document, and count the malformed bodies.

    ``shapes`` maps the beginning of a path to the shape that errors have there instead.
    """

    def answer(request: Request, error: HTTPException) -> Response:
        own = (shape for prefix, shape in (shapes or {}).items() if request.url.path.startswith(prefix))
        return next(own, _problem_of)(error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        count_malformed()
        return answer(request, HTTPException(422, _faults(request, error)))

    async def store(request: Request, error: Exception) -> Response:
        return answer(request, HTTPException(503, str(error)))

    async def bug(request: Request, error: Exception) -> Response:
        # The server logs the traceback.
        return answer(request, HTTPException(500, "a bug of the program; its log has the details"))

    app.add_exception_handler(Exception, bug)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(StoreError, store)


def _problem_of(error: HTTPException) -> Response:
    headers = dict(error.headers) if error.headers else None
    # Terminals of Windows send what is typed in their own code page.
    is_other_encoding = isinstance(error.__cause__, UnicodeDecodeError)
    detail = "the body: is not UTF-8; save it as UTF-8 in a file, and send that" if is_other_encoding else error.detail
    return problem(error.status_code, HTTPStatus(error.status_code).phrase, str(detail), headers)


def _faults(request: Request, error: RequestValidationError) -> str:
    return "; ".join(_fault(fault, request) for fault in error.errors()[:MOST_FAULTS])


def _fault(fault: Mapping[str, Any], request: Request) -> str:
    """Say what is wrong with one value, or with the whole body, and what to send instead."""
    kind, place = fault["type"], fault["loc"]
    if kind == "json_invalid":
        return f"the body: is no JSON ({fault['ctx']['error'].lower()}, at position {place[-1]})"
    if place == ("body",):
        return f"the body: {_body_fault(kind, request)}"
    name = ".".join(str(part) for part in place[1:])
    if place[0] == "query" and kind == "missing":
        return f"{name}: is missing; put it into the address, as ?{name}=..."
    return f"{name}: {fault['msg'].lower()}"


def _body_fault(kind: str, request: Request) -> str:
    if kind == "missing":
        unread = " (nothing is read from the address)" if request.url.query else ""
        return f"is empty; send a JSON object{unread} with the header {JSON_HEADER}"
    if not _is_json(request.headers.get("content-type", "")):
        # What curl -d sends is marked as a form.
        return f"is not marked as JSON; send a JSON object with the header {JSON_HEADER}"
    return "must be a JSON object"


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
